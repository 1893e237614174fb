local floor, max, s = math.floor, math.max, 0
for i = 1, 1000000 do s = s + floor(i / 3) + max(i, 7) end
return s
