-- A large table that grows, is shifted and is emptied.
local list = {}
for i = 1, 1000000 do list[i] = i end
local named = {}
for i = 1, 200000 do named["k" .. i] = i end
for i = 1, 40 do table.insert(list, 1, i) table.remove(list, 1) end
local count = 0
for _ in pairs(named) do count = count + 1 end
for key in pairs(named) do named[key] = nil end
return #list + count
