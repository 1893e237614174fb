-- Coroutines: creation, passing values both ways, status, errors, and what they share.
local function show(...) print(select('#', ...), ...) end

-- Values go in with the first resume, out with yield, in with its results, out with return.
local co = coroutine.create(function(a, b)
  show("start", a, b)
  local c, d = coroutine.yield(a + b)
  show("second", c, d)
  show(coroutine.yield(c, d, nil))
  return "end", nil
end)
show(coroutine.status(co))
show(coroutine.resume(co, 1, 2))
show(coroutine.status(co))
show(coroutine.resume(co, 3))
show(coroutine.resume(co))
show(coroutine.status(co))
show(coroutine.resume(co, "more"))

-- Who runs, who waits.
local outer
outer = coroutine.create(function()
  print(coroutine.status(outer), coroutine.running() == outer)
  local inner = coroutine.create(function()
    print(coroutine.status(outer))
    show(coroutine.resume(outer))
    show(coroutine.resume(coroutine.running()))
  end)
  show(coroutine.resume(inner))
  print(coroutine.status(inner))
end)
print(coroutine.resume(outer))
print(coroutine.running())
print(type(outer), tostring(outer):match("^thread: ") ~= nil)

-- Errors kill it; their values come through as they are.
local bad = coroutine.create(function() local x = nil; x.y = 1 end)
show(coroutine.resume(bad)) show(coroutine.status(bad)) show(coroutine.resume(bad))
local e = {}
local t = coroutine.create(function() error(e) end)
print(select(2, coroutine.resume(t)) == e)
show(coroutine.resume(coroutine.create(function() error() end)))
show(coroutine.resume(coroutine.create(function() error("plain", 0) end)))
show(coroutine.resume(coroutine.create(function() error("level", 2) end)))

-- wrap: an iterator, and errors with one more position.
local function range(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i, i * i) end end) end
for i, sq in range(4) do print(i, sq) end
local w = coroutine.wrap(function() error("inside") end)
show(pcall(w)) show(pcall(w))
local w2 = coroutine.wrap(function() error({}) end)
print(type(select(2, pcall(w2))))
local once = coroutine.wrap(function() return 1 end)
show(once()) show(pcall(once))

-- A recursive generator.
local function permute(a, n)
  n = n or #a
  if n <= 1 then coroutine.yield(table.concat(a, " ")) else
    for i = 1, n do a[n], a[i] = a[i], a[n] permute(a, n - 1) a[n], a[i] = a[i], a[n] end
  end
end
for p in coroutine.wrap(function() permute({1, 2, 3}) end) do print(p) end

-- A variable is shared between a coroutine and those outside, whoever runs.
local shared = 0
local get
local counter = coroutine.create(function()
  local own = 10
  get = function() return own end
  while true do shared = shared + 1 own = own + 1 coroutine.yield(shared) end
end)
coroutine.resume(counter) print(shared, get()) shared = 5
coroutine.resume(counter) print(shared, get())
local setter = coroutine.wrap(function(f) f() f() coroutine.yield() end)
local n = 0
setter(function() n = n + 1 end) print(n)
do
  local function make() local v = 1 return function() v = v + 1 return v end, coroutine.wrap(function() while true do v = v * 10 coroutine.yield(v) end end) end
  local inc, mul = make()
  print(inc(), mul(), inc(), mul())
end

-- Where it cannot yield.
show(pcall(coroutine.yield, 1))
show(coroutine.resume(coroutine.create(function() return pcall(coroutine.yield, 1) end)))
show(coroutine.resume(coroutine.create(function() return pcall(function() coroutine.yield(1) end) end)))
show(coroutine.resume(coroutine.create(function() table.sort({3, 2, 1}, function(a, b) coroutine.yield() return a < b end) end)))
show(coroutine.resume(coroutine.create(function() return ("x"):gsub("x", function() coroutine.yield("y") end) end)))
local meta = setmetatable({}, {__index = function(_, k) return coroutine.yield(k) end})
show(coroutine.resume(coroutine.create(function() return meta.field end)))
show(coroutine.resume(coroutine.create(function() for k in (function() return coroutine.yield("iterator") end) do print(k) end end)))

show(coroutine.resume(coroutine.create(function() for k in coroutine.yield, 1, 2 do print(k) end end)))

-- A resume inside a protected call of a coroutine is its own matter.
show(coroutine.resume(coroutine.create(function()
  return pcall(function()
    local c = coroutine.wrap(function() coroutine.yield(1) coroutine.yield(2) end)
    return c() + c()
  end)
end)))

-- Wrong arguments.
show(pcall(coroutine.create)) show(pcall(coroutine.create, 1)) show(pcall(coroutine.create, string.len))
show(pcall(coroutine.resume)) show(pcall(coroutine.resume, 1)) show(pcall(coroutine.status, {}))
show(pcall(coroutine.wrap, "x"))
show(coroutine.create == coroutine.create, coroutine.create(show) == coroutine.create(show))

-- Many values, tail calls, varargs.
local many = coroutine.create(function(...) local x = {...} local y = {coroutine.yield(unpack(x))} return #x, #y, select('#', ...) end)
print(select('#', coroutine.resume(many, unpack({}, 1, 200))))
show(coroutine.resume(many, unpack({}, 1, 3)))
local tail = coroutine.wrap(function(...) return coroutine.yield(...) end)
show(tail(1, 2)) show(tail(3, 4, 5))
local nat = coroutine.wrap(function() return unpack({1, 2, 3}) end) show(nat())

-- Thousands of them, most left suspended.
local live, sum = {}, 0
for i = 1, 2000 do
  local c = coroutine.wrap(function(x) while true do x = x + coroutine.yield(x) end end)
  sum = sum + c(i)
  if i % 100 == 0 then live[#live + 1] = c end
end
for i, c in ipairs(live) do sum = sum + c(i) end
print(sum)
-- A chain: each resumes the next.
local function chain(n) if n == 0 then return 0 end return 1 + coroutine.wrap(chain)(n - 1) end
print(chain(100))
-- Keys.
local keyed = {} keyed[co] = 1 print(keyed[co], next(keyed) == co)
