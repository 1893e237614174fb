-- Metamethods: every event, with operands of every kind; chains; what they return, raise and must not do.
local function show(...)
  local texts = {}
  for i = 1, select("#", ...) do texts[i] = tostring((select(i, ...))) end
  out(select("#", ...), table.concat(texts, " "))
end
local function try(f, ...) show(pcall(f, ...)) end
local names = setmetatable({}, {__mode = "k"})
local function name(x) if type(x) == "table" or type(x) == "function" then return names[x] or type(x) end return tostring(x) end
local log = {}
local function flush() out(table.concat(log, " ")) log = {} end
local events = {"add", "sub", "mul", "div", "mod", "pow", "unm", "concat", "len", "eq", "lt", "le", "index", "newindex", "call"}
local function logger(owner)
  local mt = {}
  for _, event in ipairs(events) do
    mt["__" .. event] = function(...)
      local texts = {}
      for i = 1, select("#", ...) do texts[i] = name((select(i, ...))) end
      log[#log + 1] = owner .. "." .. event .. "(" .. table.concat(texts, ",") .. ")"
      return owner .. event, "second"
    end
  end
  return mt
end
local A, B = logger("A"), logger("B")
local a1, a2, b1 = setmetatable({}, A), setmetatable({}, A), setmetatable({}, B)
names[a1], names[a2], names[b1] = "a1", "a2", "b1"
local plain = {} names[plain] = "plain"

-- Binary events: who is asked first, and with what.
local binary = {
  {"+", function(x, y) return x + y end}, {"-", function(x, y) return x - y end}, {"*", function(x, y) return x * y end}, {"/", function(x, y) return x / y end},
  {"%", function(x, y) return x % y end}, {"^", function(x, y) return x ^ y end}, {"..", function(x, y) return x .. y end}, {"==", function(x, y) return x == y end},
  {"~=", function(x, y) return x ~= y end}, {"<", function(x, y) return x < y end}, {"<=", function(x, y) return x <= y end}, {">", function(x, y) return x > y end}, {">=", function(x, y) return x >= y end},
}
local operands = {a1, a2, b1, plain, 5, "5", "text", true, print}
names[print] = "print" operands[10] = nil
for _, operation in ipairs(binary) do
  for i = 1, 10 do
    for j = 1, 10 do
      if i <= 3 or j <= 3 then
        local ok, result = pcall(operation[2], operands[i], operands[j])
        out(operation[1], name(operands[i]), name(operands[j]), ok, result) flush()
      end
    end
  end
end
-- With constants on either side.
show(a1 + 1, 1 + a1, a1 - "x", "x" - a1, a1 * nil, nil * a1, a1 / true, false / a1, a1 % 2.5, -1 % a1, a1 ^ 0, 0 ^ a1) flush()
show(a1 .. 1, 1 .. a1, a1 .. "x", "x" .. a1, a1 .. nil, nil .. a1, a1 .. {}, {} .. a1) log = {}
show(a1 == 1, 1 == a1, a1 == nil, a1 == "a1", a1 ~= 1, a1 == a1, a1 == a2, a1 == b1, a1 == plain, rawequal(a1, a2)) flush()
try(function() return a1 < 1 end) try(function() return 1 < a1 end) try(function() return a1 <= 1 end) try(function() return "x" >= a1 end) try(function() return a1 < b1 end) try(function() return a1 <= plain end) flush()
show(-a1, #a1, not a1, a1.x, a1[1], a1[nil], a1[a2], a1(), a1(1, nil)) flush() try(function() return a1:m() end) flush()
a1.x = 1 a1[1] = nil a1[a2] = b1 flush() show(rawget(a1, "x"))
try(function() a1[nil] = 1 end) try(function() a1[0 / 0] = 1 end) flush() try(rawset, a1, nil, 1)

-- Concatenation goes from the right, in pairs; strings and numbers between are joined at once.

local C = {}
local function new(v) return setmetatable({v = v}, C) end
local function text(x) return type(x) == "table" and x.v or tostring(x) end
C.__concat = function(x, y) return new("(" .. text(x) .. "." .. text(y) .. ")") end
local c, d = new("c"), new("d")
show(text(c .. d), text(c .. "x" .. "y"), text("x" .. "y" .. c), text("x" .. c .. "y" .. d .. "z"), text(1 .. 2 .. c .. 3 .. 4), text("a" .. 1 .. "b" .. c), text((("a" .. c) .. "b")), text("a" .. ("b" .. c)), text(c .. c .. c .. c))
C.__concat = function(x, y) return text(x) .. "+" .. text(y) end
show(c .. d, c .. "x" .. "y", "x" .. "y" .. c, "x" .. c .. "y" .. d .. "z", 1 .. 2 .. c .. 3 .. 4, "a" .. c .. "b" .. "c" .. d .. "e" .. "f")
C.__concat = function() return nil end show(c .. d, c .. 1) try(function() return "x" .. c .. d end) try(function() return 1 .. c .. 2 end)
C.__concat = function() return true end try(function() return "x" .. (c .. d) end) try(function() return c .. "x" .. d end) C.__concat = function() end show(c .. d) show((c .. d))
C.__concat = function() error("cat") end try(function() return c .. d end) try(function() return "x" .. c end) C.__concat = function() error() end try(function() return c .. 1 end) C.__concat = nil try(function() return c .. 1 end) try(function() return 1 .. c end) try(function() return "a" .. "b" .. c .. "d" end)

-- Equality only between equal types that share the function.
local same = function() log[#log + 1] = "same" return true end
local e1, e2, e3, e4 = setmetatable({}, {__eq = same}), setmetatable({}, {__eq = same}), setmetatable({}, {__eq = function() return true end}), setmetatable({}, {})
show(e1 == e2, e2 == e1, e1 == e3, e3 == e1, e1 == e4, e4 == e1, e1 ~= e2, e1 == e1, e1 == {}, e1 == 1, e1 == "x", e1 == print, e1 == nil) flush()
local values = {1, 0, "", "x", {}, print, true} for _, v in ipairs(values) do same = v local E = {__eq = function() return v end} local x, y = setmetatable({}, E), setmetatable({}, E) show(x == y, x ~= y, type(x == y)) if x == y then out("taken") end if not (x ~= y) then out("not taken") end end
for _, v in ipairs({false}) do local E = {__eq = function() return v end, __lt = function() return v end} local x, y = setmetatable({}, E), setmetatable({}, E) show(x == y, x ~= y, x < y, x <= y, x > y, x >= y) end
do local E = {__eq = function() end, __lt = function() end, __le = function() end} local x, y = setmetatable({}, E), setmetatable({}, E) show(x == y, x ~= y, x < y, x <= y, x > y, x >= y, not (x < y)) end
do local E = {__eq = function() error("eq") end} local x, y = setmetatable({}, E), setmetatable({}, E) try(function() return x == y end) try(function() return x ~= y end) show(x == x, rawequal(x, y), x == nil) local t = {[x] = 1} show(t[y], t[x]) end
do local x, y = setmetatable({}, {__eq = 5}), setmetatable({}, {__eq = 5}) try(function() return x == y end) y = setmetatable({}, getmetatable(x)) try(function() return x == y end) y = setmetatable({}, {__eq = 6}) try(function() return x == y end) end
do local call = setmetatable({}, {__call = function(_, p, q) return p.n == q.n end}) local E = {__eq = call, __lt = call, __le = call} local x, y, z = setmetatable({n = 1}, E), setmetatable({n = 1}, E), setmetatable({n = 2}, E) show(x == y, x == z, x < y, x < z, x <= y) end

-- Order: __le or else not __lt the other way round; the same function on both.
local L = {__lt = function(x, y) log[#log + 1] = x.n .. "<" .. y.n return x.n < y.n end}
local function n(v) return setmetatable({n = v}, L) end
local n1, n2 = n(1), n(2)
show(n1 < n2, n2 < n1, n1 > n2, n1 <= n2, n2 <= n1, n1 >= n2, n1 <= n1, n1 < n1, not (n1 < n2), not (n1 <= n2)) flush()
L.__le = function(x, y) log[#log + 1] = x.n .. "<=" .. y.n return x.n <= y.n end show(n1 <= n2, n2 <= n1, n1 >= n2, n1 <= n1, n1 > n2) flush()
L.__lt = nil show(n1 <= n2) try(function() return n1 < n2 end) flush() L.__le = nil try(function() return n1 <= n2 end)
do local x, y = setmetatable({}, {__lt = function() return true end}), setmetatable({}, {__lt = function() return true end}) try(function() return x < y end) try(function() return x <= y end) local f = function() return 1 end getmetatable(x).__lt, getmetatable(y).__lt = f, f show(x < y, x <= y, x > y, x >= y) getmetatable(x).__le = f try(function() return x <= y end) getmetatable(y).__le = f show(x <= y) end
do local list = {} for i = 1, 30 do list[i] = n((i * 17) % 31) end L.__lt = function(x, y) return x.n < y.n end table.sort(list) local texts = {} for i, x in ipairs(list) do texts[i] = x.n end out(table.concat(texts, " ")) L.__lt = function() error("lt") end try(table.sort, list) end
try(function() return {} < {} end) try(function() return a1 < 1 end) try(function() return n1 < "x" end) try(function() return setmetatable({}, {__lt = function() return 1 end}) < 5 end)

-- __index and __newindex: chains of tables and functions, and where they end.
local root = {deep = "root", n = 0} local chain = root for i = 1, 20 do chain = setmetatable({["level" .. i] = i}, {__index = chain}) end show(chain.deep, chain.level1, chain.level20, chain.none, rawget(chain, "deep"))
for _, length in ipairs({98, 99, 100, 101}) do local t = {deep = 1} for i = 1, length do t = setmetatable({}, {__index = t, __newindex = t}) end try(function() return t.deep end) try(function() t.deep = 2 end) try(function() t.other = 2 end) try(function() return t:deep() end) end
do local t = {} setmetatable(t, {__index = t}) try(function() return t.x end) setmetatable(t, {__newindex = t}) try(function() t.x = 1 end) local u = setmetatable({}, {}) getmetatable(u).__index = setmetatable({}, {__index = u}) try(function() return u.x end) try(function() return u[1] end) try(function() return u[nil] end) end
do local seen = setmetatable({}, {__index = function(t, k) log[#log + 1] = tostring(k) return k, k end}) show(seen.a, seen[1], seen[1.5], seen[true], seen[nil], (seen.b)) local x, y = seen.d show(x, y) flush() try(function() return seen.x.y end) try(function() return seen:m() end) try(function() return seen[1].x end) log = {} end
do local store = {} local t = setmetatable({}, {__index = store, __newindex = store}) t.a = 1 t[1] = 2 t.a = nil show(t.a, t[1], rawget(t, 1), store[1], #t, #store, next(t)) store.b = 5 t.b = 6 show(store.b, rawget(t, "b")) rawset(t, "b", 7) t.b = 8 show(t.b, store.b) end
do local t = setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, v and v * 2) return "ignored" end}) t.a = 1 t.a = 5 t.b = 2 t.a = nil t.a = 3 t.c = nil show(t.a, t.b, t.c) t[1], t[2] = 10, 20 show(t[1], t[2], #t) t[1] = 5 show(t[1]) table.insert(t, 7) show(t[3]) end
do local t = setmetatable({}, {__index = "text"}) show(t.len, t.upper == string.upper) try(function() return t.nothing.x end) t = setmetatable({}, {__index = function() end}) show(t.x) t = setmetatable({}, {__index = print == nil}) try(function() return t.x end) t = setmetatable({}, {__index = nil}) show(t.x) t = setmetatable({}, {__newindex = "text"}) try(function() t.x = 1 end) t = setmetatable({}, {__index = 5, __newindex = true}) try(function() return t.x end) try(function() t.x = 1 end) try(function() return t[1] end) try(function() t[1] = 1 end) end
do local t = setmetatable({1, 2, nil, 4, x = false}, {__index = function(t, k) return "default " .. tostring(k) end}) show(t[1], t[3], t.x, t.y, #t > 0, unpack(t, 1, 3)) for i, v in ipairs(t) do out(i, v) end for k, v in pairs(t) do out(k, v) end show(next(t, 1), rawget(t, 3), select("#", unpack(t, 1, 5)), table.concat(t, ",", 1, 2)) try(table.concat, t, ",", 1, 3) table.sort(t, function(x, y) return tostring(x) < tostring(y) end) show(t[1]) end
do local t = setmetatable({}, {__index = coroutine.wrap(function(t, k) while true do t, k = coroutine.yield(k .. "!") end end)}) show(t.a, t.b, t.c) t = setmetatable({}, {__index = rawget, __newindex = rawset}) t.x = 1 show(t.x, t.y) t = setmetatable({}, {__index = select == nil or string.format}) try(function() return t.x end) t = setmetatable({}, {__index = math.max}) try(function() return t[1] end) end
do local t = setmetatable({}, {__index = setmetatable({}, {__call = function(self, t, k) return "called" end})}) show(t.x) t = setmetatable({}, {__newindex = setmetatable({}, {__call = function() out("never") end, __newindex = function(t, k, v) out("inner", k, v) end})}) t.y = 5 end
do local s = "str" show(s.len, s.nothing, ("x").rep, s[1], (s):len(), ("%d"):format(5), #s, s:upper():lower()) try(function() s.x = 1 end) try(function() return s.x.y end) try(function() return s < 1 end) try(function() return s() end) try(function() return -s end) show(-"2", "3" + 4, "0x10" * 1) try(setmetatable, "s", {}) show(type(getmetatable("").__index), getmetatable("").__add) end
-- The key is made before the metamethod is asked: the order of pairs shows it.
for count = 1, 40, 3 do
  local t = setmetatable({}, {__newindex = function() end}) for i = 1, count do t["k" .. i * 7 % 41] = i t[i * 3] = true end
  setmetatable(t, nil) for i = count, 1, -2 do t["k" .. i * 7 % 41] = i end local keys = {} for k in pairs(t) do keys[#keys + 1] = tostring(k) end out(count, table.concat(keys, " "))
  local mt = {__newindex = function(t, k, v) if k ~= "k5" then rawset(t, k, v) end end} t = setmetatable({}, mt) for i = 1, count do t["k" .. i] = i end t.k5 = nil keys = {} for k in pairs(t) do keys[#keys + 1] = k end out(count, table.concat(keys, " "), next(t, "k1") ~= "k1")
  out(pcall(next, setmetatable({}, {__newindex = function() end}), "none")) local empty = setmetatable({}, {__newindex = function() end}) empty.x = 1 out(pcall(next, empty, "x"))
end

-- __call: any depth of arguments and results; one level only.
do local f = setmetatable({}, {__call = function(self, ...) return select("#", ...), ... end}) show(f()) show(f(nil)) show(f(1, 2, nil)) show((f(1))) show(f "s") show(f {} ~= nil) show(f(f(1, 2))) show(pcall(f, 1)) show(select(2, xpcall(function() return f(1) end, print))) local o = {f = f, g = {f = f}} show(o.f(1)) show(o:f(1) ~= nil) show(o.g.f(2)) end
do local g = setmetatable({}, {__call = setmetatable({}, {__call = function() return 1 end})}) try(g) try(function() return g() end) local h = setmetatable({}, {__call = 5}) try(h, 1) try(function() h() end) local t = {h = h} try(function() t.h() end) try(function() t:h() end) h = setmetatable({}, {}) try(h) try(function() return h() end) end
do local function factorial(self, n) if n == 0 then return 1 end return n * self(n - 1) end local f = setmetatable({}, {__call = factorial}) show(f(10)) local tail = setmetatable({}, {__call = function(self, n) if n == 0 then return "end" end return self(n - 1) end}) show(tail(5000)) for i in setmetatable({}, {__call = function(self, s, c) if c < 3 then return c + 1 end end}), nil, 0 do out(i) end end
do local t = setmetatable({}, {__call = function(...) return select("#", ...) end}) show(t(unpack({}, 1, 100)), t((unpack({1, 2}))), (t())) try(table.foreach, {1}, t) show(("abc"):gsub(".", setmetatable({}, {__index = function(_, k) return k:upper() end}))) try(string.gsub, "abc", ".", t) try(table.sort, {3, 2, 1}, t) show(pcall(pcall, t, 1)) show(coroutine.resume(coroutine.create(function(...) return t(...) end), 1, 2)) try(coroutine.create, t) end

-- __len is for other types than tables, __unm gets its operand twice, arithmetic of strings comes first.
show(#setmetatable({1, 2, 3}, {__len = function() return 99 end})) show(-setmetatable({}, {__unm = function(...) return select("#", ...) end})) show(-setmetatable({}, {__unm = function(x, y) return rawequal(x, y) end}))
try(function() return -setmetatable({}, {__sub = function() return 1 end}) end) try(function() return #print end) try(function() return #5 end) try(function() return #nil end) show(#"abc", #{1, 2}, -"5", - -"5")
do local M = {__add = function(x, y) return type(x) .. "+" .. type(y) end} local m = setmetatable({}, M) show(m + 1, 1 + m, m + "1", "x" + m, m + nil, nil + m, m + m, {} + m, print + m, true + m, 1 + 1, "1" + 1) try(function() return "x" + 1 end) try(function() return {} + 1 end) show(1 + 2 + m) try(function() return m + 1 + 2 end) end
do local V = {} V.__index = V local function vec(x, y) return setmetatable({x = x, y = y}, V) end V.__add = function(p, q) return vec(p.x + q.x, p.y + q.y) end V.__mul = function(p, q) if type(p) == "number" then return vec(p * q.x, p * q.y) elseif type(q) == "number" then return q * p end return p.x * q.x + p.y * q.y end V.__unm = function(p) return -1 * p end V.__sub = function(p, q) return p + -q end V.__tostring = function(p) return "(" .. p.x .. "," .. p.y .. ")" end V.__eq = function(p, q) return p.x == q.x and p.y == q.y end V.__div = function(p, k) return p * (1 / k) end V.__mod = function(p, k) return vec(p.x % k, p.y % k) end V.__pow = function(p, k) local r = p for i = 2, k do r = vec(r.x * p.x, r.y * p.y) end return r end
  local p, q = vec(1, 2), vec(3, 4) show(p + q, p - q, p * q, 2 * p, p * 2, -p, p / 2, q % 3, p ^ 3, p == vec(1, 2), p ~= q, p + q * 2 - -p, tostring(p) .. tostring(q)) local sum = vec(0, 0) for i = 1, 100 do sum = sum + vec(i, -i) * 2 end show(sum) end

-- __tostring and __metatable; tostring of what returns no string.
for _, v in ipairs({"text", 5, true, {}}) do local t = setmetatable({}, {__tostring = function() return v end}) local ok, r = pcall(tostring, t) out(ok, type(r), ok and type(r) == "string" and r) end
show(pcall(tostring, setmetatable({}, {__tostring = function() end}))) try(tostring, setmetatable({}, {__tostring = function() error("ts") end})) try(tostring, setmetatable({}, {__tostring = 5})) try(tostring, setmetatable({}, {__tostring = "x"})) try(tostring, setmetatable({}, {__tostring = setmetatable({}, {__call = function(_, t) return "called" end})})) show(tostring(setmetatable({}, {__tostring = function(...) return "n" .. select("#", ...) end})))
try(string.format, "%s", setmetatable({}, {__tostring = function() return "ts" end})) try(string.rep, setmetatable({}, {__tostring = function() return "ts" end}), 2) try(function() return "x" .. setmetatable({}, {__tostring = function() return "ts" end}) end) try(table.concat, {setmetatable({}, {__tostring = function() return "ts" end})}) try(error, setmetatable({}, {__tostring = function() return "ts" end}))
do local locked = setmetatable({}, {__metatable = "locked"}) show(getmetatable(locked)) try(setmetatable, locked, {}) try(setmetatable, locked, nil) locked = setmetatable({}, {__metatable = false}) show(getmetatable(locked)) try(setmetatable, locked, {}) locked = setmetatable({}, {__metatable = 5}) show(getmetatable(locked)) locked = setmetatable({}, {__metatable = nil}) show(type(getmetatable(locked))) show(setmetatable(locked, nil) == locked, getmetatable(locked)) show(getmetatable(1), getmetatable(nil), getmetatable(print), getmetatable(true), type(getmetatable("x"))) end
do local t = {} show(setmetatable(t, {}) == t) try(setmetatable, t) try(setmetatable, t, 1) try(setmetatable, t, false) try(setmetatable, nil, {}) try(setmetatable) try(setmetatable, t, {}, 1) try(getmetatable) local mt = {} setmetatable(t, mt) mt.__index = function(_, k) return "late " .. k end show(t.x) mt.__index = {x = "table"} show(t.x) mt.__index = nil show(t.x) mt.__add = function() return "late" end show(t + 1) setmetatable(mt, {__index = {__sub = function() return "inherited" end}}) try(function() return t - 1 end) end

-- Errors and positions; what yields; many and no results; recursion.
local bad = setmetatable({}, {__add = function(x, y) return x.none.none end, __index = function(t, k) if k == "none" then return nil end error("index " .. k, 2) end, __newindex = function(t, k) error("newindex " .. k, 1) end, __call = function() error("call", 0) end, __lt = function() error({}) end, __unm = function() error() end, __concat = function() return nil .. "x" end})
try(function() return bad + 1 end) try(function() return bad.x end) try(function() local v = bad.y return v end) try(function() bad.z = 1 end) try(function() bad() end) try(function() return bad() end) out(type(select(2, pcall(function() return bad < bad end)))) try(function() return -bad end) try(function() return bad .. "x" end) try(function() return bad:m() end) try(function() for i = 1, bad do end end)
local y = {} for _, event in ipairs({"add", "concat", "unm", "eq", "lt", "le", "index", "newindex", "call"}) do y["__" .. event] = function(...) return coroutine.yield(event) end end
local y1, y2 = setmetatable({}, y), setmetatable({}, y)
for _, f in ipairs({function() return y1 + 1 end, function() return y1 .. "x" end, function() return -y1 end, function() return y1 == y2 end, function() return y1 < y2 end, function() return y1 <= y2 end, function() return y1.x end, function() y1.x = 1 end, function() return y1(1) end, function() return (y1(1)) end, function() local t = {y1()} return #t end, function() return tostring(setmetatable({}, {__tostring = function() coroutine.yield() end})) end}) do local co = coroutine.create(f) show(coroutine.resume(co)) show(coroutine.status(co)) show(coroutine.resume(co, "back")) end
local many = setmetatable({}, {__add = function() return 1, 2, 3 end, __index = function() return 1, 2, 3 end, __call = function() return 1, 2, 3 end, __unm = function() end, __concat = function() return 1, 2 end, __lt = function() return 1, 2 end, __le = function() end}) show(many + 1) show(many.x) show(many()) show(-many) show(many .. 1) show(many < many, many <= many) show({many()}, #{many(), many()}, (many())) local v1, v2 = many.x, many + 1 show(v1, v2) local w1, w2, w3 = many.x show(w1, w2, w3)
local deep = setmetatable({}, {__index = function(t, k) if k == 0 then return "bottom" end return t[k - 1] end}) show(deep[50], deep[150]) try(function() return deep[190] end) try(function() return deep[250] end) local plus = setmetatable({}, {}) getmetatable(plus).__add = function(x, k) if k == 0 then return "sum" end return plus + (k - 1) end show(plus + 100) try(function() return plus + 300 end) local caller = setmetatable({}, {__call = function(self, k) if k == 0 then return 0 end return 1 + self(k - 1) end}) show(caller(1000))
-- Inheritance of methods, and of metamethods not.
local Animal = {} Animal.__index = Animal function Animal.new(n) return setmetatable({n = n}, Animal) end function Animal:speak() return self.n .. " " .. self:sound() end function Animal:sound() return "?" end Animal.__tostring = function(x) return "Animal " .. x.n end
local Dog = setmetatable({}, {__index = Animal, __call = function(class, n) local o = Animal.new(n) return setmetatable(o, class) end}) Dog.__index = Dog function Dog:sound() return "woof" end local rex, cow = Dog("rex"), Animal.new("cow") show(rex:speak(), cow:speak(), tostring(cow), (tostring(rex):gsub("0x%x+", "0x")), rex.none, Dog.new == Animal.new, getmetatable(rex) == Dog) try(function() return rex:fly() end) try(function() return rex.a.b end) try(function() return rex + 1 end)
