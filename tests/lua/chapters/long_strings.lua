-- Strings that are longer than what is worked on at once: the pieces must fit together.
local text = ("Ab/\"\\\n\r\0z9 "):rep(7000)
-- A few bytes from all over it, and its length.
local function shown(s)
  local bytes = {}
  for i = 1, #s, 1 + math.floor(#s / 40) do bytes[#bytes + 1] = s:byte(i) end
  return #s .. ":" .. table.concat(bytes, ",") .. ":" .. tostring(s:byte(-1))
end
out(shown(text:upper()), shown(text:lower()), shown(text:reverse()), text:reverse():reverse() == text)
out(shown(string.format("%q", text)), loadstring("return " .. string.format("%q", text:gsub("%z", "")))() == text:gsub("%z", ""))
out(shown(string.format(text:rep(2) .. "%%%d|%q|%s", 7, text, text)), pcall(string.format, text .. "%y"))
out(shown(text .. 1 .. text .. 2.5 .. "x"), text .. "a" < text .. "b", text .. "b" <= text .. "a", text < text, text <= text, text .. "\0" > text, text:sub(2) > text)
out(shown((("ab"):rep(10):gsub("a", ("%0-%%"):rep(3000)))), (shown((text:gsub(".*", ("%0"):rep(3))))))
-- Keys
local long, other = ("key"):rep(30000), ("key"):rep(29999) .. "kez"
local t = {[long] = 1}
out(t[long], t[("key"):rep(30000)], t[other], rawget(t, ("key"):rep(30000)), next(t, ("key"):rep(30000)), pcall(next, t, other))
t[other] = 2
rawset(t, ("kez"):rep(30000), 3)
out(t[other], rawget(t, other), t[("kez"):rep(30000)], rawget(_G, long), pcall(function() return t[long .. "x"].y end))
local method = {[long] = function(self, x) return x end}
out(method[long](method, 5), setmetatable({}, {__index = method})[("key"):rep(30000)](nil, 6), setmetatable({}, {__index = function(_, key) return #key end})[long .. "z"])
out((("<" .. long .. "><" .. other .. ">"):gsub("<(.-)>", {[long] = "one", [other] = false}):gsub("key", "")))
local count = 0
for key in pairs(t) do count = count + #key end
out(count, table.maxn({[3.5] = 1, [-7] = 2, [1e5] = 3, x = 4}), table.maxn({}))
-- Numbers
out(tonumber(("0"):rep(70000) .. "12"), tonumber("0." .. ("0"):rep(70000) .. "1"), tonumber("1" .. ("0"):rep(70000) .. "e-70000"), tonumber(("9"):rep(300)), tonumber(("9"):rep(310)))
out(tonumber("0x" .. ("0"):rep(70000) .. "ff"), tonumber("9007199254740993" .. "." .. ("0"):rep(70000)), tonumber("9007199254740993." .. ("0"):rep(70000) .. "1"))
out(tonumber(("1"):rep(70000), 2), tonumber(("1"):rep(70000) .. "2", 2), tonumber("-" .. ("z"):rep(70000), 36), tonumber((" "):rep(70000) .. "7" .. (" "):rep(70000)), tonumber("7\0" .. text))
out(tonumber("1e" .. ("0"):rep(70000) .. "3"), tonumber("1e" .. ("9"):rep(70000)), tonumber("1e-" .. ("9"):rep(70000)), tonumber("1e" .. ("9"):rep(70000) .. "x"))
-- Tokens
out(#loadstring("return '" .. ("a\\n\\\n"):rep(30000) .. "'")(), #loadstring("return [==[" .. ("]=]\r\n"):rep(30000) .. "]==]")(), loadstring("--" .. ("x"):rep(90000) .. "\n--[[" .. ("y]\n"):rep(30000) .. "]] return 5")())
out(pcall(loadstring, "return '" .. ("a"):rep(90000) .. "\r'"), (select(2, loadstring("return " .. ("a"):rep(90000) .. " b")):sub(-40)))
