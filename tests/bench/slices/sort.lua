-- A list of a million numbers, sorted; then a shorter one by a function.
local list, seed = {}, 1
for i = 1, 1000000 do seed = (seed * 16807) % 2147483647; list[i] = seed end
table.sort(list)
local short = {}
for i = 1, 150000 do short[i] = list[(i * 7919) % 1000000 + 1] end
table.sort(short, function(a, b) return a > b end)
return short[1]
