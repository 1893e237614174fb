-- A string that grows by a character at a time.
local text = ""
for i = 1, 60000 do text = text .. "x" end
return #text
