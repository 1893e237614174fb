-- Numbers: arithmetic, conversions, the math library.
out(7 % 3, -7 % 3, 7 % -3, -7 % -3, 5.5 % 2, 1 % 0, 2 ^ 10, 2 ^ -1, -2 ^ 2, 7 / 2, 0 / 0 ~= 0 / 0, 1e308 * 10, -1e308 * 10)
out(0x10, 0xff, 1e3, .5, 5., 3e-2, 0xA, 100000000000000, 1e15, 123456.789e3, 2 ^ 53, 2 ^ 53 + 1, 1 / 3, -0.0, 1e-7, 12345678901234567890)
out(tonumber("10"), tonumber("  10  "), tonumber("10x"), tonumber(""), tonumber(" "), tonumber("0x1F"), tonumber("1e2"), tonumber("1e"), tonumber("."), tonumber("-5"), tonumber("+5"), tonumber("- 5"), tonumber("1 2"), tonumber(nil))
out(tonumber("ff", 16), tonumber("zz", 36), tonumber("8", 8), tonumber("777", 8), tonumber("1010", 2), tonumber("-ff", 16), tonumber("0x10", 16), tonumber("", 16), tonumber("1.5", 16), pcall(tonumber, "1", 1), pcall(tonumber, "1", 37), pcall(tonumber), tonumber({}), tonumber(true))
out(math.floor(3.7), math.floor(-3.7), math.ceil(3.2), math.ceil(-3.2), math.abs(-5), math.sqrt(16), math.max(1, 5, 3), math.min(4, 2, 8), math.fmod(7, 3), math.fmod(-7, 3), math.mod(7, 3))
out(math.modf(3.7), math.modf(-3.7), math.modf(5), math.modf(1 / 0), math.frexp(8), math.frexp(0), math.frexp(0.3), math.ldexp(0.5, 4), math.pow(2, 8), math.huge, -math.huge, math.pi, math.deg(math.pi), math.rad(180))
out(pcall(math.floor), pcall(math.floor, "x"), pcall(math.max), pcall(math.random, 0), pcall(math.random, 2, 1), pcall(math.random, 1, 2, 3), math.floor("3.7"), pcall(math.fmod, 1))
out(string.format("%.17g %.17g %.17g %.17g", math.sin(1), math.cos(1), math.exp(1), math.log(10)), string.format("%.17g %.17g", math.log10(1000), math.atan2(1, 2)))
for i = 1, 3 do out(i) end for i = 3, 1, -1 do out(i) end for i = 1, 2, 0.5 do out(i) end for i = 1, 0 do out("never") end for i = "1", "2" do out(i) end
out(1 < 2, 1 <= 1, "a" < "b", "a" < "B", "" < "a", "10" < "9", 1 == 1.0, "1" == 1, 0 == -0, nil == false)
out(pcall(function() return 1 < "2" end), pcall(function() return {} < 1 end), pcall(function() return nil < nil end), pcall(function() return "a" < true end))

-- Of two wrong arguments the second is named.
for _, name in ipairs({"pow", "fmod", "atan2", "ldexp"}) do print(pcall(math[name], {}, true)) print(pcall(math[name], {}, 1)) end

-- Many values as texts, and back.
do
  local units = {1, 3, 7, 9.5, 1.25, 123456789, 99999999999999, 0.1, 1 / 3, 2 / 3, 5e-324, 1.7976931348623157e308, 2.2250738585072014e-308}
  local scales = {0, 1, -1, 2, -2, 4, -4, 5, -5, 12, 13, 14, 15, 16, -16, 22, 100, -100, 300, -300}
  for _, unit in ipairs(units) do
    local row, back = {}, 0
    for i, scale in ipairs(scales) do
      local n = unit * 10 ^ scale
      row[#row + 1] = tostring(n) row[#row + 1] = tostring(-n)
      if tonumber(("%.17g"):format(n)) == n then back = back + 1 end
    end
    out(back, table.concat(row, " "))
  end
  for bits = 0, 66 do out(2 ^ bits, 2 ^ bits - 1, 2 ^ bits + 1, -2 ^ bits, 2 ^ -bits, ("%d"):format(2 ^ (bits % 53) - 1)) end
end

-- What is a number and what is not.
do
  local texts = {"0", "-0", "+0", "00", "0x", "0x0", "0X1f", "-0xA", "+0xA", "0xg", "0x1p4", "0x.8", "0xA.8", "0x1e2", "1e+5", "1e-5", "1E5", "1e+", "1e", "e1", ".5", "5.",
    ".", "-.5", "+.5e1", "1..2", "1.2.3", "1_000", "1,5", "--1", "+-1", "\t1\n", "\v1\f\r", "1\0", "\0", "1 \0", "1 x", "inf", "-inf", "INF", "infinity", "nan", "-nan", "NaN", "nanx",
    "nan(1)", "1e308", "1e309", "-1e309", "1e-400", "0x7fffffffffffffff", "0xffffffffffffffff", "0x10000000000000000", "9007199254740993", "123456789012345678901234567890",
    "0.1e1", "1d", "1f", "1L", "0b1", "0o7", "true", "nil", "1e5x", "4.9e-324", "2.4e-324", ("9"):rep(200), "0." .. ("0"):rep(100) .. "1", ("0"):rep(150) .. "1"}
  for _, text in ipairs(texts) do
    local n = tonumber(text)
    local show = n and n ~= n and "not a number" or tostring(n)
    local ok, sum = pcall(function() return text + 1 end)
    out(("%q"):format(text), show, ok, sum == sum and (ok and sum or "error") or "not a number", tonumber(text, 10), tonumber(text, 16), tonumber(text, 2))
  end
  for base = 2, 36 do
    out(base, tonumber("10", base), tonumber("z", base), tonumber("Z", base), tonumber("1001", base), tonumber(" 11 ", base), tonumber("-11", base), tonumber("9", base), tonumber("a", base), tonumber("1.0", base), tonumber(("1"):rep(12), base), tonumber(11, base))
  end
  for _, base in ipairs({0, 1, 37, -1, 2.9, "16", 1e10}) do out(base, pcall(tonumber, "11", base)) end
  for _, text in ipairs({"ffffffffffffffff", "fffffffffffffffff", "-1", "-ffffffffffffffff", "7fffffffffffffff", "", " ", "+", "-", "- 1", "0x", "0xf", "0Xf"}) do out(text, tonumber(text, 16), tonumber(text, 36)) end
end

-- Arithmetic at the edges.
do
  local inf = 1 / 0
  local values = {0, 1, -1, 2, -2, 3, 0.5, -0.5, 5.3, -5.3, 1e15, -1e15, 2 ^ 53, 1e308, -1e308, 5e-324, inf, -inf}
  local function show(n) if n ~= n then return "not a number" end if n == 0 then return 1 / n < 0 and "minus zero" or "zero" end return tostring(n) end
  for _, a in ipairs(values) do
    local row = {}
    for _, b in ipairs(values) do
      row[#row + 1] = table.concat({show(a + b), show(a - b), show(a * b), show(a / b), show(a % b), show(a ^ b), show(math.fmod(a, b)), show(math.atan2(a, b)), show(math.max(a, b)), show(math.min(a, b))}, ",")
    end
    out(show(a), table.concat(row, " "))
    local whole, part = math.modf(a)
    out(show(math.floor(a)), show(math.ceil(a)), show(math.abs(a)), show(math.sqrt(a)), show(whole), show(part), show(-a), show(math.ldexp(a, 3)), show(math.ldexp(a, -1080)), show(math.exp(a)), show(math.log(a)), show(math.log10(a)), show(math.deg(a)), show(math.rad(a)), a ~= inf and a ~= -inf and math.frexp(a))
    out(a == 0, a < 1, a <= 1, a > -1, a >= -1, a ~= a, ({[a] = "key"})[a], #tostring(a))
  end
  local nan = inf - inf
  out(nan == nan, nan ~= nan, nan < nan, nan <= nan, nan > 1, nan < 1, not (nan >= 1), rawequal(nan, nan), pcall(function() local t = {} t[nan] = 1 end), ({})[nan])
  out(2 ^ 3 ^ 2, (2 ^ 3) ^ 2, -2 ^ 2, 2 ^ -1, -2 ^ -2, 2 * 3 % 4, 2 - 3 - 4, 2 / 4 / 8, 7 % 4 % 2, - - 2, -(-2), 1 - -1, 0x7fffffff + 1, 0xffffffff * 0xffffffff, (-2) ^ 0.5 == (-2) ^ 0.5)
end

-- Loops count as floats do.
do
  local loops = {{1, 3, 1}, {1, 3, 0.7}, {3, 1, -0.5}, {0, 1, 0.1}, {1, 0, -0.1}, {1, 1, 1}, {1, 1, -1}, {1, 0, 1}, {0, 1, -1}, {-3, -1, 1}, {1e15, 1e15 + 3, 1}, {2 ^ 53 - 2, 2 ^ 53 - 1, 1},
    {1, 1 / 0, 1e308}, {1, -1 / 0, -1e308}, {1, 10, 1 / 0}, {10, 1, -1 / 0}, {"1", "3", "1"}, {" 0x1 ", "2e0", 1}, {1, 0 / 0, 1}, {0 / 0, 1, 1}, {1, 2, 0 / 0}, {1.5, 4, 1}, {-0.5, 0.5, 0.25}, {2, 1, 0}}
  for _, loop in ipairs(loops) do
    local seen = {}
    local ok, why = pcall(function() for i = loop[1], loop[2], loop[3] do seen[#seen + 1] = tostring(i) if #seen == 12 then break end end end)
    out(ok, why, #seen, (table.concat(seen, " "):gsub("%-?nan", "nan")))
  end
  out(pcall(function() for i = nil, 1 do end end), pcall(function() for i = 1, "x" do end end), pcall(function() for i = 1, 2, {} do end end), pcall(function() for i = "a", "b", "c" do end end))
  local sum = 0 for i = 1, 5 do local j = i i = i * 10 sum = sum + i + j end out(sum)
end
for _, name in ipairs({"abs", "ceil", "floor", "sqrt", "exp", "log", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "deg", "rad", "frexp", "modf", "pow", "fmod", "mod", "atan2", "ldexp", "max", "min"}) do
  local f = math[name]
  out(name, pcall(f), pcall(f, "x")) out(pcall(f, "0x10", "2")) out(pcall(f, {}, 1)) out(pcall(f, 1, {})) out(pcall(f, nil, nil)) out(pcall(f, 0.5, 2, 3))
end
