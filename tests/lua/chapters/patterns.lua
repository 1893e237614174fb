-- Patterns: classes, sets, items, captures, anchors, errors, and the four functions that take them.
local function try(f, ...) out(pcall(f, ...)) end
local find, match, gsub, gmatch = string.find, string.match, string.gsub, string.gmatch

-- Every class, its complement and some sets, over all bytes.
local all = {}
for byte = 0, 255 do all[#all + 1] = string.char(byte) end
local function members(set)
  local ranges, first, last = {}, nil, nil
  for byte = 0, 256 do
    local is = byte < 256 and find(all[byte + 1], "^" .. set .. "$") ~= nil
    if is and not first then first = byte end
    if is then last = byte end
    if first and not is then ranges[#ranges + 1] = first .. "-" .. last first = nil end
  end
  out(set, #ranges > 0 and table.concat(ranges, " ") or "none")
end
for letter in gmatch("acdlpsuwxzACDLPSUWXZBeEiIjJ", ".") do members("%" .. letter) end
for _, set in ipairs {
  ".", "[a-z]", "[^a-z]", "[%a_]", "[^%a_]", "[]]", "[^]]", "[]-a]", "[a%-z]", "[a-]", "[-a]", "[%]%[]", "[z-a]", "[a-c-e]",
  "[%a-z]", "[^^]", "[^%^]", "[%.]", "[.]", "[\1-\31]", "[\128-\255]", "[%z\1]", "[^%z]", "[%d%s]", "[%D]", "[^%D]", "[%W%S]",
  "%.", "%%", "%]", "%-", "a", "[a]", "[^a]", "[+--]", "[!-/]", "[%w%p]", "[a-fA-F0-9]",
} do members(set) end

-- Items one after the other, and what they capture.
local subjects = { "", "a", "aa", "aaab", "abc", "ab ab", "  trim me  ", "key = value", "x=1, y=22", "f(a(b)c)d)", "THE (quick) fox",
  "2024-01-31", "a.b.c", "%d", "[x]", "a\nb", "\0a\0", "hello world from Lua", "aXbXc", "1e5 -3 .5" }
local patterns = { "", "a", "a*", "a+", "a-", "a?", "a-b", "a*b", "^a", "^a*$", "b$", "^$", "$", "^", "a$b", "^^a", ".", ".-", ".*", "(.-)",
  "(a*)(b*)", "()a()", "(a)(a)%1", "(%w+) %1", "^%s*(.-)%s*$", "(%w+)%s*=%s*(%w+)", "%b()", "%b((", "%baa", "%f[%w]%w+", "%f[%W]", "%f[%z]",
  "%f[a]a*", "(%d+)-(%d+)-(%d+)", "[^.]+", "%.", "(((a)))", "(a?)(a?)(a?)aaa", "x*x", "%s+", "%S+$", "^(.)(.*)$", "%z", "[%z]+", "(.)%1",
  ".-X", ".*X", "X.-X", "%-?%d*%.?%d+", "(%a+)%s(%a+)", "a?b?c?", "[a-c]+", "[^a-c]+", "(h)(e)(l)(l)(o)", "%u+", "(.-)%s" }
for _, pattern in ipairs(patterns) do
  local answers = {}
  for number, subject in ipairs(subjects) do
    local function tell(...)
      local texts = {}
      for i = 1, select("#", ...) do texts[i] = tostring((select(i, ...))) end
      answers[#answers + 1] = number .. ":" .. table.concat(texts, "|")
    end
    tell(find(subject, pattern))
    tell(match(subject, pattern, 2))
    tell(gsub(subject, pattern, "<%0>"))
    tell(gsub(subject, pattern, "%1", 2))
    local count = 0
    for one, two in gmatch(subject, pattern) do
      count = count + 1
      tell(one, two)
      if count == 4 then break end
    end
  end
  out(pattern, table.concat(answers, " "))
end

-- Where a search begins.
for _, init in ipairs { -100, -4, -1, 0, 1, 2, 4, 5, 6, 100, 1.5, -1.5, 2 ^ 31, -2 ^ 31, "2" } do
  out(init, find("abab", "b", init), find("abab", "b", init, true))
  out(init, find("abab", "", init))
  out(init, find("abab", "^b", init), match("abab", "()", init))
end
out(find("a.b", ".", 1, true), find("a.b", ".", 1), find("a+b", "+", 1, true), find("", "", 1, true), find("", "", 2), find("a", "", 2))
out(find("abc", "b", nil, nil), find("a\0b", "\0", 1, true), find("a\0b", "\0b"), find("a\0b", "%zb"))
out(find(("x"):rep(5000) .. "yz", "yz"), find(("x"):rep(5000), "x*"), find(("ab"):rep(3000), "(ab)*$"), (find(("a"):rep(300) .. "b", ".-b")))

-- Replacements.
out(gsub("hello world", "o", "0"), gsub("hello world", "o", "0", 1), gsub("hello", "", "-"), gsub("hello", "l*", "x"), gsub("abc", "%w", "%0%0"))
out(gsub("abc", "(a)(b)(c)", "%3%2%1%0"), gsub("abc", "b", "%%"), gsub("abc", "b", "%%1"), gsub("a b", "%s", "%%20"))
out(gsub("$name is $age", "%$(%w+)", { name = "Lua", age = 5.1 }), gsub("abc", ".", { a = 1, b = false, c = "" }))
out(gsub("abc", ".", function(c) if c == "b" then return nil end return c:upper() end), gsub("abc", "()", function(p) return p end))
out(gsub("abc", "(a)(b)", function(...) return select("#", ...) end), gsub("aaa", "a", "b", 0), gsub("aaa", "a", "b", -1), gsub("aaa", "a", "b", 2.9))
out(gsub("abc def", "%f[%w]%w+", string.upper), gsub("x", "x", 12), gsub(12321, 2, 5), gsub("abc", "^a", "x"), gsub("aaa", "^a", "x"))
for _, wrong in ipairs { true, 1 / 0, {}, "%", "%2", "%a", "%9", "a%" } do try(gsub, "abc", "(b)", wrong) end
try(gsub, "abc", "b")
try(gsub, "abc", "b", nil)
try(gsub, "abc", "b", { b = {} })
try(gsub, "abc", "b", function() return {} end)
try(gsub, "abc", "b", function() return true end)
try(gsub, "abc", "b", function() error("thrown", 0) end)
try(gsub, "abc", "b", "x", "y")
try(gsub, "abc", "b", "x", {})

-- Patterns that are none.
for _, wrong in ipairs {
  "%", "[", "[a", "[^", "[]", "[^]", "[%", "[%]", "[a-", "[a-%", "(", ")", "(a", "a)", "%b", "%bx", "%f", "%fa", "%1", "(a)%2", "(a%1)", "%0",
  "((a)", "(a))", "%b(", "[a-]x[", ("("):rep(33) .. (")"):rep(33), ("(a)"):rep(32), "*", "+", "?", "-", "^*", "a**", "a+*", "$$", "a$*", "[[:alpha:]]",
} do
  try(find, "aaa(", wrong)
  try(match, "x", wrong)
  try(gsub, "x", wrong, "")
end
try(find) try(find, "a") try(find, {}, "a") try(find, "a", {}) try(find, "a", "a", {}) try(match) try(gmatch) try(gmatch, "a") try(gmatch, nil, "a")
try(gmatch("abc", "("))
for word in gmatch("one two", "%a+") do out(word) end
for k, v in gmatch("a=1, b=2", "(%w+)=(%w+)") do out(k, v) end
for position in gmatch("abc", "()") do out(position) end
for anchored in gmatch("aaa", "^a") do out(anchored) end
local step = gmatch("xy", ".")
out(step(), step(), step(), step())
