-- redis only: what nests is counted from the calls of C around it, and the program lua5.1 has one more than EVAL.
-- Limits: of locals, upvalues, constants, jumps, registers, nesting, calls, results and patterns; and what is just below.
local function show(...)
  local texts = {}
  for i = 1, select("#", ...) do local text = tostring((select(i, ...))) texts[i] = #text > 300 and text:sub(1, 150) .. " ... " .. text:sub(-140) or text end
  out(select("#", ...), table.concat(texts, " "))
end
local function try(f, ...) show(pcall(f, ...)) end
local function run(source) local f, why = loadstring(source, "=c") if not f then show("no", why) return end try(f, 1, 2) end
-- Within pcall, where an error of the compiler comes as it is.
local function compile(source) return select(2, pcall(loadstring, source, "=c")) end
local function repeated(count, make, between) local parts = {} for i = 1, count do parts[i] = type(make) == "string" and make or make(i) end return table.concat(parts, between or "") end
local function numbered(prefix) return function(i) return prefix .. i end end

-- Local variables: 200 at once, in every kind of declaration.
for _, count in ipairs({199, 200, 201, 250}) do
  run("local " .. repeated(count, numbered("v"), ",") .. " = 1 return v1, v" .. count)
  run(repeated(count, function(i) return "local v" .. i .. " = " .. i end, "\n") .. "\nreturn v1 + v" .. count)
  run("return (function(" .. repeated(count, numbered("v"), ",") .. ") return v" .. count .. " end)(1)")
  run("\nlocal function f(" .. repeated(count, numbered("v"), ",") .. ")\nreturn v1 end return f(7)")
  run("for " .. repeated(count, numbered("v"), ",") .. " in function(s, v) if not v then return 1 end end do return v1 end")
  run("do " .. repeated(count, function(i) return "local v" .. i .. " = " .. i end, " ") .. " end local x = 1 return x")
end
for _, count in ipairs({193, 194, 195, 196, 197, 198, 199, 200}) do
  local locals = repeated(count, function(i) return "local v" .. i .. " = " .. i end, "\n")
  run(locals .. "\nfor i = 1, 2 do end") run(locals .. "\nfor k, v in pairs({1}) do end") run(locals .. "\nlocal function f() end") run(locals .. "\nlocal a, b, c") run(locals .. "\ndo local a, b, c end") run(locals .. "\nreturn function(a, b) local c end")
  run(locals .. " return v1 + v2 * v3 .. v4") run(locals .. " return {v1, v2, v3, x = v4}") run(locals .. " return tostring(v1, v2, v3)")
end
run(repeated(210, "do local x = 1 end ")) run("return function(...) local " .. repeated(199, numbered("v"), ",") .. " end") run("return function(...) local " .. repeated(200, numbered("v"), ",") .. " end") run("function string:f() local " .. repeated(200, numbered("v"), ",") .. " end")

-- Upvalues: 60.
for _, count in ipairs({59, 60, 61}) do
  local locals = "local " .. repeated(count, numbered("v"), ",") .. " = " .. repeated(count, tostring, ",")
  run(locals .. " return (function() return " .. repeated(count, numbered("v"), " + ") .. " end)()") run(locals .. "\nlocal function f()\nreturn function() return " .. repeated(count, numbered("v"), " + ") .. " end end return f()()") run(locals .. " local function f() " .. repeated(count, function(i) return "v" .. i .. " = v" .. i .. " + 1" end, " ") .. " end f() return v1, v" .. count)
end

-- Registers: expressions, arguments and lists that are too wide or too deep.
for _, count in ipairs({100, 196, 197, 198, 199, 200, 240, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 300}) do
  run("return select('#', " .. repeated(count, "1", ",") .. ")") run("local t = {" .. repeated(count, "1", ",") .. "} return #t") run("return " .. repeated(count, "1", ",")) run("local x = 1 return " .. repeated(count, "x", ",")) run("local x = 'x' return #(" .. repeated(count, "x", "..") .. ")") run("local x = 1 return " .. repeated(count, "x", "+")) run("local x = 2 return " .. repeated(count, "x", "^")) run("return " .. repeated(count, "(", "") .. "1" .. repeated(count, ")", ""))
  run("local a = {} " .. repeated(count, function(i) return "a[" .. i .. "]" end, ",") .. " = 1 return a[1], #a") run("local x " .. repeated(count, "x", ",") .. " = 1 return x") run("local x = " .. repeated(count, "{", "") .. repeated(count, "}", "") .. " return type(x)") run("local f = tostring return " .. repeated(count, "f(", "") .. "1" .. repeated(count, ")", "")) run("local t = {} t.t = t return t" .. repeated(count, ".t", "") .. " == t") run("local t = {1} return t" .. repeated(count, "[t", "") .. "[1]" .. repeated(count, "]", ""))
end

-- Nesting: 200 levels, whatever nests; a script through EVAL has used some.
for _, count in ipairs({50, 190, 191, 192, 193, 194, 195, 196, 197, 198, 199, 200, 201, 400}) do
  local kinds = {{"do ", " end"}, {"if true then ", " end"}, {"while true do ", " break end"}, {"repeat ", " until true"}, {"for i = 1, 1 do ", " end"}, {"for k in pairs({1}) do ", " end"}, {"(function() ", " end)()"}, {"local f = function() ", " end"}, {"local function f() ", " end"}, {"if nil then else ", " end"}}
  for _, kind in ipairs(kinds) do run(repeated(count, kind[1]) .. repeated(count, kind[2])) end
  run("local x = " .. repeated(count, "not ") .. "1 return x") run("local x = " .. repeated(count, "- ") .. "1 return x") run("local x = " .. repeated(count, "#") .. "'x' return x") run("local x = " .. repeated(count, "{x = ") .. "1" .. repeated(count, "}") .. " return type(x)") run("local x = " .. repeated(count, "1 .. (") .. "2" .. repeated(count, ")") .. " return #x") run("return " .. repeated(count, "1 + (") .. "2" .. repeated(count, ")")) run("if " .. repeated(count, "1", " == ") .. " then end") run("if nil then " .. repeated(count, "elseif nil then ") .. "end")
  run("return " .. repeated(count, "1 and ") .. "2") run("return " .. repeated(count, "nil or ") .. "2") run("return " .. repeated(count, "(nil or ") .. "2" .. repeated(count, ")")) run("return #(" .. repeated(count, "'x'", " .. ") .. ")") run("local x = 'x' return " .. repeated(count, "x", " < ")) run("return " .. repeated(count, "function() return ") .. "1" .. repeated(count, " end"))
end
for _, around in ipairs({1, 5, 20}) do local function inside(n, source) if n == 0 then return loadstring(source, "=c") end local results = {pcall(inside, n - 1, source)} return unpack(results, 2) end local lowest, why for count = 150, 205 do local f, message = inside(around, repeated(count, "do ") .. repeated(count, " end")) if not f and not lowest then lowest, why = count, message end end show(around, lowest, why) end

-- Constants: more than fit into an operand, and more than fit into an instruction.
for _, count in ipairs({254, 255, 256, 257, 300, 600}) do run("local t = {} " .. repeated(count, function(i) return "t.k" .. i .. " = " .. i .. ".5" end, " ") .. " return t.k1 + t.k" .. count .. ", t['k' .. " .. count .. "], -t.k" .. count .. " * 3.25, t.k" .. count .. " < 1e5, 1e6 < t.k" .. count .. ", t.k" .. count .. " == " .. count .. ".5") run("local s = 0 " .. repeated(count, function(i) return "s = s + " .. i .. ".25" end, "\n") .. " return s, s == 'x" .. count .. "', ('y').len, #'z'") run("local t = {" .. repeated(count, function(i) return "k" .. i .. " = 'v" .. i .. "'" end, ", ") .. "} return t.k1 .. t.k" .. count .. ", t:none()") end
do local parts = {} for i = 1, 262145 do parts[i] = "x=" .. i + 0.5 end local f, why = compile("local x\n" .. table.concat(parts, "\n")) show(type(f), why) f, why = compile("local x\n" .. table.concat(parts, "\n", 1, 262143) .. " return x") show(type(f), why, f and f()) end

-- Jumps: too long for an instruction.
for _, count in ipairs({131069, 131070, 131071}) do
  local body = ("x=y "):rep(count)
  for _, form in ipairs({{"local x, y while x do ", "end"}, {"local x, y if x then ", "end"}}) do local f, why = loadstring(form[1] .. body .. form[2], "=c") show(count, type(f), why) end
end

-- Table constructors of many items.
for _, count in ipairs({49, 50, 51, 99, 100, 101, 511, 512, 513, 25599, 25600, 25601, 30000}) do run("local t = {" .. repeated(count, tostring, ",") .. "} return #t, t[1], t[" .. count .. "], t[" .. count .. " + 1]") run("local t = {" .. repeated(count, "0", ",") .. ", ...} return #t, t[" .. count .. " + 2]") run("local t = {" .. repeated(count, function(i) return "[" .. i .. "] = " .. i end, ",") .. "} return #t, t[" .. count .. "]") end
run("return {" .. repeated(300, function(i) return "k" .. i .. " = " .. i end, ";") .. "}") run("local t = {" .. repeated(60, "nil", ",") .. "} return #t") run("local t = {" .. repeated(60, "nil", ",") .. ", 1} return #t") run("local t = {" .. repeated(100, "(...)", ",") .. "} return #t") run("local t = {" .. repeated(100, "...", ",") .. "} return #t")

-- Results and arguments: unpack, select, calls with thousands of values.
for _, count in ipairs({0, 1, 10, 249, 250, 251, 1000, 7000, 7900, 7998, 7999, 8000, 8001, 10000, 1e6, 1e8, 2 ^ 31 - 2, 2 ^ 31 - 1}) do show(count, pcall(function() return select("#", unpack({}, 1, count)) end)) show(count, pcall(function() local t = {unpack({}, 1, count)} return #t end)) show(count, pcall(function() return (unpack({}, 1, count)) end)) show(count, pcall(function() return select(-1, unpack({}, 1, count)) end)) end
for _, range in ipairs({{1, 0}, {2, 1}, {5, 5}, {-3, 3}, {0, 0}, {1, -5}, {1, 2 ^ 31}, {-2 ^ 31, -2 ^ 31}, {2 ^ 31 - 1, 2 ^ 31 - 1}, {2 ^ 31 - 3, 2 ^ 31 - 1}, {1.9, 3.9}, {-1, 1e9}}) do show(range[1], range[2], pcall(function() return select("#", unpack({1, 2, 3}, range[1], range[2])) end)) end
try(function() return #{string.byte(("x"):rep(5000), 1, -1)} end) try(function() return #{string.byte(("x"):rep(9000), 1, -1)} end) try(function() return select("#", string.byte(("x"):rep(1e6), 1, -1)) end) try(function() return #string.char(unpack({}, 1, 10)) end) try(function() local t = {} for i = 1, 5000 do t[i] = 65 end return #string.char(unpack(t)) end) try(function() local t = {} for i = 1, 7000 do t[i] = i end return math.max(unpack(t)) end) try(function() local function f(...) return select("#", ...) end return f(unpack({}, 1, 7000)) end) try(function() local function f(...) return {...} end return #f(unpack({}, 1, 4000)) end) try(function() local function f(...) return ... end return select("#", f(f(unpack({}, 1, 2000)))) end) try(function() return select("#", coroutine.wrap(function(...) return ... end)(unpack({}, 1, 3000))) end) try(function() return select("#", pcall(unpack, {}, 1, 7000)) end) try(function() return coroutine.wrap(function() return select("#", coroutine.yield(1)) end)(unpack({}, 1, 500)) end)
try(function() local co = coroutine.wrap(function() coroutine.yield(unpack({}, 1, 7000)) end) return select("#", co()) end) try(function() local co = coroutine.wrap(function() coroutine.yield(unpack({}, 1, 9000)) end) return select("#", co()) end) show(select("#", coroutine.resume(coroutine.create(function(...) return ... end), unpack({}, 1, 7000))))

-- Calls: depth of Lua calls, of calls from C, of coroutines; tail calls go for ever.
do local depth = 0 local function down() depth = depth + 1 return 1 + down() end local ok, why = pcall(down) show(ok, why) show(depth > 15000, depth < 20000) depth = 0 ok, why = pcall(down) show(ok, why) end
do local depth = 0 local function down(...) depth = depth + 1 local a, b, c, d = ... return down(a, b, c, d, depth) + 1 end show(pcall(down)) show(depth > 1000) end
do local function down(n) if n == 0 then return 0 end return 1 + down(n - 1) end try(down, 1000) try(down, 15000) try(down, 1e6) try(function() return down(16000) end) local function tail(n) if n == 0 then return "end" end return tail(n - 1) end try(tail, 1e5) local function mutual(n, f) if n == 0 then return "end" end return f(n - 1, mutual) end try(mutual, 20000, mutual) end
do local depth = 0 local function down() depth = depth + 1 return pcall(down) end local ok = pcall(down) show(ok, depth) depth = 0 local function sorted() depth = depth + 1 table.sort({1, 2}, sorted) end show(pcall(sorted)) show(depth) depth = 0 local function replaced() depth = depth + 1 return (("x"):gsub("x", replaced)) end show(pcall(replaced)) show(depth) end
do local depth = 0 local t = setmetatable({}, {__index = function(t, k) depth = depth + 1 return t[k] end}) show(pcall(function() return t.x end)) show(depth) depth = 0 t = setmetatable({}, {__add = function(a, b) depth = depth + 1 return a + b end}) show(pcall(function() return t + 1 end)) show(depth) depth = 0 t = setmetatable({}, {__call = function(self) depth = depth + 1 return self() .. "" end}) local ok, why = pcall(t) show(ok, why, depth > 15000) depth = 0 t = setmetatable({}, {__tostring = function(t) depth = depth + 1 return tostring(t) end}) show(pcall(tostring, t)) show(depth) depth = 0 t = setmetatable({}, {__concat = function(a, b) depth = depth + 1 return a .. b end}) show(pcall(function() return t .. "" end)) show(depth) end
do local depth = 0 local function nested() depth = depth + 1 return coroutine.wrap(nested)() end show(pcall(nested)) show(depth) depth = 0 local function resumed() depth = depth + 1 return coroutine.resume(coroutine.create(resumed)) end local results = {pcall(resumed)} show(#results, depth, results[#results]) depth = 0 local function each() depth = depth + 1 table.foreach({1}, each) end show(pcall(each)) show(depth) end
do local function overflow() return 1 + overflow() end show(xpcall(overflow, function(e) return "H " .. tostring(e) end)) show(xpcall(overflow, function(e) return overflow() end)) show(pcall(pcall, overflow)) show(coroutine.resume(coroutine.create(overflow))) local co = coroutine.wrap(function() local ok, e = pcall(overflow) coroutine.yield(e) return "alive" end) show(co()) show(co()) show(pcall(string.rep, "x", 3)) end

-- Concatenation of many, and of much; repetitions that cannot be.
run("local s = 'ab' return #(" .. repeated(150, "s", " .. ") .. ")") run("local n = 1 return #(" .. repeated(150, "n", " .. ") .. ")") do local parts = {} for i = 1, 20000 do parts[i] = i end show(#table.concat(parts), #table.concat(parts, ", ")) local s = "" for i = 1, 3000 do s = s .. i end show(#s) s = "x" for i = 1, 20 do s = s .. s end show(#s) end
show(#("x"):rep(1e6), #("abc"):rep(1e5), ("x"):rep(0), ("x"):rep(-1e9), (""):rep(1e5)) show(#("%d"):rep(50)) show(pcall(string.format, ("%d"):rep(50), unpack({}, 1, 50))) show(#string.format(("%s"):rep(100), unpack((function() local t = {} for i = 1, 100 do t[i] = "x" end return t end)()))) show(#string.format("%99d", 1), #string.format("%99.99f", 1)) for _, f in ipairs({"%100d", "%.100f", "%099d", "%-99d", "%+-# 0d", "%+-# 00d", "%------d", "%1000s", "%.1000s", "%", "%5", "%.", "%l", "%ll", "%ld", "%hd", "%*d", "%n", "%p", "%a", "%0", "%-"}) do try(string.format, f, 1) end show(#string.format("%s", ("x"):rep(1e5)), #string.format("%20s", ("x"):rep(1e5)), #string.format("%.20s", ("x"):rep(1e5)), #string.format("%q", ("\n\0\""):rep(1000)), #string.format("%5.1s|", "abc"))

-- Patterns: captures, levels, and subjects as long as one likes.
for _, count in ipairs({1, 30, 31, 32, 33, 40}) do try(string.find, ("a"):rep(50), ("(a)"):rep(count)) try(string.find, ("a"):rep(50), ("("):rep(count) .. "a" .. (")"):rep(count)) try(string.gsub, ("a"):rep(50), ("()"):rep(count), "x") end
for _, count in ipairs({10, 100, 190, 195, 196, 197, 198, 199, 200, 201, 202, 250, 1000}) do try(string.find, ("a"):rep(count), ("a?"):rep(count) .. "$") try(string.match, ("a"):rep(count), ("a-"):rep(3) .. "$") try(string.find, ("a"):rep(count), ("(a)"):rep(math.min(count, 30)) .. ".*$") end try(string.find, ("a"):rep(2000), ".-b") try(string.find, ("a"):rep(250000), ".*$") try(string.find, ("a"):rep(3e4), "a-$") try(string.match, ("("):rep(1000) .. (")"):rep(1000), "^%b()$") try(string.gsub, ("a"):rep(1e5), "a", "") try(function() return #(("ab"):rep(1e4):gsub("a", "%0%0")) end) try(function() return #(("x"):rep(1000):gsub("", "-")) end)
try(string.find, "a", ("["):rep(10)) try(string.find, "a", ("%"):rep(3)) try(string.find, "a", "[" .. ("a"):rep(1000)) try(string.find, "b", "[" .. ("a"):rep(1000) .. "]") try(string.gsub, "a", "(a", "x") try(string.gsub, "a", "a)", "x") try(string.gsub, "a", "a", "%9") try(string.gsub, "a", ("a?"):rep(250), "x") try(string.find, "x", ("x*"):rep(250)) try(string.find, "x", ("x*"):rep(190) .. "y") try(function() return ("x"):rep(220):find(("(x)"):rep(20) .. ("x?"):rep(200)) end)

-- Positions and sizes far out.
for _, n in ipairs({2 ^ 31 - 1, 2 ^ 31, -2 ^ 31, 2 ^ 32, 2 ^ 32 + 1, 2 ^ 53, -2 ^ 53}) do show(n, ("hello"):sub(n), ("hello"):sub(1, n), ("hello"):sub(-n, n), ("hello"):byte(n), ("hello"):find("l", n), #("x"):rep(-math.abs(n)), select("#", ("hello"):byte(1, n))) local t = {1, 2, 3} t[n] = "far" show(t[n], #t, table.maxn(t) == math.max(3, n)) end
do local t = {} for i = 1, 2000 do t[i] = i end for i = 2000, 1, -1 do t[i] = nil end show(#t, next(t)) for i = 1, 1e5 do t[i] = true end show(#t) t = {} for i = 1, 17 do t[2 ^ i] = i end show(#t) local keys = 0 for k in pairs(t) do keys = keys + 1 end show(keys) end
