-- Allocation and garbage collection: trees of depth `size` are made, walked and dropped.

local format = string.format

local function tree(depth)
  if depth == 0 then return {} end
  return {left = tree(depth - 1), right = tree(depth - 1)}
end

local function count(node)
  if not node.left then return 1 end
  return 1 + count(node.left) + count(node.right)
end

return function(size)
  local kept = tree(size)
  local nodes = 0
  for depth = 4, size, 2 do
    for _ = 1, 2 ^ (size - depth) do nodes = nodes + count(tree(depth)) end
  end
  return format('%d', nodes + count(kept))
end
