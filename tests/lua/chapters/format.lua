-- string.format: every conversion with flags, widths and precisions, and what it refuses.
local format = string.format
local function try(...) out(select(2, pcall(format, ...))) end
local numbers = { 0, -0, 1, -1, 7, -42, 255, 65535, 2 ^ 31 - 1, 2 ^ 31, -2 ^ 31, 2 ^ 32, 2 ^ 53, -2 ^ 53, 2 ^ 62, 0.5, -0.5, 1.5, 2.5, 1 / 3, -2 / 3, 100,
  1e10, 123456789, 0.1, 1e-5, 1e15, 1e16, 1e100, -1e100, 1e300, 5e-324, 1.7976931348623157e308, 3.14159265358979, 99999.5, 0.00001234 }
local flags = { "", "-", "+", " ", "#", "0", "-#", "+0", " 0", "-+", "#0", "+ ", "-0", "-+ #0" }
local sizes = { "", "1", "5", "12", "20", ".0", ".1", ".3", ".10", "12.4", "3.12", ".", "5." }
for _, conversion in ipairs { "d", "i", "u", "o", "x", "X", "c", "e", "E", "f", "g", "G" } do
  for _, flag in ipairs(flags) do
    for _, size in ipairs(sizes) do
      local spec = "%" .. flag .. size .. conversion
      local texts = {}
      for i, number in ipairs(numbers) do
        local is_integer = conversion:find("[diuoxXc]")
        if not (is_integer and (number >= 2 ^ 63 or number < -2 ^ 63)) and not (conversion == "c" and (number < 1 or number > 255 or number % 1 ~= 0))
          and not (conversion == "u" and number < 0) and not (conversion:find("[oxX]") and number < 0)
          and not (conversion == "f" and math.abs(number) > 1e20) then
          texts[#texts + 1] = format(spec, number)
        end
      end
      out(spec, table.concat(texts, "|"))
    end
  end
end
for _, size in ipairs { "", "10", "-10", ".3", "10.3", "-10.3", ".0", ".", "0", "5." } do
  local spec = "[%" .. size .. "s]"
  out(spec, format(spec, "hello"), format(spec, ""), format(spec, "a\0b"), format(spec, 12.5), format(spec, ("x"):rep(30)))
end
out(format("%s", ("y"):rep(200)) == ("y"):rep(200), #format("%s", ("a\0"):rep(100)), format("%.5s", "a\0bcdef"), format("%5s|%-5s|", "ab", "cd"))
out(format("%q", "plain"), format("%q", 'a "quote" and \\'), format("%q", "line\nbreak\r\0zero"), format("%q", ""), format("%q", 12))
for byte = 0, 255, 16 do
  local bytes = {}
  for i = byte, byte + 15 do bytes[#bytes + 1] = string.char(i) end
  out(byte, (format("%q", table.concat(bytes)):gsub(".", function(c) return c:byte() .. " " end)))
end
out(format("%%"), format("100%%"), format("no conversion"), format(""), format("%d%s%d", 1, "-", 2), format("%d", "10"), format("%d", " 0x10 "))
out(format("%c%c%c", 76, 117, 97), #format("%c", 0), format("%d", 3.99), format("%d", -3.99), format("%x", 3.5), format("%s", 1e15), format("%s", 1e16))
out(format("%g", 1 / 0), format("%g", -1 / 0), format("%f", 1 / 0), format("%5.1e", 1 / 0), format("%-8g|", 1 / 0), format("%08g", 1 / 0), format("%+G", 1 / 0))
out(format("%.14g", 0.1), format("%.17g", 0.1), format("%.99f", 1):len(), format("%99d", 1):len(), format("%.20f", 1 / 3), format("%.0f", 0.5), format("%.0f", 1.5))
out(format("%5d|%-5d|%05d|%+d", 42, 42, 42, 42), format("%x %X %#x %o", 255, 255, 255, 8), format("%10.3f|%-10.3f|", math.pi, math.pi))
for _, wrong in ipairs { "%", "%y", "%5", "%.", "%-", "%100d", "%.100f", "%1000s", "%--------d", "%l", "%ld", "%n", "%p", "%a", "%5.5.5d", "% 5y", "%0", "%\0", "%z" } do
  try(wrong, 1)
end
for _, conversion in ipairs { "%d", "%c", "%x", "%e", "%f", "%g", "%s", "%q", "%i", "%u", "%o" } do
  try(conversion) try(conversion, nil) try(conversion, {}) try(conversion, "x") try(conversion, true) try("%d" .. conversion, 1)
end
try() try(nil) try({}) try(true) try(12)
