-- cjson and cmsgpack of a long list.
local list = {}
for i = 1, 50000 do list[i] = {id = i, name = "name" .. i, tags = {"a", "b"}} end
local total = 0
for i = 1, 2 do
  local text = cjson.encode(list)
  total = total + #text + #cjson.decode(text) + #cmsgpack.unpack(cmsgpack.pack(list))
end
return total
