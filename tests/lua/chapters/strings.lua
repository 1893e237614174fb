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

-- Every position, be it near, far, broken or no number at all.
do
  local inf = 1 / 0
  local positions = {0, 1, 2, 3, 4, 5, 6, 7, -1, -2, -4, -5, -6, -7, 1.5, 2.9, -1.5, -0.5, 0.9, 1e6, -1e6, 2 ^ 31, -2 ^ 31, 2 ^ 53, "2", " -2 ", "0x3"}
  local s = "a\0b\255c"
  local function show(text) return (text:gsub("[^%w]", function(c) return "<" .. c:byte() .. ">" end)) end
  for _, i in ipairs(positions) do
    local row = {}
    for _, j in ipairs(positions) do row[#row + 1] = show(s:sub(i, j)) .. ":" .. table.concat({s:byte(i, j)}, ",") end
    out(i, show(s:sub(i)), s:byte(i), table.concat(row, " "))
    out(s:find("", i), s:find("[%z\1-\255]", i)) out(s:find("b", i, true), s:match("()", i), s:match("^.", i) and show(s:match("^.", i)))
  end
  out((""):sub(1, 1) == "", (""):byte(1, 10), select("#", (""):byte()), (""):sub(-1, -1) == "", (""):find("", 1), (""):find("", 2), (""):find("", 3), (""):find("", -5))
end

-- All bytes.
do
  local bytes = {} for b = 0, 255 do bytes[#bytes + 1] = string.char(b) end
  local all = table.concat(bytes)
  local function codes(text) local r = {} for i = 1, #text do r[i] = text:byte(i) end return table.concat(r, " ") end
  out(#all, codes(all:upper())) out(codes(all:lower())) out(codes(all:reverse())) out(codes(all:sub(100, 140)), codes(all:sub(-3)))
  out(select("#", all:byte(1, -1)), string.char(all:byte(1, -1)) == all, all:rep(3) == all .. all .. all, all:upper():lower() == all:lower())
  out(codes(string.format("%q", all))) out(#string.format("%s", all), #string.format("%-99s", all), #string.format("%.10s", all))
  for b = 0, 255, 5 do
    local one, row = string.char(b), {}
    for c = 0, 255, 15 do
      local other = string.char(c)
      row[#row + 1] = (one < other and "<" or "") .. (one <= other and "l" or "") .. (one > other and ">" or "") .. (one >= other and "g" or "") .. (one == other and "=" or "")
    end
    out(b, table.concat(row, " "))
  end
end

-- Order, with zeros inside and prefixes.
do
  local words = {"", "\0", "\0\0", "\0a", "a", "a\0", "a\0b", "a\0c", "ab", "b", "B", "\127", "\128", "\255", "\255\0", "\195\164", "10", "9", " ", "a b"}
  for i, a in ipairs(words) do
    local row = {}
    for j, b in ipairs(words) do row[j] = (a < b and "1" or "0") .. (a <= b and "1" or "0") .. (a == b and "1" or "0") .. #(a .. b) end
    out(i, #a, table.concat(row, " "))
  end
  table.sort(words) for i, word in ipairs(words) do out(i, (word:gsub("[^%w]", function(c) return "<" .. c:byte() .. ">" end))) end
end

-- Numbers become strings and strings numbers.
do
  local values = {1, 1.5, -0.25, 1e15, 1e16, 2 ^ 63, 1e100, -1e-10, 0, 123456.789, "1", "0x1F", " 7 ", "1e2", "-3"}
  for _, a in ipairs(values) do
    out(a .. "", a .. a, a .. "|" .. a, a + 0, a * "2", -a, a % "4", "2" ^ (a % 5), #(a .. ""), string.len(a), string.rep(a, 2), string.sub(a, 2, 3), string.upper(a), string.reverse(a), a == a .. "", tostring(a) == a .. "")
  end
  for _, pair in ipairs({{"x", 1}, {1, "x"}, {"", 1}, {nil, 1}, {true, "a"}, {{}, 1}, {1, {}}, {"a", nil}, {print, 1}}) do
    local a, b = pair[1], pair[2]
    for _, f in ipairs({function() return a + b end, function() return a .. b end, function() return a < b end, function() return b <= a end, function() return -a end, function() return #a end, function() return a % b end, function() return a.x.y end, function() return a() end, function() return a:nope() end}) do
      local ok, why = pcall(f) out(ok, (tostring(why):gsub("0x%x+", "address")))
    end
  end
end

-- What the functions say to wrong arguments.
for _, name in ipairs({"byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub", "upper"}) do
  local f = string[name]
  out(name, pcall(f), pcall(f, nil), pcall(f, {}), pcall(f, true))
  out(pcall(f, "x", {})) out(pcall(f, "x", true)) out(pcall(f, "x", "y", {})) out(pcall(f, "x", 1, true)) out(pcall(f, "x", "x", "x", {}))
  out(pcall(function() return ("x")[name]("abc", {}) end)) out(pcall(function() local s = "x" return s[name](s, print) end))
end
for _, n in ipairs({-1, 0, 0.9, 1, 1.9, 2, "3", -1e9}) do out(n, ("ab"):rep(n), #("ab"):rep(n)) end
for _, n in ipairs({-1, 256, 1e6, "65", 65.9, "x", -0.5, 255.9}) do out(n, pcall(string.char, n)) out(pcall(string.char, 65, n)) end
out(("x").rep == string.rep, ("x").nope, ("x")[1], pcall(function() local s = "x" s.y = 1 end), pcall(function() return ("x"):nope() end), #"", #"\0\0", ("a"):len(), ("%s"):rep(3, "x"):format(1, 2, 3))

-- Long strings are compared byte by byte, whether or not they have been keys before.
for _, length in ipairs { 1023, 1024, 1025, 1031, 4096, 4099 } do
  local a, b = ("ab"):rep(length):sub(1, length), ("a" .. "b"):rep(length + 1):sub(1, length)
  out(length, a == b, a == b:sub(1, -2) .. "c", a == b .. "x", a .. "x" == b, "b" .. a == "c" .. b)
  local t = { [a] = 1 }
  out(t[b], t[b .. "x"], a == b, a == b:sub(1, -2) .. "c", a ~= b, "x" == a)
end
