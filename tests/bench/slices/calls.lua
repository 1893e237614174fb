-- A million commands.
for i = 1, 1000000 do redis.call("INCR", "counter") end
return redis.call("GET", "counter")
