-- A reply of a hundred thousand elements.
local list = {}
for i = 1, 100000 do list[i] = "element " .. i end
return list
