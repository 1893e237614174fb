-- The table library, order of pairs, length and sort.
local t = {10, 20, 30}
table.insert(t, 40) table.insert(t, 1, 5) out(table.concat(t, ","), #t, table.remove(t), table.remove(t, 1), table.concat(t, ","))
out(table.remove({}), table.remove({}, 5), table.remove({1, 2, 3}, 5), table.remove({1, 2, 3}, 0))
out(table.concat({}), table.concat({1, 2.5, "x"}), table.concat({1, 2, 3}, "-", 2), table.concat({1, 2, 3}, "-", 2, 3), table.concat({1, 2, 3}, "-", 3, 2))
out(pcall(table.concat, {1, {}, 3}), pcall(table.concat, {1, 2}, ",", 1, 3), pcall(table.concat), pcall(table.concat, 1))
out(pcall(table.insert, {1}), pcall(table.insert, {1}, 1, 2, 3), pcall(table.insert), pcall(table.insert, {}, "x", 1), pcall(table.setn, {}, 1), table.getn({1, 2}), table.maxn({1, 2, [10.5] = 1}))
local s = {5, 2, 8, 1, 9, 3} table.sort(s) out(unpack(s)) table.sort(s, function(a, b) return a > b end) out(unpack(s))
local words = {"pear", "apple", "fig"} table.sort(words) out(unpack(words))
out(pcall(table.sort, {1, "x", 2}), pcall(table.sort, {{}, {}}), pcall(table.sort, {1, 2, 3}, 5), pcall(table.sort, {3, 1, 2, 5, 4}, function() return true end))
local log = {} table.sort({3, 1, 4, 1, 5, 9, 2, 6, 5, 3}, function(a, b) log[#log + 1] = a .. "<" .. b return a < b end) out(table.concat(log, " "))
local big = {} for i = 1, 200 do big[i] = (i * 7919) % 211 end table.sort(big) out(table.concat(big, " "))
local objects = {} for i = 1, 20 do objects[i] = setmetatable({v = (i * 37) % 23}, {__lt = nil}) end
local mt = {__lt = function(a, b) return a.v < b.v end} for _, o in ipairs(objects) do setmetatable(o, mt) end
table.sort(objects) local vs = {} for i, o in ipairs(objects) do vs[i] = o.v end out(table.concat(vs, " "))
table.foreach({1, 2, x = 3}, function(k, v) out(k, v) end) out(table.foreachi({1, 2, 3}, function(i, v) if i == 2 then return "stopped" end end))
local function order(x) local r = {} for k, v in pairs(x) do r[#r + 1] = tostring(k) .. "=" .. tostring(v) end out(table.concat(r, " ")) end
order({1, 2, 3, a = 1, b = 2, c = 3}) order({a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8}) order({[1] = 1, [2] = 2, [4] = 4, [8] = 8, [16] = 16}) order({[1.5] = 1, [-1] = 2, [0] = 3, [true] = 4, [false] = 5})
local h = {} for i = 1, 50 do h["k" .. i] = i end for i = 1, 50, 3 do h["k" .. i] = nil end for i = 51, 70 do h["k" .. i] = i end order(h)
local m = {} for i = 1, 20 do m[i] = i m["x" .. i] = i end for i = 5, 15 do m[i] = nil end m[30] = 1 m.z = 2 order(m) out(#m)
local holes = {1, 2, nil, 4} out(#holes, #{nil, nil, 3}, #{1, nil}, #{n = 1}) local q = {} for i = 1, 10 do q[i] = i end q[10] = nil q[5] = nil out(#q)
out(next({}), next({5}), next({a = 1}), type(next), pcall(next, {}, 1)) out(select("#", unpack({1, nil, 3})), unpack({1, 2, 3}, 2), unpack({1, 2}, 1, 3))
local r = {} for i = -5, 5 do r[i] = i end order(r) r = {} for i = 100, 1, -1 do r[i] = i end order(r) out(#r)
out(pcall(ipairs), pcall(pairs, nil), pcall(unpack), pcall(setmetatable, {}), rawequal("a", "a"), rawequal({}, {}), rawget({5}, 1))

-- nil is no key, whatever free places a table has.
print(pcall(function() local t = {} t.a = 1 t.b = 2 t.c = 3 t[nil] = 1 end))
print(pcall(rawset, {x = 1, y = 2, z = 3}, nil, 1), pcall(rawset, {}, nil, nil))

-- Lengths and orders after many histories.
do
  local function show(t) local r = {} for k, v in pairs(t) do r[#r + 1] = tostring(k) .. "=" .. tostring(v) end out(#t, table.maxn(t), table.concat(r, " ")) end
  local seed = 7 local function pick(n) seed = (seed * 16807) % 2147483647 return seed % n + 1 end
  for size = 0, 18 do
    local up, down, odd, built = {}, {}, {}, {}
    for i = 1, size do up[i] = i odd[2 * i - 1] = i built[#built + 1] = i end
    for i = size, 1, -1 do down[i] = i end
    show(up) show(down) show(odd) show(built)
    up[size] = nil show(up) down[math.floor(size / 2)] = nil show(down) up.x = 1 up[size + 1] = 0 show(up)
  end
  for round = 1, 12 do
    local t = {}
    for step = 1, 30 + round * 3 do
      local what, key = pick(5), pick(20)
      if what == 1 then t[key] = nil elseif what == 2 then t["k" .. key] = step elseif what == 3 then t["k" .. key] = nil elseif what == 4 then t[key - 0.5] = step else t[key] = step end
      if step % 11 == 0 then show(t) end
    end
    for k in pairs(t) do if pick(2) == 1 then t[k] = nil end end show(t)
    for i = 1, 10 do t[i] = i end show(t)
  end
  show({1, 2, nil}) show({nil, 2}) show({1, nil, 3}) show({nil, nil, 3, nil}) show({[1] = 1, [2] = 2, [3] = 3}) show({1, [1] = 2, [2] = 5}) show({[3] = 3, 1, 2}) show({1, 2; 3, x = 4; y = 5,})
  show({unpack({1, 2, 3})}) show({unpack({1, 2, 3}), 9}) show({(unpack({1, 2, 3}))}) show({0, unpack({1, nil, 3}, 1, 3)}) show({x = unpack({1, 2})}) show({("a"):byte(1, -1)}) show({["a b"] = 1, [("x"):rep(3)] = 2})
  for _, key in ipairs({-1, 0, 0.5, 1e15, -1e15, 2 ^ 31, 2 ^ 32, 2 ^ 53, 2 ^ 63, -2 ^ 63, 1e300, 1 / 0, -1 / 0, 5e-324, "1", "", "\0", 1 + 2 ^ -52}) do
    local t = {10, [key] = "v"} out(t[key], t[1], rawget(t, key), #t, table.maxn(t)) t[key] = nil out(t[key], next(t))
  end
  local wide = {[2 ^ 53] = 1, [-2 ^ 53] = 2, [0.1] = 3, [-0.1] = 4, [1e300] = 5, [1 / 0] = 6, [-1 / 0] = 7, [100] = 8, [-100] = 9, a = 10} show(wide)
  local long = {} for i = 1, 70 do long[i * i % 71 + (i % 3) / 4] = i end show(long)
  local names = {} for i = 1, 31 do names[("n"):rep(i)] = i names["_" .. i * 31] = -i end show(names) for i = 1, 31, 2 do names[("n"):rep(i)] = nil end names.fresh = 1 show(names)
end

-- The library at its edges.
do
  local function list(t) local r = {} for i = -2, 8 do if t[i] ~= nil then r[#r + 1] = i .. "=" .. tostring(t[i]) end end return table.concat(r, " ") end
  for _, at in ipairs({-1, 0, 1, 2, 3, 4, 5, 7, 1.5, 2.9, "2", -0.5}) do
    local a = {"a", "b", "c"} out("insert", at, pcall(table.insert, a, at, "new")) out(list(a), #a)
    local b = {"a", "b", "c"} out("remove", at, pcall(table.remove, b, at)) out(list(b), #b, select("#", table.remove({"a", "b", "c"}, at)))
    out("unpack", pcall(unpack, {"a", "b", "c"}, at)) out(pcall(unpack, {"a", "b", "c"}, 1, at)) out(pcall(unpack, {"a", "b", "c"}, at, 4))
    out("concat", pcall(table.concat, {"a", "b", "c"}, "-", at)) out(pcall(table.concat, {"a", "b", "c"}, "-", 1, at)) out(pcall(table.concat, {"a", "b", "c"}, at))
  end
  out(select("#", table.remove({})), select("#", table.insert({}, 1)), select("#", table.sort({})), select("#", unpack({})), select("#", unpack({}, 1, 3)), select("#", unpack({1, 2}, 3)), pcall(unpack, {}, 1, 1e7))
  out(pcall(unpack, {}, 1, 8000) and select("#", unpack({}, 1, 200)))
  for _, name in ipairs({"insert", "remove", "concat", "maxn", "getn", "setn", "foreach", "foreachi", "sort"}) do
    local f = table[name]
    out(name, pcall(f)) out(pcall(f, nil)) out(pcall(f, "x")) out(pcall(f, {}, {})) out(pcall(f, {1, 2}, "x")) out(pcall(f, {1}, nil)) out(pcall(f, {1, 2}, 1, {})) out(pcall(f, {3, 2, 1}, true, 1))
  end
  for _, bad in ipairs({true, {}, print}) do out(pcall(table.concat, {1, bad, 3}) , (select(2, pcall(table.concat, {1, bad})))) end
  out(table.concat({1, 2.5, -0, 1e20, "x\0y"}, "\0"):byte(1, -1)) out(table.concat({}, "x"), table.concat({1}, "x"), table.concat({1, 2}, 3), table.concat({[0] = 0, 1}, ",", 0))
  out(table.foreach({1, 2, 3}, function(k, v) if v == 2 then return k, v end end)) out(table.foreachi({1, 2, nil, 4}, print)) out(pcall(table.foreach, {1}, function() error("stop", 0) end))
  out(next({}, nil), pcall(next), pcall(next, {1, 2}, 3), pcall(next, {1, 2}, "x"), next({1, 2}, 1), next({1, 2}, 2), pcall(next, 5))
  local t = {} for i = 1, 30 do t[i] = i t["s" .. i] = i end local n, sum = 0, 0 for k, v in pairs(t) do t[k] = nil n = n + 1 sum = sum + v end out(n, sum, next(t))
  for i, v in ipairs({1, 2, nil, 4}) do out(i, v) end for i, v in ipairs({}) do out("never") end
  local grown = {1, 2, 3} for i, v in ipairs(grown) do if i < 6 then grown[#grown + 1] = v * 10 end end out(table.concat(grown, " "))
  local changed = {a = 1, b = 2, c = 3} for k, v in pairs(changed) do changed[k] = v * 2 end out(changed.a, changed.b, changed.c)
  local stack = {} for i = 1, 40 do table.insert(stack, i) if i % 3 == 0 then table.remove(stack, 1) end if i % 5 == 0 then table.insert(stack, 2, -i) end end out(#stack, table.concat(stack, " "))
  while #stack > 0 do table.remove(stack, #stack > 4 and 3 or nil) end out(#stack, next(stack))
end
