local function counter(step) local n = 0 return function() n = n + step return n end end
local s = 0
for i = 1, 300000 do
  local next = counter(i)
  s = s + next() + next()
end
return s
