-- Weak tables and the collector, as far as a script can see it.
local function count(t) local n = 0 for _ in pairs(t) do n = n + 1 end return n end
local function fresh() return {} end

-- Values.
local values = setmetatable({}, {__mode = "v"})
local kept = {}
values[1] = kept values[2] = fresh() values.a = fresh() values.b = "text" values.c = 12 values.d = fresh values[3] = true
values.f = (function(x) return function() return x end end)(1)
values.co = coroutine.create(function() end)
collectgarbage()
print(values[1] == kept, values[2], values.a, values.b, values.c, values.d == fresh, values[3], values.f, values.co, count(values))

-- Keys.
local keys = setmetatable({}, {__mode = "k"})
keys[kept] = "kept" keys[fresh()] = "lost" keys[fresh] = fresh() keys.text = fresh() keys[5] = fresh()
keys[(function(x) return function() return x end end)(2)] = 1
collectgarbage()
print(keys[kept], type(keys[fresh]), type(keys.text), type(keys[5]), count(keys))

-- Both.
local both = setmetatable({}, {__mode = "kv"})
both[kept] = kept both[1] = fresh() both[fresh()] = 1 both.x = fresh()
collectgarbage()
print(both[kept] == kept, both[1], both.x, count(both))

-- A table that forgets is filled again, and again.
local cache = setmetatable({}, {__mode = "v"})
for round = 1, 5 do
  for i = 1, 200 do cache[i] = {i} cache["k" .. i] = {i} end
  collectgarbage()
  print(round, count(cache), #cache)
end
local again = setmetatable({}, {__mode = "k"})
for i = 1, 3000 do again[{}] = i if i % 500 == 0 then collectgarbage() end end
collectgarbage()
print(count(again)) again.z = 1 again[kept] = 2 print(again.z, again[kept], count(again))

-- Strong again: what is there stays.
local turned = setmetatable({}, {__mode = "v"})
setmetatable(turned, nil)
turned[1] = fresh()
collectgarbage()
print(type(turned[1]))
setmetatable(turned, {__mode = "v"})
collectgarbage()
print(turned[1])

-- Cycles are collected; what a coroutine or a closure holds is not.
local watch = setmetatable({}, {__mode = "k"})
do local a, b = {}, {} a.b = b b.a = a watch[a] = 1 watch[b] = 1 end
local holder = coroutine.wrap(function() local t = {} watch[t] = 1 coroutine.yield() return t end)
holder()
local held do local t = {} watch[t] = 1 held = function() return t end end
-- Registers that ended scopes left behind are used again.
do local a, b, c, d, e, f, g, h = 1, 2, 3, 4, 5, 6, 7, 8 end
collectgarbage()
print(count(watch))

-- Its own questions.
print(type(collectgarbage("count")), collectgarbage("step") == true, collectgarbage("setpause", 200), collectgarbage("stop"), collectgarbage("restart"))
print(pcall(collectgarbage, "nonsense"))
print(type(gcinfo()))
-- Rubbish in a loop stays within bounds.
for i = 1, 20000 do local t = {i, tostring(i)} end
print(collectgarbage("count") < 20000)
