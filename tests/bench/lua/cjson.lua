local value = { name = "evalsha", list = { 1, 2.5, true, "text", { deep = { 1, 2, 3 } } }, count = 12345, text = ("ab\n"):rep(20) }
local s = 0
for i = 1, 8000 do
  value.count = i
  s = s + cjson.decode(cjson.encode(value)).count
end
return s
