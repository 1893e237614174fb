local parts = {}
for i = 1, 60000 do parts[#parts + 1] = string.format("%d:%s", i, ("x"):rep(i % 10)) end
local text, s = table.concat(parts, ","), 0
for number, xs in text:gmatch("(%d+):(x*)") do s = s + number * #xs end
return s + #text:gsub("x+", "y"):upper()
