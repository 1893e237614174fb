-- Long strings made, joined and taken apart.
local parts = {}
for i = 1, 300000 do parts[i] = i .. ":" end
local text = table.concat(parts)
local total = 0
for i = 1, 20 do
  total = total + #(text:upper():reverse() .. text:rep(3)) + #string.format("%s%q", text, text)
  total = total + select("#", text:byte(1, 5000))
end
return total
