-- Natives with a short cut answer the same whatever is asked of them: no, few, odd and too many arguments, and any
-- number of results.
local function tell(...)
  local texts = {}
  for i = 1, select("#", ...) do texts[i] = tostring((select(i, ...))) end
  out(select("#", ...) .. ": " .. table.concat(texts, " "))
end
local function try(f, ...)
  tell(pcall(f, ...))
  local a = f and select(2, pcall(function(...) local x = f(...) return x end, ...))
  local b, c, d = (function(...) local x, y, z = select(2, pcall(f, ...)) return x, y, z end)(...)
  if type(a) ~= "table" and type(a) ~= "string" then tell(a) end
  if type(b) ~= "table" and type(b) ~= "string" then tell(b, c, d) end
end

local odd = { 1, -1.5, 0 / 0, 1 / 0, "7", "x", true, {} }
for _, name in ipairs { "abs", "ceil", "floor", "sqrt", "max", "min" } do
  out(name)
  try(math[name])
  for i = 1, #odd do
    if type(odd[i]) ~= "number" or odd[i] == odd[i] then
      try(math[name], odd[i])
      for j = 1, #odd do
        if type(odd[j]) ~= "number" or odd[j] == odd[j] then try(math[name], odd[i], odd[j]) end
      end
    end
  end
  try(math[name], 3, 1, 2)
end

local floor, max = math.floor, math.max
local a, b, c = floor(2.5), max(1, 2)
tell(a, b, c)
local d, e = floor(-2.5)
tell(d, e)
local f, g, h = max(3, 4)
tell(f, g, h)
floor(1)
tell((max(0 / 0, 1)) ~= (max(0 / 0, 1)), max(1, 0 / 0), math.min(1, 0 / 0))
out(select(2, pcall(function() local x = floor() return x end)))
out(select(2, pcall(function() local x = floor("a") return x end)))
out(select(2, pcall(function() local x = max(1, {}) return x end)))
out(select(2, pcall(function() local x = max(1) .. max() return x end)))

local t = { 10, 20, nil, 40, x = 1 }
local k, v = next(t)
tell(k, v)
k, v = next(t, 2)
tell(k, v)
k, v = next({})
tell(k, v)
local one = next(t)
tell(one)
local p, q, r = next(t)
tell(p, q, r)
tell(next({}))
tell(next({}, nil))
tell(select("#", next({})))
out(select(2, pcall(function() local x = next() return x end)))
out(select(2, pcall(function() local x = next({}, "no") return x end)))
out(select(2, pcall(function() local x, y = next(5, 1) return x end)))

for i, item in ipairs(t) do tell(i, item) end
for i in ipairs(t) do tell(i) end
for i, item, more in ipairs(t) do tell(i, item, more) end
for i, item in ipairs { nil, 2 } do tell(i, item) end
local hashed = {}
hashed[3], hashed[2], hashed[1] = "c", "b", "a"
for i, item in ipairs(hashed) do tell(i, item) hashed[i + 1] = i < 6 and i or nil end
local step, state = ipairs(t)
tell(step(state, 0)) tell(step(state, 1.5)) tell(step(state, "1")) tell(step(state, 7)) tell(step(state, -1))
tell(step(state, 2 ^ 31 - 1))
local s1, s2, s3 = step(state, 1)
tell(s1, s2, s3)
out(select(2, pcall(function() for _ in step, 5, 1 do end end)))
out(select(2, pcall(function() for _ in step, {}, "a" do end end)))
for key, value, more in next, { 7 } do tell(key, value, more) end
for key in next, { y = 1 } do tell(key) end
for a1, b1 in math.max, 3, 4 do tell(a1, b1) break end
local turns = 0
for top, rest in math.min, 2, 5 do turns = turns + 1 tell(top, rest) if turns == 3 then break end end

tell(rawequal(1, 1), rawequal("a", "a"), rawequal({}, {}), rawequal(nil, false))
local same, no = rawequal("k" .. 1, "k1")
tell(same, no)
out(select(2, pcall(function() local x = rawequal(1) return x end)))
local guarded = setmetatable({ y = 2 }, { __index = function() return "asked" end })
local raw, none = rawget(guarded, "x")
tell(raw, none, rawget(guarded, "y"), rawget(guarded, 1), rawget(t, 2), rawget(t, 99), rawget(t, nil))
out(select(2, pcall(function() local x = rawget(t) return x end)))
out(select(2, pcall(function() local x = rawget(1, 1) return x end)))
local n1, n2 = tonumber(12)
tell(n1, n2, tonumber("12"), tonumber(12, 10), tonumber(12, 8), tonumber("0x10"), tonumber({}))
out(select(2, pcall(function() local x = tonumber() return x end)))

local list = {}
for i = 1, 5 do table.insert(list, i * 2) end
local nothing = table.insert(list, "last")
tell(nothing, #list, unpack(list))
table.insert(list, nil)
tell(#list)
local w1, w2 = table.insert(list, 1)
tell(w1, w2, #list)
local watched = setmetatable({}, { __newindex = function() error("asked") end })
table.insert(watched, 1)
tell(watched[1], table.getn(watched), (table.getn { 1, 2 }))
tell(pcall(table.insert, list))
out(select(2, pcall(function() local x = table.insert(1, 2) return x end)))
out(select(2, pcall(function() table.insert(list, 1, 2, 3) end)))
local gaps = { n = 3, nil, nil, 3 }
table.insert(gaps, 4)
tell(#gaps, gaps[4])
