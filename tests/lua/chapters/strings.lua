-- The string library: every function, with its edges and its errors.
out(("x"):rep(3), ("ab"):rep(0), ("ab"):rep(-1), (""):rep(5), ("abc"):upper(), ("ABC"):lower(), ("abc"):reverse(), #"a\0b")
out(("hello"):sub(2, 3), ("hello"):sub(-3), ("hello"):sub(2), ("hello"):sub(0), ("hello"):sub(10), ("hello"):sub(-100, 2), ("hello"):sub(3, 2))
out(("abc"):byte(), ("abc"):byte(2), ("abc"):byte(1, -1), ("abc"):byte(10), ("abc"):byte(0), string.char(), string.char(97, 98))
out(("hello"):find("l"), ("hello"):find("xyz"), ("hello"):find(""), ("hello"):find("", 10), ("hello"):find("l", -2), ("a.b"):find(".", 1, true), ("a+b"):find("+", 1, true))
out(("hello"):find("(l)(l)"), ("hello"):find("l+"), ("hello"):match("h(.-)o"), ("hello"):match("()ll()"), ("key = value"):match("^(%w+)%s*=%s*(%w+)$"))
for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do out(k, v) end
for w in ("one two"):gmatch("%a+") do out(w) end
for p in ("abc"):gmatch("()") do out(p) end
out(("hello world"):gsub("o", "0"), ("hello"):gsub("", "-"), ("abc"):gsub("%w", "%0%0"), ("abc"):gsub("(a)(b)", "%2%1"), ("abc"):gsub("b", "%%"), ("hello"):gsub("l", "L", 1))
out(("abc"):gsub("%w", {a = "1", c = false}), ("abc"):gsub("%w", function(c) if c == "b" then return "B" end end), ("abc"):gsub("^a", "x"), ("aaa"):gsub("^a", "x"))
out(("abc"):gsub("%w", setmetatable({}, {__index = function(_, k) return k .. "!" end})))
out(("THE (quick) fox"):find("%((%a+)%)"), ("f(a(b)c)d"):match("%b()"), ("THE (quick) fox"):gsub("%f[%a]%a+", "w"))
out(pcall(string.rep), pcall(string.rep, "x"), pcall(string.rep, {}, 1), pcall(string.char, 256), pcall(string.char, -1), pcall(string.char, "x"))
out(pcall(string.find, "a", "[a"), pcall(string.find, "a", "%"), pcall(string.find, "a", "(a"), pcall(string.find, "a", "a)"), pcall(string.find, "a", "%1"), pcall(string.gsub, "a", "a", "%2"))
out(pcall(string.gsub, "a", "a", nil), pcall(string.gsub, "a", "a", function() return {} end), pcall(string.gsub, "a"), pcall(("x").rep, "x", "y"))
out(string.format("%d %i %5d|%-5d|%05d|%+d", 3, 4.7, 42, 42, 42, 42), string.format("%x %X %o %u %c", 255, 255, 8, 7, 65))
out(string.format("%e %E %f %g %G", 12345.678, 0.00012, 1/3, 1e20, 1e-10), string.format("%.3f %10.2f|%-10.2f|", 1/3, 2.5, 2.5))
out(string.format("%s %10s|%-10s|%.2s", "x", "right", "left", "cut"), string.format("%q", 'a "quoted"\n\\ \0 \r'), string.format("%%"), string.format("%5s%%", 1))
out(string.format("%s %s", 1, 2.5), pcall(string.format, "%s", nil), pcall(string.format, "%s", {}), pcall(string.format, "%d", "x"), pcall(string.format, "%y", 1), pcall(string.format, "%d"), pcall(string.format, "%", 1))
out(string.format("%d", 2^53), string.format("%d", -2^63), string.format("%d", 1e300), string.format("%x", -1), string.format("%5.1f|%+.2e|% d|%#x|%#o", 3.14159, 12345.6789, 5, 255, 8))
out(pcall(string.format, "%0000000d", 1), pcall(string.format, "%123d", 1), pcall(string.format, "%.123d", 1))
out(tostring(1e15), tostring(1e14), tostring(123456789012345), tostring(0.1), tostring(-0), tostring(1/0), tostring(-1/0), tostring(1e100), tostring(2^63), tostring(3.0))
out("10" + 5, "0x10" + 0, " 5 " * "2", 10 .. 20, pcall(function() return "x" + 1 end))
out(("x"):rep(10):len(), ("%d"):format(7), #("x"):rep(1000))
out(("a,b,,c"):gsub(",", ";"), ("  trim  "):match("^%s*(.-)%s*$") .. "|", ("CamelCaseWord"):gsub("(%u)", " %1"))
out(pcall(string.rep, "x", 1, 2), pcall(string.sub), pcall(string.upper), pcall(string.len, nil), string.len(5))
local function try(...) local ok, e = pcall(...) return tostring(ok) .. " " .. tostring(e) end
local ring = {} setmetatable(ring, {__index = ring}) getmetatable(ring).__index = ring
out(try(string.gsub, "abc", "b", ring), try(string.gsub, "abc", "b", setmetatable({}, {__index = 5})), (("abc"):gsub("b", setmetatable({}, {__index = {b = "B"}}))))
