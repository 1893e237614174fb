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
