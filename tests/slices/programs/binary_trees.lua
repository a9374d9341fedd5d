-- Binary trees built, walked and dropped (micro-benchmark).

local function bottom_up(depth)
  if depth == 0 then return {} end
  return {bottom_up(depth - 1), bottom_up(depth - 1)}
end

local function count(tree)
  if tree[1] then return 1 + count(tree[1]) + count(tree[2]) end
  return 1
end

local out = {}
local long_lived = bottom_up(12)
for depth = 2, 12, 2 do
  local trees, total = 2 ^ (12 - depth), 0
  for _ = 1, trees do total = total + count(bottom_up(depth)) end
  out[#out + 1] = ('%d trees of depth %d: %d'):format(trees, depth, total)
end
out[#out + 1] = ('%d'):format(count(long_lived))
return table.concat(out, '; ')
