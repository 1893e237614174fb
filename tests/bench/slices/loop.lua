-- Nothing but a loop.
local sum = 0
for i = 1, 60000000 do sum = sum + i end
return sum
