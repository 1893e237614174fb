-- table.sort: what it makes of items, in which order it asks, and what it refuses.
local function text(t, n)
  local texts = {}
  for i = 1, n or #t do texts[i] = tostring(t[i]) end
  return table.concat(texts, " ")
end
local seed = 7
local function random(n) seed = (seed * 16807) % 2147483647 return seed % n + 1 end

-- All orders of few items, and what is asked about them.
local function permutations(n, visit)
  local t, used = {}, {}
  local function go(place)
    if place > n then return visit(t) end
    for value = 1, n do
      if not used[value] then
        used[value] = true t[place] = value
        go(place + 1)
        used[value] = false
      end
    end
  end
  go(1)
end
for n = 0, 5 do
  local lines = {}
  permutations(n, function(t)
    local copy, asked = { unpack(t) }, {}
    table.sort(copy, function(a, b) asked[#asked + 1] = a .. "<" .. b return a < b end)
    lines[#lines + 1] = text(copy) .. ":" .. table.concat(asked, ",")
  end)
  out(n, table.concat(lines, ";"))
end

-- Sizes and shapes, by < and by functions.
local shapes = {
  up = function(i) return i end,
  down = function(i) return -i end,
  same = function() return 3 end,
  two = function(i) return i % 2 end,
  hill = function(i, n) return math.min(i, n - i) end,
  random = function(_, n) return random(n) end,
  fractions = function(i) return (i * 7919 % 101) / 8 - 5 end,
}
local names = { "up", "down", "same", "two", "hill", "random", "fractions" }
for _, n in ipairs { 0, 1, 2, 3, 4, 5, 8, 13, 20, 50, 101 } do
  for _, name in ipairs(names) do
    local function make() local t = {} for i = 1, n do t[i] = shapes[name](i, n) end return t end
    local t, count = make(), 0
    table.sort(t)
    out(n, name, text(t))
    t = make()
    table.sort(t, function(a, b) count = count + 1 return a > b end)
    out(n, name, text(t), count)
    -- Pairs of the same key: the sort is not stable, but always in the same way.
    t = {}
    for i = 1, n do t[i] = { key = shapes[name](i, n) % 3, i = i } end
    table.sort(t, function(a, b) return a.key < b.key end)
    local order = {}
    for i = 1, n do order[i] = t[i].i end
    out(n, name, text(order))
  end
end

-- Strings, and objects with __lt.
local words = {}
for word in ("the quick brown fox jumps over the lazy dog The Quick a ab abc b  zz z"):gmatch("%S+") do words[#words + 1] = word end
words[#words + 1] = ""
words[#words + 1] = "a\0b"
words[#words + 1] = "a\0"
words[#words + 1] = "\255"
table.sort(words)
out((text(words):gsub("%z", "0"):gsub("\255", "y")))
table.sort(words, function(a, b) return #a < #b or #a == #b and a > b end)
out((text(words):gsub("%z", "0"):gsub("\255", "y")))
local asked = 0
local meta = { __lt = function(a, b) asked = asked + 1 return a.v < b.v end }
local objects = {}
for i = 1, 30 do objects[i] = setmetatable({ v = i * 17 % 31 }, meta) end
table.sort(objects)
local values = {}
for i = 1, 30 do values[i] = objects[i].v end
out(text(values), asked)

-- Wrong functions and items.
local function try(t, f) out(pcall(table.sort, t, f)) out(text(t, 12)) end
try({ 3, 1, 2, 5, 4 }, function() return true end)
try({ 3, 1, 2, 5, 4 }, function() return false end)
try({ 3, 1, 2, 5, 4, 9, 7, 8, 6 }, function() return true end)
try({ 3, 1, 2, 5, 4, 9, 7, 8, 6 }, function(a, b) return a <= b end)
try({ 1, 1, 1, 1, 1, 1 }, function(a, b) return a <= b end)
try({ 3, "x", 1 })
try({ 3, 1, {} })
try({ {}, {} })
try({ true, false })
try({ 2, 1, nil, 4 })
try({ "10", 9, 8 })
try({ 3, 2, 1 }, function(a, b) error("in the middle", 0) end)
try({ 3, 2, 1 }, function(a, b) return nil end)
try({ 3, 2, 1 }, function(a, b) return "yes" end)
try({ 3, 2, 1 }, math.max)
try({ 3, 2, 1 }, {})
try({ 3, 2, 1 }, "f")
try({ 3, 2, 1 }, nil)
try({ 3, 2, 1 }, setmetatable({}, { __call = function(_, a, b) return a < b end }))
out(pcall(table.sort)) out(pcall(table.sort, 1)) out(pcall(table.sort, nil, nil)) out(pcall(table.sort, "abc"))
local count = 0
out(pcall(table.sort, { 5, 4, 3, 2, 1, 6, 7, 8 }, function(a, b) count = count + 1 if count == 9 then error({}) end return a < b end), count)
out(pcall(coroutine.wrap(function() table.sort({ 3, 2, 1 }, function(a, b) coroutine.yield(1) return a < b end) end)))
-- What a function does to the table while it is sorted.
local moved = { 5, 3, 4, 1, 2 }
out(pcall(table.sort, moved, function(a, b) moved[6] = 0 return a < b end)) out(text(moved))
local shrunk = { 5, 3, 4, 1, 2 }
out(pcall(table.sort, shrunk, function(a, b) shrunk[5] = nil return a < (b or 0) end))
