-- redis only: where the server's Lua is unlike PUC-Rio's: all bytes of a long key are hashed, and [[ may stand in [[ ]].
local function show(t) local r = {} for k, v in pairs(t) do r[#r + 1] = #k .. "=" .. v end out(table.concat(r, " ")) end
for _, letter in ipairs({"n", "\0", "\255", "ab"}) do
  local names = {}
  for i = 1, 100 do names[letter:rep(i)] = i names["_" .. i * 31] = -i end show(names)
  for i = 1, 100, 2 do names[letter:rep(i)] = nil end names.fresh = 1 show(names)
end
for place = 1, 64, 3 do
  local near = {} for i = 0, 9 do near[("x"):rep(place - 1) .. i .. ("y"):rep(64 - place)] = i end
  local r = {} for _, v in pairs(near) do r[#r + 1] = v end out(place, table.concat(r, " "))
end
for _, source in ipairs({"[[a[[b]]", "[[ [[ ]]", "[[a[b]]", "[[[[]]", "[[[a]]", "[=[a[=[b]=]", "[=[a[[b]]]=]"}) do
  local f, why = loadstring("return " .. source, "=s") out(source, f and f(), why)
end
