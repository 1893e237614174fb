-- One native after the other goes over strings of megabytes.
local text = ('Ab/"\\ z'):rep(1000000)
local total = #text:upper() + #text:reverse() + #("%q"):format(text) + #cjson.decode(cjson.encode(text))
local keys = {[text] = 1}
total = total + (keys[text:lower()] or 2) + (text < text .. "x" and 1 or 0) + #redis.sha1hex(text)
total = total + #cmsgpack.unpack(cmsgpack.pack(text)) + #struct.unpack("s", text .. "\0") + struct.size(("i"):rep(4000000))
total = total + (tonumber(("1"):rep(8000000)) and 1 or 0) + #cjson.decode("[" .. (" "):rep(8000000) .. "]")
total = total + #select(2, pcall(error, text)) + #redis.error_reply(text).err + #text:gsub("/", "%%%0")
total = total + #redis.call("ECHO", text) + (text:find(text .. "x", 1, true) or 1)
return total
