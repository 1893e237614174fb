-- Many small tables: half a million that stay, and many more that do not.
local kept = {}
for i = 1, 400000 do kept[i] = {i} end
for i = 1, 6000000 do local gone = {i} end
return #kept
