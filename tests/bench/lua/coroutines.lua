local function numbers(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
local s = 0
for i in numbers(300000) do s = s + i end
return s
