-- Tables that are so large that they grow in pieces: what they hold, and the order of pairs, is as if they grew at once.
local function order(t)
  local sum, count = 0, 0
  for key, value in pairs(t) do
    local number = type(key) == "number" and key or #key + key:byte(-1) * 7 + (key:byte(-2) or 0)
    sum = (sum * 31 + number + (type(value) == "number" and value * 3 or 1)) % 1000000007
    count = count + 1
  end
  return count .. "/" .. sum .. "/" .. #t
end
local t = {}
for i = 1, 40000 do t[-i] = i end
out(order(t), t[-1], t[-40000], t[-40001])
for i = 1, 40000 do t[i] = i end
out(order(t), t[1], t[40000])
for i = 1, 40000 do t[-i] = nil end
out(order(t))
t.x = 1 -- the node vector is full of dead keys
for i = 1, 70000 do t["k" .. i] = i end
out(order(t), t.k1, t.k70000, t.x)
for i = 1000, 40000 do t[i] = nil end
for i = 1, 70000 do t["l" .. i] = -i end -- the array part shrinks
out(order(t), t[999], t[1000], #t)
local list = {}
for i = 1, 70000 do table.insert(list, i) end
for i = 70001, 140000 do list[#list + 1] = i end
for i = 140001, 150000 do rawset(list, i, i) end
out(order(list), table.maxn(list))
table.insert(list, 1, 0)
table.insert(list, 100000, 7)
out(order(list), list[2], list[100001])
local log = 0
local proxy = setmetatable({}, {__newindex = function(self, key, value) log = log + 1 rawset(self, key, value) end})
for i = 1, 40000 do proxy[i * 0.5] = i end
out(order(proxy), log)
local weak = setmetatable({}, {__mode = "v"})
for i = 1, 40000 do weak[-i] = i end
out(order(weak))
local strings = setmetatable({}, {__index = function(_, key) return key end})
for i = 1, 40000 do strings[("s"):rep(i % 5) .. i] = true end
out(order(strings), strings.absent)
out(pcall(function() for i = 1, 1e5 do if i == 99999 then error("at " .. i, 0) end t[i + 0.5] = i end end))
out(order(t))
local co = coroutine.wrap(function() local own = {} for i = 1, 70000 do own[-i] = i if i % 30000 == 0 then coroutine.yield(order(own)) end end return order(own) end)
out(co(), co(), co())
