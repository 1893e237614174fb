-- One call that replaces in a long text.
local text = string.rep("the quick brown fox ", 200000)
local count = 0
for i = 1, 3 do
  local _, replaced = string.gsub(text, "%w+", "%0%0")
  count = count + replaced
end
return count
