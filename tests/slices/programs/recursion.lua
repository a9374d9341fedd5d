-- Recursion: Ackermann's function, hanoi, a deep one, mutual, over trees, memoized.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function ackermann(m, n)
  if m == 0 then return n + 1 end
  if n == 0 then return ackermann(m - 1, 1) end
  return ackermann(m - 1, ackermann(m, n - 1))
end

local function deep(n)
  if n == 0 then return 0 end
  return 1 + deep(n - 1)
end

local function hanoi(n, from, to, by)
  if n == 0 then return 0 end
  local moves = hanoi(n - 1, from, by, to)
  mix(n * 9 + from * 3 + to)
  return moves + 1 + hanoi(n - 1, by, to, from)
end

local male
local function female(n) return n == 0 and 1 or n - male(female(n - 1)) end
function male(n) return n == 0 and 0 or n - female(male(n - 1)) end

local function tree(n)
  if n == 0 then return {} end
  return {tree(n - 1), tree(math.floor(n / 2)), n = n}
end
local function weight(t, level)
  local total = (t.n or 1) * level
  for i = 1, #t do total = total + weight(t[i], level + 1) end
  return total
end

local known = {}
local function partitions(n, largest)
  if n == 0 then return 1 end
  local key = n * 1000 + largest
  if known[key] then return known[key] end
  local total = 0
  for i = 1, math.min(n, largest) do total = total + partitions(n - i, i) end
  known[key] = total
  return total
end

mix(ackermann(2, 40))
mix(deep(10000))
mix(hanoi(12, 1, 2, 3))
for n = 1, 34 do mix(female(n) * 100 + male(n)) end
mix(weight(tree(15), 1))
mix(partitions(40, 40))

return string.format('%d', h)
