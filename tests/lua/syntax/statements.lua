-- Every statement, with captures, breaks and nesting.
local function outer(a, b, ...)
  local up, vp = a, b
  for i = 1, 10 do
    local j = i
    local fn = function() up = up + j; return vp, i end
    if j > 5 then break elseif j == 3 then fn() else up = nil end
  end
  for i = 10, 1, -1 do if i then break end end
  for k, v, w in pairs(a), b do
    print(k, v, w)
    while k do
      local q = k
      k = function() return q end
      if not q then break end
    end
  end
  repeat
    local x = up
    local g = function() return x end
  until x == 1 or g()
  repeat local y = up until y
  do local z; local z = z; function z.a.b:c(d) return self, d, z end end
  if a then return end
  if a and b then up = 1 end
  if not (a or b) then up = 2 else vp = 3 end
  while true do if a then break end end
  while nil do end
  local function rec(n) return rec(n - 1) end
  return rec(...), arg
end
function global(...) local arg1 = {...} return select("#", ...), arg1 end
function old(...) return arg.n, arg[1] end
function t.m(self) return self:x(1)(2)[3] end
