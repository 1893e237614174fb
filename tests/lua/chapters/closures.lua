-- Closures: which variables they share, when a variable is closed, how many there may be, recursion, varargs.
local function show(...)
  local texts = {}
  for i = 1, select("#", ...) do texts[i] = tostring((select(i, ...))) end
  out(select("#", ...), table.concat(texts, " "))
end
local function try(f, ...) show(pcall(f, ...)) end

-- Several closures over one variable; over several; over the same one at several depths.
local function cell(v) return function() return v end, function(n) v = n return v end, function(d) v = v + d return v end end
local get, set, add = cell(1) show(get(), set(5), get(), add(3), get()) local get2, set2 = cell(10) show(get2(), set(7), get2(), set2(8), get(), get2())
local function many(a, b, c, d, e) local function all() return a, b, c, d, e end local function rotate() a, b, c, d, e = b, c, d, e, a end local function bump() a = a + 1 e = e - 1 end return all, rotate, bump end
local all, rotate, bump = many(1, 2, 3, 4, 5) show(all()) rotate() show(all()) bump() show(all()) rotate() bump() rotate() show(all())
local function levels() local x = 1 return function() x = x + 1 return function() x = x * 2 return function() x = x - 3 local y = x return function() y = y + x x = x + 1 return x, y end end end end end
local l1 = levels() local l2 = l1() local l3 = l2() local l4 = l3() show(l4()) show(l4()) l1() l2() show(l4()) local l5 = l3() show(l5()) show(l4())
do local a = 1 do local a = a + 1 do local a = a + 1 get = function() return a end end set = function() return a end end show(get(), set(), a) end
do local x = 1 local f = function() return x end local x = 2 local g = function() return x end x = 3 show(f(), g(), x) end
do local function f() return f end local g = f f = 5 show(g()) local h = function() return h end show(pcall(h)) end
do local f = 1 local f = function() return f end show(f()) local function f() return type(f) end show(f()) end
do local x, y = 1, 2 local function swap() x, y = y, x end swap() show(x, y) local function both() local x = x y = x + y return x, y end show(both()) show(x, y) end

-- A parameter, a loop variable, a variable of an ended block, self and arg are variables like others.
local function parameter(a, b) local function f() a = a + 1 return a, b end b = b .. "!" return f end local p = parameter(1, "b") show(p()) show(p())
local object = {n = 1} function object:counter() return function(d) self.n = self.n + d self = d == 0 and {n = 100} or self return self.n end end local oc = object:counter() show(oc(1), oc(2), oc(0), oc(5), object.n)
local function rest(...) return function() return arg.n, arg[1], arg[2] end end show(rest()()) show(rest(1, nil)()) show(rest("x", "y", "z")())
local function rest2(first, ...) arg[1] = "changed" local a = arg return function() return first, arg == a, arg.n, arg[1], #arg end end show(rest2(1, 2, 3)())
local function rest3(...) local t = {...} return function() return #t, select("#", unpack(t)) end end show(rest3(1, 2, 3)())
try(function(...) return arg end, 1) try(function(...) local x = ... return arg end, 1) try(function(...) return type(arg), ... end, 1) try(function(arg, ...) return arg, ... end, 1, 2) try(function(...) local arg = 5 return arg end, 1) try(function(...) do return (function() return type(arg) end)() end end)

-- Loops make their variables anew each turn, however a turn ends.
local fs = {}
local function call(...) local texts = {} for i = 1, #fs do local r = {fs[i](...)} for j = 1, #r do r[j] = tostring(r[j]) end texts[i] = table.concat(r, ",") end out(table.concat(texts, " ")) end
for i = 1, 5 do fs[i] = function(d) i = i + (d or 0) return i end end call() call(10) call()
fs = {} for i = 1, 5 do local j = i * i fs[i] = function(d) j = j + d i = i - d return i, j end end call(1) call(1)
fs = {} for k, v in pairs({10, 20, 30}) do fs[#fs + 1] = function() v = v + k return k, v end end call() call()
fs = {} for i, v in ipairs({"a", "b", "c"}) do if i == 2 then fs[#fs + 1] = function() v = v .. i return v end else fs[#fs + 1] = function() return v end end end call() call()
fs = {} do local i = 0 while i < 4 do local j = i fs[#fs + 1] = function() j = j + 1 i = i + 1 return i, j end i = i + 1 end end call() call()
fs = {} do local i = 0 repeat local j = i fs[#fs + 1] = function() j = j + 1 return j end i = i + 1 until (function() j = j + 100 return j end)() >= 103 end call() call()
fs = {} for i = 1, 10 do local x = i if i % 2 == 0 then local y = x * 2 fs[#fs + 1] = function() y = y + 1 return x, y end if i == 6 then break end end end call() call()
fs = {} while true do local x = #fs fs[#fs + 1] = function() x = x + 1 return x end if x == 3 then break end end call() call()
fs = {} repeat local x = #fs fs[#fs + 1] = function() x = x + 1 return x end if x == 2 then break end until x > 5 call() call()
fs = {} for i = 1, 3 do for j = 1, 3 do local k = i * 10 + j fs[#fs + 1] = function() k = k + i + j j = j + 1 return k end if j == i then break end end end call() call()
fs = {} for i = 3, 1, -1 do local first = not fs[1] fs[#fs + 1] = function() local was = first first = i return was end end call() call()
fs = {} local shared = 0 for i = 1, 3 do fs[#fs + 1] = function() shared = shared + i return shared end end call() call() show(shared)
fs = {} for i = 1, 3 do local a, b, c = i, i + 1 fs[#fs + 1] = function() a, b, c = b, c, a return a, b, c end end call() call()
fs = {} for i = 1, 4 do local x if i > 1 then x = fs[i - 1]() end x = (x or 0) + i fs[i] = function() x = x + 1 return x end end call() call()
for i = 1, 3 do local x show(x) x = i end do local i = 1 while i <= 3 do local x show(x) x = i local f = function() return x end i = i + 1 end end

-- Closed by return, by tail call, by an error, in a coroutine, by the coroutine's end.
local function early(n) for i = 1, 10 do local x = i * n if x > 20 then return function() x = x + 1 return x, i end end end end local e1, e2 = early(7), early(11) show(e1()) show(e2()) show(e1())
local function tail(n, fs) local x = n fs[#fs + 1] = function() x = x + 1 return x end if n == 0 then return fs end return tail(n - 1, fs) end fs = tail(5, {}) call() call()
fs = {} for i = 1, 4 do pcall(function() local x = i fs[i] = function() x = x + 1 return x end if i % 2 == 0 then error("x") end x = x * 10 end) end call() call()
do local keep pcall(function() local a, b, c = 1, 2, 3 keep = function() a, b, c = c, a, b return a, b, c end local d = nil + 1 end) local x, y, z = "these", "overwrite", "registers" show(keep()) show(keep()) end
do local keep xpcall(function() local a = 1 keep = function() a = a + 1 return a end error("x") end, function() keep() keep() return keep() end) show(keep()) end
do local keep = {} for depth = 1, 5 do pcall(function() local function down(n) local x = n keep[n] = function() x = x + 1 return x end if n == depth then error("bottom") end down(n + 1) x = -1 end down(1) end) end fs = keep call() call() end
do local co = coroutine.wrap(function() local x = 1 while true do coroutine.yield(function() x = x + 1 return x end) x = x * 10 end end) local f = co() show(f(), f()) local g = co() show(f(), g(), f()) co() show(g()) end
do local outer = 1 local co = coroutine.create(function() local inner = 1 local function f() outer, inner = outer + 1, inner + 1 return outer, inner end coroutine.yield(f) inner = inner * 100 outer = outer * 100 coroutine.yield() error("ends") end) local _, f = coroutine.resume(co) show(f()) coroutine.resume(co) show(f()) show(coroutine.resume(co)) show(f()) show(outer) end
do local getters = {} local function gen() local n = 0 getters[#getters + 1] = function() return n end return coroutine.wrap(function() for i = 1, 3 do n = n + i coroutine.yield(n) end end) end local c1, c2 = gen(), gen() show(c1(), c2(), c1(), getters[1](), getters[2](), c1(), getters[1](), c2()) end
do local f = coroutine.wrap(function(...) local a, b = ... local function sum() return a + b end a = coroutine.yield(sum) coroutine.yield(sum) end) local s = f(1, 2) show(s()) local s2 = f(10) show(s(), s2(), s == s2) end
do local live = {} for i = 1, 3 do live[i] = coroutine.wrap(function() local v = i local function inc() v = v + 1 return v end while true do coroutine.yield(inc) inc() end end) end for round = 1, 3 do for i = 1, 3 do show(round, i, live[i]()()) end end end

-- Variables of one function in any order, opened in the middle and at the end, are found again.
do local a, b, c, d, e, f, g, h = 1, 2, 3, 4, 5, 6, 7, 8 local x = {function() return e end, function() return a end, function() return h end, function() return c, e end, function() e = e + 1 a = a - 1 end, function() return a, b, c, d, e, f, g, h end} x[5]() x[5]() show(x[1](), x[2](), x[3](), x[4]()) show(x[6]()) a, h = "a", "h" show(x[6]()) do local i, j = 9, 10 x[7] = function() j = i + j return j end end show(x[7](), x[7]()) show(x[6]()) end
do local gs = {} for i = 1, 20 do local vs = {} local a, b, c = i, i, i if i % 2 == 0 then vs[1] = function() a = a + 1 return a end end if i % 3 == 0 then vs[2] = function() b = b + 1 return b end end if i % 5 == 0 then vs[3] = function() c = c + a return c end end gs[i] = vs end for i = 1, 20 do local texts = {} for j = 1, 3 do texts[j] = gs[i][j] and tostring(gs[i][j]()) .. tostring(gs[i][j]()) or "-" end out(i, unpack(texts)) end end

-- 60 of them, used and set; 61 are too many; what counts is each variable once.
local function source(count, use) local names, lines = {}, {} for i = 1, count do names[i] = "v" .. i lines[i] = "local v" .. i .. " = " .. i end return table.concat(lines, "\n") .. "\n" .. use(names) end
local function sums(names) return "local function f() return " .. table.concat(names, " + ") .. " end v1 = 1000 return f(), f" end
for _, count in ipairs({1, 2, 59, 60, 61, 100, 199}) do local f, why = loadstring(source(count, sums), "=u") show(f and (f()), why) end
show(loadstring(source(60, function(names) return "return function() " .. table.concat(names, ",") .. " = " .. table.concat(names, " + 1,", 2) .. " + 1, 0 return " .. table.concat(names, " * 2 + ") .. " end" end), "=u")()())
show(loadstring(source(60, function(names) return "return (function() return (function() return (function() return " .. table.concat(names, "+") .. "+" .. table.concat(names, "+") .. " end)() end)() end)()" end), "=u")())
show(loadstring(source(61, function(names) return "\n\nlocal g = function()\n return function()\n return " .. table.concat(names, "+\n") .. " end end" end), "=u")) show(loadstring(source(61, function(names) return "function string:f() return function() return function() return " .. table.concat(names, "+") .. " end end end" end), "=u"))
show(type(loadstring(source(120, function(names) return "return (function() local a = " .. table.concat(names, "+", 1, 60) .. " end)(), (function() local a = " .. table.concat(names, "+", 61) .. " end)()" end), "=u"))) show(loadstring(source(61, function(names) return "return function() local function a() return " .. table.concat(names, "+", 1, 30) .. " end local function b() return " .. table.concat(names, "+", 31) .. " end end" end), "=u"))

-- Recursion: of a local function, of two, through a table, through itself as an argument, of many closures.
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end show(fib(15)) local even, odd function even(n) if n == 0 then return true end return odd(n - 1) end function odd(n) if n == 0 then return false end return even(n - 1) end show(even(1000), odd(1001), even(7))
local Y = function(f) return (function(x) return x(x) end)(function(x) return f(function(...) return x(x)(...) end) end) end show(Y(function(self) return function(n) if n == 0 then return 1 end return n * self(n - 1) end end)(10))
local function compose(...) local list = {...} return function(...) local function go(i, ...) if i == 0 then return ... end return go(i - 1, list[i](...)) end return go(#list, ...) end end show(compose(function(x) return x + 1 end, function(x, y) return x * y end, function(x) return x, x end)(7))
local function curry(f, n) n = n or 2 local function step(got, left) return function(x) local now = {unpack(got)} now[#now + 1] = x if left == 1 then return f(unpack(now)) end return step(now, left - 1) end end return step({}, n) end local c3 = curry(function(a, b, c) return a .. b .. c end, 3) local c1 = c3("x") show(c1("y")("z"), c1("p")("q"), c3(1)(2)(3))
local function hanoi(n, a, b, c, moves) if n > 0 then hanoi(n - 1, a, c, b, moves) moves[#moves + 1] = a .. c hanoi(n - 1, b, a, c, moves) end return moves end show(table.concat(hanoi(4, "A", "B", "C", {}), " ")) local memo = setmetatable({}, {__index = function(t, n) local v = n < 2 and n or t[n - 1] + t[n - 2] rawset(t, n, v) return v end}) show(memo[60])
local list for i = 1, 100 do local tail, head = list, i list = function(what) if what == "head" then return head end return tail end end local total, node = 0, list while node do total = total + node("head") node = node("tail") end show(total)
local function accumulate(f) local seen = {} return function(...) seen[#seen + 1] = select("#", ...) f(...) return table.concat(seen, ",") end end local acc = accumulate(function() end) acc() acc(1, nil) show(acc(nil, nil, nil)) do local f = function(a, b) return a, b end show(f(1)) show(f(1, 2, 3)) show((f(1, 2))) show(f(f(1, 2))) show(f((f(1, 2)))) end
-- New each time: identity, and as keys.
local function make() return function() end end show(make() == make(), make == make) local keyed = {} for i = 1, 3 do keyed[function() return i end] = i end local n = 0 for k, v in pairs(keyed) do n = n + (k() == v and 1 or 0) end show(n)
-- Varargs through closures, in tables, in the middle and at the end.
local function va(...) local a, b = ..., "b" local t = {..., ...} local f = function(...) return select("#", ...), ... end return a, b, #t, f(...) end show(va()) show(va(1)) show(va(1, 2, 3)) show((va(nil, nil))) show(pcall(loadstring, "return function() return ... end")) show(loadstring("return function() return ... end")) show(loadstring("local function f(...) return function() return ... end end", "=v"))
