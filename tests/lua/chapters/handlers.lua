-- What xpcall's handler sees, and what becomes of its own errors.
local function show(...) out(...) return ... end
local function fails() error("x") end

-- What it returns is the outcome; more than one value is not.
show(xpcall(fails, function(e) return "H:" .. e, 2, 3 end))
show(xpcall(fails, function() end))
show(xpcall(function() error() end, function(e) return e, type(e) end))
show(xpcall(function() error({1, 2}) end, function(e) return type(e) .. #e end))
show(xpcall(function() return 1, nil, 3 end, function() out("never") end))
show(xpcall(function() return 1 end, 5))
show(xpcall(error, function(e) return type(e) end))
show(xpcall(string.rep, function(e) return e end))
show(xpcall(fails, string.upper))
show(xpcall(nil, function(e) return "H:" .. e end))

-- No function, no handler.
show(xpcall(fails, nil))
show(xpcall(fails, 5))
show(xpcall(fails, setmetatable({}, {__call = function(self, e) return "called " .. e end})))
show(pcall(xpcall))
show(pcall(xpcall, print))

-- It runs before anything is unwound: variables are still shared, the coroutine still runs.
local get
show(xpcall(function()
  local y = 2
  get = function() return y end
  y = 3
  error("e")
end, function() return get() end))
show(get())
local c
c = coroutine.create(function()
  show(xpcall(fails, function() return coroutine.running() == c, coroutine.status(c) end))
  show(xpcall(fails, function() return coroutine.status(c) end))
end)
show(coroutine.resume(c))
show(coroutine.status(c))

-- Positions count from where the error was raised.
local function inner()
  error("inner")
end
show(xpcall(inner, function(e)
  local ok, at1 = pcall(error, "a", 1)
  local ok, at2 = pcall(error, "b", 2)
  local ok, at3 = pcall(error, "c", 3)
  local ok, at4 = pcall(error, "d", 4)
  local ok, at5 = pcall(error, "e", 5)
  return table.concat({e, at1, at2, at3, at4, at5}, " | ")
end))

-- It is called for its own errors.
local calls = 0
show(xpcall(fails, function(e)
  calls = calls + 1
  if calls < 5 then error("again" .. calls) end
  return e
end))
show(calls)
calls = 0
show(xpcall(fails, function(e)
  calls = calls + 1
  if calls == 1 then return nil + 1 end
  if calls == 2 then return e.x.y end
  if calls == 3 then return ("x"):rep({}) end
  return e
end))
show(calls)
calls = 0
show(xpcall(fails, function(e) calls = calls + 1 error(e) end))
show(calls > 150)
show(xpcall(fails, function(e) return nil + 1 end))
show(xpcall(fails, error))
show(xpcall(fails, function(e) return xpcall(fails, function(e) error("r") end) end))

-- pcall is a wall.
show(xpcall(function() return pcall(error, "p") end, function(e) return "H:" .. e end))
show(xpcall(fails, function(e) return select(2, pcall(error, "inner")) end))
show(xpcall(function()
  show(xpcall(fails, function(e) error("h1") end))
  return "end"
end, function(e) return "outer " .. tostring(e) end))
show(xpcall(function() local t = {xpcall(fails, function(e) return "one" end)} error(t[2], 0) end, function(e) return e .. " two" end))

-- So is a coroutine: its error is one of wrap, if of anything.
show(xpcall(function() return coroutine.resume(coroutine.create(function() error("c") end)) end, function(e) return "H:" .. e end))
show(xpcall(function() return coroutine.wrap(function() error("c") end)() end, function(e) return "H:" .. e end))
show(xpcall(fails, function(e) return coroutine.wrap(function() coroutine.yield(e .. " yielded") end)() end))
show(coroutine.wrap(function()
  return xpcall(fails, function(e) coroutine.yield(1) return "no" end)
end)())
calls = 0
show(coroutine.wrap(function()
  return xpcall(fails, function(e)
    calls = calls + 1
    if calls == 1 then coroutine.yield(1) end
    return e
  end)
end)())

-- C stack overflow.
local chain = setmetatable({}, {})
getmetatable(chain).__index = function(t, k) return t[k + 1] end
calls = 0
show(xpcall(function() return chain[1] end, function(e) calls = calls + 1 return e end))
show(calls)
calls = 0
show(xpcall(function() return chain[1] end, function(e) calls = calls + 1 error("z") end))
show(calls)
calls = 0
show(xpcall(function() return chain[1] end, function(e) calls = calls + 1 return chain[1] end))
show(calls)

-- In natives that call back, and in metamethods.
show(xpcall(table.sort, function(e) return e ~= nil end, {3, 2, 1}))
show(xpcall(function() table.sort({3, 2, 1}, function(a, b) error("cmp") end) end, function(e) return "H:" .. e end))
show(xpcall(function() return ("abc"):gsub(".", function(c) error(c) end) end, function(e) return "H:" .. e end))
show(xpcall(function() return setmetatable({}, {__add = function() error("add") end}) + 1 end, function(e) return "H:" .. e end))
show(xpcall(function() for k in function() error("iter") end do end end, function(e) return "H:" .. e end))
show(xpcall(fails, function(e) local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) return table.concat(t) end))

-- A reader of load has the handler of the calls around it.
show(xpcall(function() return load(function() error("rd") end) end, function(e) return "H:" .. e end))
show(xpcall(function() return load(function() error("rd") end) end, nil))
show(pcall(load, function() error("rd") end))
show(pcall(function() return xpcall(function() return pcall(load, function() error("rd") end) end, print) end))
show(xpcall(function() return loadstring("=") end, function(e) return "H:" .. e end))
show(coroutine.wrap(function() return load(function() error("rd") end) end)())
show(pcall(load, function() return {} end))
show(pcall(function() return load(function() return true end) end))
show(xpcall(function() local f, e = load(function() return {} end) return f, e end, function(e) return "H:" .. e end))
show(coroutine.wrap(function() local f, e = load(function() return print end) return f, e end)())

-- What comes after is as ever.
for i = 1, 20 do xpcall(fails, function(e) return e end) xpcall(fails, error) end
show(pcall(error, "last"))
