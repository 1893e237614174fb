-- redis only: lua5.1 has no cjson. JSON of which each part is long, so that slices of any size cut it anywhere.
local function brief(text) if #text < 60 then return text end return #text .. ":" .. text:sub(1, 20) .. ".." .. text:sub(-20) end
local function show(value)
  if type(value) == "number" then return string.format("%.17g", value) end
  if type(value) == "string" then return '"' .. brief(value) .. '"' end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for k, v in pairs(value) do parts[#parts + 1] = show(k) .. "=" .. show(v) end
  return "{" .. table.concat(parts, " ") .. "}"
end
local function decode(text)
  local ok, value = pcall(cjson.decode, text)
  if ok then out(#text, show(value)) else out(#text, brief(text), value) end
  return value
end
local function encode(value)
  local ok, text = pcall(cjson.encode, value)
  if ok then out(brief(text)) else out(text) end
  return text
end
local lengths = {1, 126, 127, 128, 129, 255, 256, 257, 700}

-- White space in front of each token, and behind the last one.
local tokens = {"{", '"a"', ":", "[", "1", ",", '"x"', ",", "null", ",", "{", "}", ",", "[", "]", "]", ",", '"b"', ":", "true", "}", ""}
for _, length in ipairs(lengths) do
  decode((" "):rep(length) .. table.concat(tokens, ("\t"):rep(length)))
  for place = 1, #tokens do
    local before, behind = table.concat(tokens, "", 1, place - 1), table.concat(tokens, "", place)
    if cjson.decode(before .. ("\r\n"):rep(length) .. behind).a[2] ~= "x" then out("lost", length, place) end
  end
end
for _, space in ipairs({" ", (" "):rep(128), ("\n"):rep(300)}) do decode(space) decode("[" .. space) decode('{"a":1' .. space) decode("[1]" .. space .. "\0x") end

-- What is not expected, behind a part that is long: the place is told to the byte.
local wrong = {"", "}", "]", ",", ":", "]}", "1", "true", "x", '"x', '"\\x"', '"\\u12"', '"\\ud83d"', "\0", "+x", "0x", "-", "nan", "{", "[", "[]"}
local starts = {"", "[", "[1", "[1,", "{", '{"a"', '{"a":', '{"a":1', '{"a":1,', "[{}", "[[]", "1", "{}"}
local parts = {(" "):rep(200), '"' .. ("y"):rep(200) .. '"', '"' .. ("\\n"):rep(200) .. '"', ("7"):rep(200), '"' .. ("y"):rep(127) .. '"', '"\\t' .. ("y"):rep(300) .. '"'}
for _, start in ipairs(starts) do for _, part in ipairs(parts) do for _, tail in ipairs(wrong) do decode(start .. part .. tail) end end end

-- Errors within strings that are long.
for _, tail in ipairs({"", "\\", "\\q\"", "\\u\"", "\\u00g0\"", "\\ud800\"", "\\ud800\\u0041\"", "\0\"", "\\\0"}) do
  for _, length in ipairs(lengths) do decode('"' .. ("y"):rep(length) .. tail) decode(' ["' .. ("\\/"):rep(length) .. tail) decode('{"\\u0041' .. ("y"):rep(length) .. tail) end
end

-- Strings: plain ones, ones with escapes, as items and as keys.
local escapes = {"", "\\n", "\\u00e9", "\\ud83d\\ude00", '\\"', "\\\\", "\128\255"}
for _, length in ipairs(lengths) do
  for _, escape in ipairs(escapes) do
    local text = ("y"):rep(length) .. escape .. ("z"):rep(length) .. escape
    local meant = cjson.decode('"' .. escape .. '"')
    meant = ("y"):rep(length) .. meant .. ("z"):rep(length) .. meant
    local value = decode('["' .. text .. '",{"' .. text .. '":"' .. text .. '"},"' .. escape:rep(length) .. '"]')
    out(value[1] == meant, value[2][meant] == meant, value[3] == cjson.decode('"' .. escape .. '"'):rep(length))
    out(cjson.encode(value) == cjson.encode({meant, {[meant] = meant}, value[3]}))
  end
end
do
  local value = {} for i = 1, 150 do value[i] = ("k"):rep(i) end
  out(cjson.encode(cjson.decode(cjson.encode(value))) == cjson.encode(value))
  local fields = {} for i = 1, 150 do fields[i] = '"' .. ("k"):rep(i) .. '":' .. i end
  value = cjson.decode("{" .. table.concat(fields, ",") .. "}") out(show(value))
end

-- Numbers.
for _, length in ipairs({1, 14, 15, 16, 126, 127, 128, 129, 300, 1000}) do
  local digits, zeros = ("7"):rep(length), ("0"):rep(length)
  for _, text in ipairs({digits, "0." .. digits, digits .. "." .. digits, digits .. ".", "-" .. digits, "1e" .. zeros .. "5", "1E+" .. zeros .. "5", digits .. "e-" .. length,
    digits .. "." .. digits .. "e-" .. zeros .. "7", "1." .. zeros, "0." .. zeros .. "1", "0x" .. digits, "-0x" .. digits .. "." .. digits .. "p-" .. zeros .. "9", "0x" .. zeros .. ".8", "nan(" .. digits .. ")", "-nan(" .. ("_a"):rep(length) .. ")",
    "-" .. zeros, "-." .. digits, "1" .. zeros .. "e-" .. length, "inf", "-Infinity"}) do
    decode(text) decode("[" .. text .. ",{\"a\":" .. text .. "} ]")
  end
  for _, text in ipairs({digits .. "..", digits .. "e", digits .. "e+", digits .. "." .. digits .. ".", "1e" .. zeros .. ".", "nan(" .. digits, "nan(" .. digits .. "-)", "0x" .. digits .. "p", "0x" .. digits .. "p-x", "-e" .. digits, digits .. "x", digits .. "e5e5", digits .. "." .. digits .. "ee", digits .. "-"}) do
    decode(text) decode("[" .. text .. "]")
  end
end
cjson.decode_invalid_numbers(false)
for _, text in ipairs({"0x1", "-0x" .. ("7"):rep(300), "nan(" .. ("7"):rep(300) .. ")", "-inf", "+1", "0" .. ("7"):rep(300), "1" .. ("7"):rep(300), "-", "-x"}) do decode(text) decode("[1, " .. text .. " ]") end
cjson.decode_invalid_numbers(true)

-- Encoding: long strings as the value, as items, as fields and as keys, and what fails behind them.
for _, length in ipairs({1, 4095, 4096, 4097, 8192, 10000}) do
  for _, letter in ipairs({"a", "/", "\1", "\n"}) do
    local long = letter:rep(length)
    local escaped = cjson.encode(letter):sub(2, -2):rep(length)
    out(encode(long) == '"' .. escaped .. '"')
    out(encode({long, {long}, long}) == '["' .. escaped .. '",["' .. escaped .. '"],"' .. escaped .. '"]')
    out(encode({[long] = long}) == '{"' .. escaped .. '":"' .. escaped .. '"}')
    out(encode({[long] = {[long] = {}}}) == '{"' .. escaped .. '":{"' .. escaped .. '":{}}}')
    out(encode({[long] = 1 / 3}) == '{"' .. escaped .. '":0.33333333333333}')
    encode({[long] = print}) encode({long, print}) encode({[long] = 0 / 0}) encode({long, {[true] = long}})
  end
end
do
  local deep = ("d"):rep(5000) for i = 1, 20 do deep = i % 2 == 0 and {deep, i} or {[("k"):rep(5000)] = deep} end
  local text = encode(deep) out(#text, encode(cjson.decode(text)) == text)
  cjson.encode_max_depth(3) encode({{{("x"):rep(5000)}}}) encode({{{[("x"):rep(5000)] = {}}}}) encode({{{{("x"):rep(5000)}}}}) cjson.encode_max_depth(1000)
  cjson.decode_max_depth(3) decode('[[["' .. ("x"):rep(500) .. '"]]]') decode('{"a": {"b": {"' .. ("x"):rep(500) .. '": ' .. (" "):rep(200) .. '[]}}}') cjson.decode_max_depth(1000)
end
