-- Tables that grow to half a million fields and to millions of items.
local fields = {}
for i = 1, 500000 do fields["key" .. i] = i end
fields = nil
local items = {}
for i = 1, 3000000 do items[i] = i end
return #items
