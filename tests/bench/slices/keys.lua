-- A hundred thousand keys, a long list, a large hash, and commands that read all of each.
for i = 1, 100000 do
  redis.call("SET", "key:" .. i, i)
  redis.call("HSET", "hash", i, i)
end
for i = 1, 100 do
  local list = {}
  for j = 1, 1000 do list[j] = j end
  redis.call("RPUSH", "list", unpack(list))
end
local total = 0
for i = 1, 5 do
  total = total + #redis.call("KEYS", "*") + #redis.call("HGETALL", "hash") + #redis.call("LRANGE", "list", 0, -1)
end
redis.call("FLUSHALL")
return total
