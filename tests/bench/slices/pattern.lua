-- A pattern that tries every way to part a text.
local text = string.rep("a", 100)
local found = 0
for i = 1, 3 do found = found + (string.find(text, "a*a*a*a*b") and 1 or 0) end
return found
