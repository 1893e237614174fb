-- Runs out of memory, three times.
local failed = 0
for round = 1, 3 do
  local kept = {}
  local ok = pcall(function() for i = 1, 1e8 do kept[i] = {i} end end)
  kept = nil
  if not ok then failed = failed + 1 end
end
return failed
