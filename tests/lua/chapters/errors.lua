-- Errors: what each operation says about each kind of variable and value, levels, values, protection, and chunks that do
-- not compile.
local function try(f, ...)
  local function show(ok, ...)
    local texts = {}
    for i = 1, select("#", ...) do texts[i] = tostring((select(i, ...))) end
    out(ok, select("#", ...), table.concat(texts, " / "))
  end
  show(pcall(f, ...))
end
local function run(source)
  local f, why = loadstring(source, "=c")
  if not f then out("no", why) return end
  try(f, 1, 2)
end

-- Every operation on every kind of variable that holds every kind of value.
local values = {"nil", "true", "5", "'s'", "{}", "function() end"}
local kinds = {
  {"local x = VALUE", "x"}, {"local x = VALUE", "(x)"}, {"local t = {x = VALUE}", "t.x"}, {"local t = {VALUE}", "t[1]"},
  {"local k, t = 'x', {x = VALUE}", "t[k]"}, {"local t = {u = {x = VALUE}}", "t.u.x"}, {"local t = {['a b'] = VALUE}", "t['a b']"},
  {"local t = {[1.5] = VALUE}", "t[1.5]"}, {"local t = {[true] = VALUE}", "t[true]"},
  {"local function f() return VALUE end", "f()"}, {"", "(VALUE)"}, {"local x = {VALUE}", "(unpack(x))"},
  {"local x, y = VALUE", "(x or x)"}, {"local x = VALUE", "(x and x)"},
}
local operations = {
  "local _ = IT()", "IT()", "return IT()", "return IT(), 1", "IT(1, ...)", "local _ = IT.f", "local _ = IT[1]", "local _ = IT.f.g", "IT.f = 1",
  "IT[1] = 1", "IT[nil] = 1", "IT[0/0] = 1", "IT:m()", "return IT:m(1)", "IT'text'", "IT{}",
  "local _ = IT + 1", "local _ = 1 + IT", "local _ = IT - IT", "local _ = IT * {}", "local _ = {} / IT", "local _ = IT % 2", "local _ = 2 ^ IT", "local _ = -IT",
  "local _ = #IT", "local _ = IT .. 'a'", "local _ = 'a' .. IT", "local _ = 1 .. IT .. 2", "local _ = IT .. {}", "local _ = {} .. IT", "local _ = IT .. IT",
  "local _ = IT < 1", "local _ = 1 < IT", "local _ = IT <= 'a'", "local _ = 'a' >= IT", "local _ = IT > IT", "local _ = IT >= {}", "local _ = nil < IT",
  "for i = IT, 1 do break end", "for i = 1, IT do break end", "for i = 1, 1, IT do break end", "for k in IT do break end", "for k in next, IT do break end",
}
local function replaced(text, what, by) return (text:gsub(what, (by:gsub("%%", "%%%%")))) end
for _, kind in ipairs(kinds) do
  for _, value in ipairs(values) do
    for _, operation in ipairs(operations) do
      local set, use = replaced(kind[1], "VALUE", value), replaced(operation, "IT", (replaced(kind[2], "VALUE", value)))
      run(set .. " " .. use)
      -- The same from a function inside: the local is an upvalue.
      if kind[1]:find("^local x = ") or kind[1]:find("^local t = ") then
        run(set .. "\nreturn (function(...)\n" .. use .. "\nend)(...)")
      end
    end
  end
end

-- Globals, as far as they are there.
for _, name in ipairs({"tostring", "string", "math.pi", "string.format", "_VERSION"}) do
  for _, operation in ipairs(operations) do
    if not operation:find(" = 1$") then run(replaced(operation, "IT", name)) end
  end
end
run("local _ = nowhere") run("local _ = nowhere.x") run("nowhere()") run("local _ = nowhere + 1") run("local _ = 'a' .. nowhere") run("nowhere:m()")

-- Which of several operands is to blame.
run("local a, b, c = 'x', nil, {} return a .. b .. c") run("local a, b, c = 'x', 'y', {} return a .. b .. c") run("local a, b, c = nil, 'y', {} return a .. b .. c")
run("local a, b = {}, nil return a + b") run("local a, b = nil, {} return a + b") run("local a, b = 1, {} return a + b") run("local a, b = '1', 'x' return a + b")
run("local a, b = {}, {} return a.x + b.y") run("local a, b = {x = 1}, {} return a.x + b.y") run("local a = {} return a.b.c.d") run("local a = {b = {}} return a.b.c.d")
run("local a = {b = {c = {}}} return a.b.c.d()") run("local a = {b = {c = {}}} a.b.c.d.e = 1") run("local a = {} a.b.c = a.d.e") run("local a = {} a[a.x.y] = 1")
run("local a, b = 1 return a < b") run("local a, b = {}, {} return a < b") run("local a, b = {}, 1 return a <= b") run("local a, b = 'x', 1 return a > b") run("return print < print")
run("return nil < true") run("return true < true") run("return coroutine.create(function() end) < 1") run("return 1 < 'x'") run("return {} >= 'x'") run("local f = function() end return f < f")
run("local s = 's' return s.x.y") run("local s = 's' return s:nothing()") run("return ('s'):nothing()") run("local s = 's' s.x = 1") run("return (5):m()") run("local t = {} t:m():n()")
run("local t = {m = function() end} t:m():n()") run("local t = {m = function() return {} end} t:m():n()") run("local t = {m = function() return {} end} t.m().n()") run("local t = {} t.m.n()")
run("local t = {} t['x']()") run("local t, k = {}, 'x' t[k]()") run("local t = {} t[1]()") run("local t = {} t[t]()") run("local t = {} (t.x or t.y)()") run("local t = {} t.x = t.y() + 1")
run("local t = setmetatable({}, {__index = function(t, k) return k end}) t.x()") run("local t = setmetatable({}, {__index = function(t, k) return k end}) t:x()") run("local t = setmetatable({}, {__index = 5}) return t.x")
run("local t = setmetatable({}, {__newindex = 5}) t.x = 1") run("local t = setmetatable({}, {__index = 's'}) return t.len, t.x") run("local t = setmetatable({}, {__call = 5}) t()") run("local t = setmetatable({}, {__call = {}}) return t(1)")
run("local t = setmetatable({}, {__add = 5}) return t + 1") run("local t = setmetatable({}, {__concat = {}}) return t .. 1") run("local t = setmetatable({}, {__lt = 5}) return t < t") run("local t = setmetatable({}, {__unm = true}) return -t")

-- Lines: of the operator, of the call's last line, of the loop.
run("\n\nlocal x\n=\nnil\n+\n1") run("local x = {}\nx\n.y\n.z\n=\n1") run("local t = {}\nt.f(\n1,\n2\n)") run("local t\nreturn t\n..\n'x'") run("local f = function()\n\nerror('x')\nend\n\nf()") run("for i = 1,\n2,\n{} do\nend")
run("local x = 1\nlocal t = {\n1,\n2,\nx.y.z,\n3}") run("local t = {}\nlocal a = t.x\nand 1\nor t.y\n.z") run("return\nerror\n(\n'e')") run("if nil\n+ 1\nthen end") run("while\nnil\n..''\ndo end") run("repeat\nlocal x\nuntil\nx\n.y")
run("local a\na\n()") run("local function f()\nreturn nil\nend\nlocal x = f(\n)\n()") run("local t = {}\nt\n:m(\n)") run("error('a\\nb')") run("local s = [[\n\n]] error('after')") run("--[[\n\n]] error('after')")

-- error: levels and values.
for level = -1, 8 do try(function() error("level", level) end) try(function() local function f() error("level", level) end f() end) try(function() local function f() error("level", level) end return f() end) end
try(error) try(error, nil) try(error, nil, 2) try(error, true) try(error, false, 2) try(error, 5) try(error, 5.5, 1) try(error, "s", 0) try(error, "s", "1") try(error, "s", "x") try(error, "s", {}) try(error, "s", nil) try(error, "s", 1.9) try(error, "s", 1e10) try(error, "s", 0/0)
try(function() error(5) end) try(function() error(5, 2) end) try(function() error("5", 1) end) try(function() error("") end) try(function() error(nil) end) try(function() error(true) end) try(function() error("a\0b") end) try(function() error("x", 1, 2, 3) end)
local thrown = setmetatable({}, {__tostring = function() return "thrown" end}) try(function() error(thrown) end) out(select(2, pcall(error, thrown)) == thrown) out(type(select(2, pcall(error, print)))) out(select("#", pcall(error)))
try(setmetatable({}, {__call = function(_, ...) error("called " .. select("#", ...)) end}), 1, 2) try(coroutine.wrap(function() error("wrapped") end)) try(coroutine.wrap(function() error("wrapped", 0) end)) try(coroutine.wrap(function() error(7) end)) try(coroutine.wrap(function() error() end))
try(loadstring("error('x')", "@file")) try(loadstring("error('x')", "=name")) try(loadstring("error('x')")) try(loadstring("error('x')\n")) try(loadstring("\nerror('x')")) try(loadstring("error('" .. ("x"):rep(80) .. "')")) try(loadstring("error('x')", "@" .. ("long/"):rep(30))) try(loadstring("error('x')", "=" .. ("name"):rep(30)))
try(loadstring("error('x')", "")) try(loadstring("error('x')", "=")) try(loadstring("error('x')", "@")) try(loadstring("error('x')", "a\nb")) try(loadstring("error('x')", "\n")) try(loadstring("error('x')", "=a\nb")) try(loadstring("error('x')", 5)) try(loadstring, "x", {}) try(loadstring) try(loadstring, {}) try(loadstring, 5)

-- pcall and xpcall within each other, assert, and what comes of wrong arguments.
try(pcall) try(pcall, nil) try(pcall, 5) try(pcall, {}) try(pcall, pcall) try(pcall, pcall, pcall) try(pcall, pcall, error) try(pcall, pcall, error, "e") try(pcall, error, "e", 0) try(xpcall) try(xpcall, error) try(xpcall, nil, nil) try(xpcall, error, error) try(xpcall, error, tostring) try(xpcall, function() error("a") end, function(m) return m, 2 end)
try(xpcall, function() error("a") end, function(m) error("b") end) try(xpcall, function() error("a") end, function(m) return m .. nil end) try(xpcall, function() error("a") end, {}) try(xpcall, function(...) return select("#", ...) end, print, 1, 2) try(pcall, xpcall, error, error) try(xpcall, pcall, error) try(pcall, select, 0) try(pcall, select, -1) try(pcall, select)
try(assert) try(assert, false) try(assert, nil) try(assert, nil, "why") try(assert, false, 5) try(assert, 1, 2, 3) try(assert, nil, nil) try(assert, "x") try(function() assert(false, "no position") end) try(function() assert(nil) end) try(assert, false, "a\0b") try(function() assert(pcall(error, "inner")) end)
try(function() local ok, e = pcall(function() local ok, e = pcall(function() error("one") end) error(e .. " two") end) error(e .. " three", 0) end) try(function() return pcall(function() return pcall(error, "x") end) end)
local depth = 0 local function nest(n) if n == 0 then error("bottom", 0) end local ok, e = pcall(nest, n - 1) error(e .. n, 0) end try(nest, 50)

-- Wrong arguments: which, of what, to which function, by which name.
try(string.rep) try(string.rep, "x") try(string.rep, "x", {}) try(function() local s = "x" return s:rep() end) try(function() return ("x"):rep({}) end) try(function() string.rep() end) try(function() local r = string.rep r() end) try(function() local t = {r = string.rep} t.r() end) try(function() local t = {r = string.rep} t:r() end) try(function() return string.rep() end) try(function() return (string.rep()) end) try(function() local x = {string.rep} x[1]() end)
try(setmetatable, 1) try(setmetatable, {}) try(setmetatable, {}, 1) try(getmetatable) try(rawget) try(rawget, {}) try(rawget, 1, 1) try(rawset, {}) try(rawset, {}, 1) try(rawset, {}, nil, 1) try(rawset, {}, 0/0, 1) try(rawequal, 1) try(next) try(next, {}, 1) try(next, {}, {}) try(next, 1) try(ipairs) try(ipairs, 1) try(pairs) try(pairs, "x") try(select) try(select, "x") try(select, {}) try(select, 0) try(select, -5, 1) try(tonumber) try(tonumber, "1", 99) try(tonumber, {}, 10) try(tonumber, "1", "x") try(tostring) try(type) try(unpack) try(unpack, 1) try(unpack, {}, "x") try(unpack, {}, 1, {}) try(math.abs) try(math.max) try(math.abs, "x") try(("x").rep, "x", 1e10 * 1e10 * 0) try(collectgarbage, "x") try(collectgarbage, {}) try(table.concat, {{}}) try(table.concat, {1, nil, 3}, "", 1, 3) try(table.concat, 1) try(table.insert, 1) try(table.insert, {}, 1, 2, 3) try(table.remove, 1) try(table.sort, {1, {}}) try(table.sort, {1, 2}, 1) try(coroutine.resume) try(coroutine.create) try(coroutine.wrap, 1) try(coroutine.status) try(coroutine.yield)
try(function() local o = {} function o:m() self.x.y = 1 end o:m() end) try(function() local o = {} function o.f(a) return a.b.c end o.f({}) end) try(function(...) local a = ... return a.b end) try(function(...) return (...).b end) try(function(...) return arg.x.y end, 1) try(function(a) a.b.c = 1 end, {}) try(function(a, b) return a[b].c end, {}, "k")
try(function() for i = 1, 3 do local i = i .. nil end end) try(function() for k, v in pairs({{}}) do return v.x.y end end) try(function() for k, v in pairs({{}}) do return k.x.y end end)

-- Sources that do not compile.
local malformed = {
  "x", "x =", "x = =", "= 1", "x = 1 2", "x, y", "x, y = ", "x y", "1", "'s'", "nil", "...", "f(", "f(1", "f(1,", "f(1,)", "f)", "f(1 2)", "f{", "f{1", "f{1 2}", "f{=}", "f'", "f\"abc", "f'abc\n'", "f[", "f[1", "f[]", "f[1].", "f.", "f.1", "f:", "f:m", "f:m =", "f:1()", "f.a:m.b()", "a.b:c = 1",
  "local", "local 1", "local x y", "local x,", "local x, 1", "local x =", "local x = 1,", "local x.y = 1", "local function", "local function f", "local function f.g() end", "local function f(", "local function f()", "local function 1() end", "function", "function f", "function f(", "function f()", "function f.()", "function f.1() end", "function f:g.h() end", "function f:g:h() end", "function f(a", "function f(a,", "function f(a b)", "function f(..., a) end", "function f(a, ...", "function f(1) end", "function f(a.b) end", "function () end", "(function() end)", "x = function", "x = function f() end", "x = function(", "x = function() return end end",
  "if", "if x", "if x then", "if x the", "if then end", "if x then else", "if x then elseif", "if x then else elseif y then end", "if x then else else end", "if x = 1 then end", "elseif", "else", "end", "then", "until", "while", "while x", "while x do", "while do end", "while x then end", "repeat", "repeat until", "repeat x = 1", "repeat x", "repeat end", "for", "for x", "for x =", "for x = 1", "for x = 1 do end", "for x = 1,", "for x = 1, 2", "for x = 1, 2, 3, 4 do end", "for x = 1, 2 do", "for x,", "for x, y", "for x, y =", "for x, y = 1, 2 do end", "for x in", "for x in y", "for x in y do", "for 1 = 1, 2 do end", "for x.y = 1, 2 do end", "for x.y in z do end", "do", "do x", "do end end", "break", "do break end", "while x do break x() end", "while x do function f() break end end", "return 1,", "return 1 2", "return return", "return x()\nf()", "return; x()", "return = 1", "goto x", "::x::",
  "x = (", "x = ()", "x = (1", "x = (1 2)", "x = 1 +", "x = + 1", "x = 1 + + 2", "x = 1 * * 2", "x = not", "x = -", "x = #", "x = and", "x = 1 and", "x = or 1", "x = 1 == ", "x = 1 = 2", "x = 1 ! 2", "x = 1 != 2", "x = a ~ b", "x = a & b", "x = a | b", "x = a // b", "x = a << b", "x = a ? b : c", "x = @", "x = $y", "x = `a`", "x = \\", "x = a -> b", "x += 1", "x++", "x = {", "x = {1", "x = {1,", "x = {,}", "x = {1,,}", "x = {[1]}", "x = {[1] 2}", "x = {[1] = }", "x = {[1 = 2}", "x = {a = }", "x = {a.b = 1}", "x = {1 = 2}", "x = {a b}", "x = {;}", "x = {a =\n1\n", "x = {\n\n\n",
  "f() = 1", "f(), x = 1, 2", "x, f() = 1, 2", "(x) = 1", "(x).y", "(x)", "x.y.z", "x[1]", "'s':m()", "{}.x = 1", "{}", "1 = x", "nil = 1", "true = 1", "f = f() f", "(f)()\n(g", "f\n(g)", "f\n(g)()", "x = f\n(g)", "a.b\n(c)", "a:b\n(c)", "local x = f\n'text'", "x = ... y", "function f() return ... end", "function f() x = {...} end", "function f(a) local g = function(...) return a end return ... end", "x = a.and", "x = a.end", "x.if = 1", "local and = 1", "local end", "x = {and = 1}", "function and() end", "for end = 1, 2 do end", "x:end()",
  "x = 1e", "x = 1e+", "x = 1..2", "x = 0x", "x = 0xg", "x = 0x1.8", "x = 0x1p4", "x = 1x", "x = 1.2.3", "x = 1_000", "x = 3e5e5", "x = 08", "x = .e1", "x = .", "x = ..", "x = ...", "x = 1 .. .. 2", "x = 'a' .. ", "x = 12abc", "x = 0xep1", "x = 1e5.5",
  "x = 'abc", "x = \"abc", "x = 'abc\n", "x = 'abc\\", "x = 'abc\\\n", "x = 'abc\\\n'", "x = '\\300'", "x = '\\256'", "x = '\\255'", "x = '\\9999'", "x = '\\x41'", "x = '\\u{41}'", "x = '\\q'", "x = '\\", "x = [[abc", "x = [[abc]", "x = [=[abc]]", "x = [=[abc]=", "x = [=abc", "x = [=", "x = [==", "x = [===[", "x = [=[a[[b]]]=]", "x = [", "--[[", "--[[ ]", "--[=[ ]]", "--[==", "--[=[\n\n", "-- x", "--", "-", "x = 1 --[[ c ]] 2", "x = --[[\n\n]]", "x = 'a\0b", "x = a\0b", "\0", "x\0= 1", "x = 1\0", "x = 1\0\0", "x = 1\0\0\0", "x = 1\0+2", "x = 1\0-y", "x = 1\0.5", "x = 1\0e5", "x = 1z\0", "x = 1e\0", "x = 1e5\0", "x = 0x\0", "x = 0x1\0q +", "x = 1\0 +", "x = 1\0\0 !", "x = .\0", "x = y .\0", "x = y .\0 z", "x = y.\0z", "x = ...\0", "x = .\0\0", "x = .\0.", "x = ..\0", "x = y ..\0", "x =\0= y", "x = y ~\0 z", "x = y\0", "f(...\0)", "x = '\1'\1", "\127", "\128", "x = \200", "\239\187\191x = 1", "#!shebang\nx =", "#", "# x\n", "x = \r\n\r\n=", "x = \n\r\n\r=", "x =\r\r=", "x = \27",
  "x = a and b or", "x = a b", "x = a 'b' 5", "x = a {} b", "x = function() end ()", "x = {} ()", "x = 's' ()", "x = 1 ()", "x = nil ()", "x = (f) y", "local function f() end f() end", "if x then end end", "while true do end end", "function f() end end", "return end", "x = 1;; y = 2", "; x = 1", ";", "x = 1;", "return;", "return 1;", "return 1;;", "do return end x = 1", "do return; end", "do return 1 x() end", "break x = 1", "while x do break; end", "while x do break; y() end", "repeat break until x", "repeat local y break until y",
  ("x = " .. ("a"):rep(100) .. " !"), ("x = '" .. ("a"):rep(100)), ("x = [[" .. ("a"):rep(100)), ("x = " .. ("1"):rep(100) .. "z"), ("x = '" .. ("a"):rep(100) .. "\n'"), ("--" .. ("a"):rep(100) .. "\n!"), ("!" .. ("a"):rep(100)), "x =\n\n\n\n!", "if x\nthen\n\n", "f(\n\n", "f(\n\n1", "x = (\n1", "x = {\n1\n2", "x[\n1", "for i = 1, 2 do\n\nif x then\n\nend\n", "function f(\na\n,", "function f()\n\n", "while x do\n\n", "repeat\n\nx = 1\n", "repeat\n\nuntil", "do\n\n", "if x then\n\nelse\n\n", "if x then\n\nelseif y then\n", "local function f()\n\n", "x = function()\n\n", "x = function(\n\n", "f{\n\n", "x = {[\n1\n",
}
for i, source in ipairs(malformed) do
  local f, why = loadstring(source, "=c")
  out(i, f and "good", why)
  f, why = loadstring("\n" .. source)
  out(i, f and "good", why)
  f, why = loadstring("local function g()\n" .. source .. "\nend", "@file.lua")
  out(i, f and "good", why)
  f, why = loadstring("return " .. source, "=r")
  out(i, f and "good", why)
end
-- Cut short anywhere.
local whole = "local a, b = {x = 1, [2] = 'y'; 3}, function(c, ...) if c == nil then return ... elseif c ~= 1 then return a.b[c]:d(1, 'e') else repeat c = not c and #c or -c ^ 2 until c >= 3 end end for i = 1, 0x10, 2 do while i < 3 do break end end for k, v in pairs(a) do k = v .. [[z]] .. \"\\065\" end function a.b.c:d() return end --[[ f ]] local function g() return (g)() end"
for length = 0, #whole do
  local f, why = loadstring(whole:sub(1, length), "=w")
  out(length, f and "good", why)
end
-- With one byte more or less.
for at = 1, #whole, 3 do
  for _, byte in ipairs({"", "=", "(", "}", "'", "end ", "1", "\n"}) do
    local f, why = loadstring(whole:sub(1, at - 1) .. byte .. whole:sub(at + 1), "=m")
    out(at, f and "good", why)
  end
end
-- load takes its text in pieces.
local function pieces(...) local list, i = {...}, 0 return function() i = i + 1 return list[i] end end
local function tell(f, why) out(type(f), why) end
tell(load(pieces("x", " ", "= "), "=p")) tell(load(pieces("x = 1"), "=p")) tell(load(pieces(), "=p")) tell(load(pieces(""), "=p")) tell(load(pieces("x", "", "= !"), "=p")) tell(load(pieces("x = ", 5), "=p")) tell(load(pieces("x = ", "!"))) tell(load(pieces("ret", "urn 1"))) try(load) try(load, 5) try(load, "x") try(load, pieces("!"), {}) tell(load(pieces("x = '", "a", "b"), "@p"))
