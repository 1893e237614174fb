-- A long program compiled while another runs, and the SHA1 of a long text.
local lines = {}
for i = 1, 60000 do lines[i] = "x = (x or 0) * 2 % " .. i % 1000 + 1 end
local text = "local x = 1 " .. table.concat(lines, " ") .. " return x"
return loadstring(text)() + #redis.sha1hex(string.rep(text, 5))
