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
