local t = {}
for i = 1, 300000 do
  local key = "k" .. i % 1000
  t[key] = (t[key] or 0) + i
end
local s = 0
for key, value in pairs(t) do s = s + value end
return s
