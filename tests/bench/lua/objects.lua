local s = 0
for i = 1, 500000 do
  local point = { x = i, y = -i, i }
  s = s + point.x + point.y + point[1]
end
return s
