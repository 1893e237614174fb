-- Every kind of expression in every kind of place.
local a, b, c = 1, "two", nil
local t = {1, 2, 3; x = 1, ["y"] = a, [a] = b, f(), ...}
local u = {a, b, c, {}, {{}}, n = 1, ...}
local s = a + b * c ^ -a / 2 % 3 - -2 ^ 2 .. "x" .. b .. c
local k = 1 + 2 * 3 ^ 2, -0, 0, 1 / 0, 2 % 0, -(-3), not nil, not 1, not not a, #t, #"abc"
local r = a and b or c
local q = not (a == b) and (a ~= c or b < c and c <= a or a > b and b >= c)
local v = (a or b) and c
local w = a < b
local z = (f())
local y = f(g(), h(...), (...))
x = a == nil or b == true or c == false or a == 1 or "k" == b
t.x.y.z = t[a][b][1].w
t[1], t[2], a = a, t[1], b
a, t[a] = 1, 2
f "str" {1} [[long]] :m(1, 2):n "q".p = a
g(t.x, t:y(a, ...))
local i = 1e10 + 0x10 + .5 + 3. + 1e-2
return a and (b or c), (not a) == b, f(...)
