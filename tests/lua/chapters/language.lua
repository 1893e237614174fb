-- The language: scoping, closures, varargs, metamethods, errors, protected calls.
local function counter() local n = 0 return function() n = n + 1 return n end end
local a, b = counter(), counter() out(a(), a(), b(), a())
local fs = {} for i = 1, 3 do fs[i] = function() i = i + 1 return i end end out(fs[1](), fs[1](), fs[2]())
local k = {} do local x = 1 while x <= 3 do local y = x k[x] = function() y = y + 10 return y end x = x + 1 end end out(k[1](), k[2](), k[1]())
local function va(...) local a, b = ... return select("#", ...), a, b, ... end out(va()) out(va(nil, nil)) out((va(1, 2))) out(#{va(1, 2)})
local function old(...) return arg.n, arg[1] end out(old(7, 8)) out((function(...) return type(arg) end)(1))
local mt = {} for _, e in ipairs({"add", "sub", "mul", "div", "mod", "pow", "concat"}) do mt["__" .. e] = function(x, y) return e .. (type(x) == "table" and "L" or "R") end end
mt.__unm = function() return "unm" end mt.__call = function(self, ...) return "called", ... end mt.__index = function(_, key) return "index " .. tostring(key) end mt.__tostring = function() return "TS" end mt.__len = function() return 42 end
local o = setmetatable({}, mt) out(o + 1, 1 + o, o - o, o * 2, o / 2, o % 2, o ^ 2, o .. "x", "x" .. o, 1 .. o, -o, o(1, 2), o.foo, o[1], tostring(o), #o)
local c = {__eq = function() return true end, __lt = function() return true end, __le = function() return false end} local p, q = setmetatable({}, c), setmetatable({}, c) out(p == q, p ~= q, p < q, p <= q, p > q, p >= q, not (p == q))
local lt = {__lt = function(x, y) return x.v < y.v end} local l1, l2 = setmetatable({v = 1}, lt), setmetatable({v = 2}, lt) out(l1 <= l2, l2 <= l1, l1 >= l2)
local log = {} local n = setmetatable({}, {__newindex = function(t, key, v) log[#log + 1] = key rawset(t, key, v) end}) n.a = 1 n.a = 2 n.b = 3 out(table.concat(log, ","), n.a, n.b)
local base = {greet = function(self) return "hi " .. self.name end} base.__index = base local obj = setmetatable({name = "ann"}, base) out(obj:greet(), pcall(function() return obj:none() end))
local prox = setmetatable({}, {__index = {x = 5}, __newindex = base}) prox.y = 9 out(prox.x, rawget(prox, "y"), base.y)
out(getmetatable("").__index == string, getmetatable(o) == mt, getmetatable(setmetatable({}, {__metatable = "locked"})), pcall(setmetatable, setmetatable({}, {__metatable = 1}), {}))
local chain = "" for i = 1, 5 do if i == 2 then chain = chain .. "two" elseif i == 4 then break else chain = chain .. i end end out(chain)
local i = 0 repeat local done = i >= 3 i = i + 1 until done out(i)
out(pcall(error, "msg"), pcall(error, "msg", 0), pcall(error, {1}), pcall(error), pcall(function() error("here") end), pcall(function() error("here", 0) end), pcall(function() error() end))
local function lvl() error("level", 2) end out(pcall(function() lvl() end))
out(xpcall(function() error("x") end, function(m) return "H " .. m end), xpcall(function() return 1, 2 end, print))
out(pcall(pcall), pcall(pcall, error, "e"), select("#", pcall(function() return nil, nil end)), pcall(function() local x = nil x() end), pcall(function() local x = {} x.y.z = 1 end))
local up = nil out(pcall(function() up.x = 1 end), pcall(function() return up .. "x" end), pcall(function() return up + 1 end), pcall(function() undefinedname() end), pcall(function() return undefinedname.x end))
out(pcall(function() return ("x").y.z end), pcall(function() return #5 end), pcall(function() return -{} end), pcall(function() return {} .. {} end), pcall(function() for i = 1, {} do end end), pcall(function() local t = {} t[nil] = 1 end))
out(loadstring("return 1 + 1")(), loadstring("x ="), loadstring("return ...", "=named")(5), pcall(loadstring("error('in chunk')", "@file.lua")), loadstring("local a = ", "=(load)"))
out(type(nil), type(1), type("x"), type({}), type(print), tostring(nil), tostring(true), assert(1, 2), pcall(assert, false), pcall(assert, nil, "why"), pcall(assert))
local function tail(n) if n == 0 then return "end" end return tail(n - 1) end out(tail(10000))
local d = 0 local function deep() d = d + 1 return deep() + 1 end out(pcall(deep))
local r, env = {}, {} for key, v in next, {1, 2, 3} do r[#r + 1] = key + v end out(unpack(r))
local x, y, z = (function() return 1, 2, 3 end)() out(x, y, z) local g = {(function() return 1, 2 end)(), (function() return 1, 2 end)()} out(#g)
local s = 0 for key, v in pairs({10, 20, 30, n = 40}) do s = s + v end out(s) out(#"\n\t\\\"\065\10", "\z" == "z", [[
first newline dropped]], [==[a]]b]==])
local goto_ = 1 out(goto_) do local _G = 5 end out(2 ^ 3 ^ 2, -2 ^ 2, not nil == true, 1 .. 2 == "12", "a" .. "b" .. "c" == "abc", 1 + 2 < 4 and "yes" or "no")

-- Operators bind as they should: every pair of them.
do
  local operators = {"+", "-", "*", "/", "%", "^", "..", "==", "~=", "<", ">", "<=", ">=", "and", "or"}
  for _, first in ipairs(operators) do
    local row = {}
    for _, second in ipairs(operators) do
      for _, form in ipairs({"return 7 %s 2 %s 3", "return -7 %s -2 %s 3", "return not 7 %s 2 %s not 3", "return #'abc' %s 2 %s -3 ^ 2"}) do
        local f = assert(loadstring(form:format(first, second), "=e"))
        local ok, value = pcall(f) row[#row + 1] = tostring(value):sub(1, 30)
      end
    end
    out(first, table.concat(row, "|"))
  end
  local values = {{"nil", nil}, {"false", false}, {"0", 0}, {"''", ""}, {"true", true}}
  for _, a in ipairs(values) do for _, b in ipairs(values) do
    local x, y = a[2], b[2]
    out(a[1], b[1], x and y, x or y, not x and y, x and not y, not (x or y), x and y or "else", (x or y) and "then", x == y, x ~= y, x and y and x or y, (x == nil) == not x)
  end end
  local calls = {} local function note(name, value) calls[#calls + 1] = name return value end
  local kept = (note("a", false) and note("b", 1)) or (note("c", nil) or note("d", 4)) and note("e", 5) or note("f", 6) out(kept, table.concat(calls))
  calls = {} local t = {} t[note("k", 1)], t[note("l", 2)] = note("v", 3), note("w", 4) out(table.concat(calls), t[1], t[2])
  calls = {} local made = {note("1", 1), [note("2", "x")] = note("3", 3), note("4", 4)} out(table.concat(calls), #made, made.x, note("p", 1) + note("q", 2) * note("r", 3) .. note("s", "s"), note("t", 1) > note("u", 2), table.concat(calls))
  local i, list = 1, {} i, list[i] = i + 1, 20 out(i, list[1], list[2]) local a, b, c = 1 out(a, b, c) a, b = b, a out(a, b) a, b, c = 1, 2, 3, 4 out(a, b, c)
end

-- Many results are cut and filled up in every position.
do
  local function none() end local function one() return 1 end local function three() return 1, 2, 3 end local function holes() return nil, nil end
  for name, f in next, {none, one, three, holes} do
    local a, b, c, d = f() out(name, a, b, c, d) a, b, c, d = 0, f() out(a, b, c, d) a, b, c, d = f(), 0 out(a, b, c, d) a, b = (f()) out(a, b)
    out(select("#", f()), select("#", (f())), select("#", f(), f()), select("#", f(), 0), select("#", {f()}), #{f(), f()}, #{f(), 5}, select("#", unpack({f()})), (select("#", f())))
    out(pcall(f)) out((pcall(f))) local function pass(...) return ... end out(pass(f())) out((pass(f()))) out(pass(f(), f())) out(pass(0, f()) == 0, f() == nil, (f()) and 1 or 2)
    local function first(...) local x = ... return x end local function rest(_, ...) return ... end out(first(f())) out(rest(f())) out(select("#", rest(f()))) out(({f()})[1] == nil and 1 or 2)
  end
end
do
  local function va(...) return select("#", ...), ... end
  for i = -4, 5 do out(i, pcall(select, i, "a", "b", "c")) end out(pcall(select)) out(pcall(select, "x")) out(pcall(select, "#")) out(pcall(select, "2", 1, 2)) out(pcall(select, 1.9, 1, 2)) out(pcall(select, {}))
  out(va()) out(va(nil)) out(va(nil, nil, nil)) out(va(va(va(1)))) out((va(1, 2, 3))) out(va((va(5)))) out(va(unpack({1, nil, 3}, 1, 4)))
  local function last(...) return (select(select("#", ...), ...)) end out(last(1, 2, 3), last("only")) local function count(n, ...) if select("#", ...) == 0 then return n end return count(n + 1, select(2, ...)) end out(count(0, 1, nil, 3, nil))
end

-- Texts as they are written.
do
  local sources = {[['\97\098\0990']], [["\10\13\9"]], [["\a\b\f\n\r\t\v\\\"\'"]], [["\x41"]], [["\q\w\e"]], [["\256"]], [["\300"]], [["\1a"]], [["a\
b"]], [["a
b"]], [["open]], [['it"s']], "[[a\n]]", "[[\na]]", "[[\n\na]]", "[[\r\na\r\nb\n\rc\rd]]", "[=[a]]b]=]", "[==[a]=]b]==]", "[=[open]]", "[=a", "[==", "[=[a[[b]]]=]", "'\0a'", "'\\0a'", "'\255'",
    "3", "3.", ".3", "3.e2", "0x", "0xF", "0xfg", "3x", "3..2", "3 ..2", "3e", "3e+", "0x1p1", "1e1e1", "1.1.1", "08", "1__2", "- 3", "- -3", "--3", "not not 1", "#'a\\0b'", "#{1, 2} + 1", "('x').len", "('x'):len()", "'x':len()", "{}[1]", "({1})[1]",
    "1 --[[ comment ]] + 2", "1 --[==[ ]] ]==] + 2", "1 -- + 2\n + 3", "1 --[ + 2\n + 4", "1 --[[ open", "1 --[=[ ]]\n", "1 ; ", "1 ;;", "1 2", "(1", "1)", "function() end", "function(a, a) return a end and (function(a, a) return a end)(1, 2)", "(function(...) return ... end)(1, 2)", "function(..., a) end",
    "...", "nil", "and", "a.b.c", "a:b", "a.1", "@", "$", "!", "~", "~=", "=", "a = 1", "1 < 2 < 3", "1 == 1 == true", "'a' .. 'b' .. 1 .. 2", "1 .. ''", "1..''", "2^-3^2", "-2^2", "not 1 == 2", "{1, 2; 3, [4] = 5, x = 6,}", "{,}", "{;}", "{1,,}", "{[1] 2}", "{x.y = 1}"}
  for _, source in ipairs(sources) do
    local f, why = loadstring("return " .. source, "=s")
    local ok, value, more
    if f then ok, value, more = pcall(f, "v") end
    if type(value) == "string" then value = ("%q"):format(value) elseif type(value) == "table" or type(value) == "function" then value = type(value) end
    out((("%q"):format(source):gsub("[^\32-\126]", "?")), why and (why:gsub("[^\32-\126]", "?")), ok, value, more)
  end
  for _, source in ipairs({"", ";", "local", "local x", "local x,", "local 1", "local function", "local function f", "local function f.x() end", "function f.x:y.z() end", "if", "if 1", "if 1 then", "if 1 then else", "if 1 then else elseif 2 then end", "while", "while 1 do", "repeat", "repeat until", "repeat local x = 1 until x", "for", "for x", "for x =", "for x = 1 do end",
    "for x = 1, 2, 3, 4 do end", "for x, y = 1, 2 do end", "for x in", "for x in 1 do", "for x.y in z do end", "break", "do break end", "while 1 do break end", "while 1 do break; end", "while 1 do break local x end", "while 1 do return 1; end", "return return", "return 1 local x", "do return end local x = 1", "end", "until 1", "else", "f", "f.x", "(f)", "f()", "f{}", "f''", "f'' ''", "f\n()", "local f f\n(1)", "x, y", "x, y =", "x() = 1", "(x) = 1", "x.y, z[1] = 1", "x = = 1", "goto a", "::a::", "x = 1 y = 2", "x += 1", "function() end", "do", "do end end", "# comment", "local x = function() end()", "for i = 1, 2 do local function g() break end end", "not x", "local x <const> = 1", "x = 5 // 2", "x = 5 & 2"}) do
    local f, why = loadstring(source, "=s") out((("%q"):format(source):gsub("\\\n", "|")), type(f), why)
  end
end

-- Flow.
do
  local path = {} for i = 1, 4 do for j = 1, 4 do if j == i then break end local k = 0 while true do k = k + 1 if k > j then break end repeat path[#path + 1] = i .. j .. k if k == 2 then break end until true end end end out(table.concat(path, " "))
  local f = function(n) for i = 1, n do if i == 3 then return "returned", i end end return "ended" end out(f(2)) out(f(5))
  local n = 0 repeat local stop = n > 2 n = n + 1 if n == 10 then break end until stop out(n) while n > 0 do n = n - 1 if n == 2 then break end end out(n)
  local even, odd function even(k) if k == 0 then return true end return odd(k - 1) end function odd(k) if k == 0 then return false end return even(k - 1) end out(even(3000), odd(3001), even(7))
  local function iterate(state, at) if at < state then return at + 1, at * at end end for a, b, c in iterate, 4, 0 do out(a, b, c) end for a in iterate, 2, 0 do local a = a * 10 out(a) end
  for _, bad in ipairs({5, "x", true}) do out(pcall(function() for k in bad do end end)) end out(pcall(function() for k in nil do end end)) out(pcall(function() for k in pairs(nil) do end end))
  local o = {n = 1, sub = {}} function o:add(k) self.n = self.n + (k or 1) return self end function o.sub.get(...) return select("#", ...), ... end function o.sub:me(...) return self == o.sub, ... end
  out(o:add():add(5):add(-2).n, o.sub.get(1, nil), o.sub:me(1, 2)) out(o.sub:me "text") out(type(o.sub:me {})) out(o.sub.get [[x]]) out((o.sub.get "y"))
end
