local t, x = {}, 42
for i = 1, 60000 do x = (x * 16807) % 2147483647 t[i] = x end
table.sort(t)
table.sort(t, function(a, b) return a > b end)
return t[1] - t[#t]
