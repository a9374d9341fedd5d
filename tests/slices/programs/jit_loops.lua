-- Loops that a tracing compiler turns into traces: nested, with calls in them, over tables, by recursion.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function square(x) return x * x end
local function apply(f, n)
  local s = 0
  for i = 1, n do s = (s + f(i)) % 1000003 end
  return s
end

mix(apply(square, 50000))
mix(apply(function(x) return x * 3 + 1 end, 50000))
mix(apply(math.floor, 30000))

local grid = {}
for y = 1, 40 do
  grid[y] = {}
  for x = 1, 40 do grid[y][x] = (x * y) % 7 end
end
for turn = 1, 25 do
  for y = 2, 39 do
    local row, above, below = grid[y], grid[y - 1], grid[y + 1]
    for x = 2, 39 do row[x] = (row[x - 1] + row[x + 1] + above[x] + below[x]) % 101 end
  end
end
for y = 1, 40 do for x = 1, 40, 5 do mix(grid[y][x]) end end

local function up(n) if n <= 0 then return 0 end return n % 3 + up(n - 1) end
local function twice(n) if n < 2 then return n end return (twice(n - 1) + twice(n - 2)) % 1009 end
for i = 1, 150 do mix(up(i * 2)) end
mix(twice(20))

local list = nil
for i = 1, 12000 do list = {value = i, next = list} end
local node, sum = list, 0
while node do
  sum = (sum * 3 + node.value) % 1000003
  node = node.next
end
mix(sum)

local i, j = 0, 0
repeat
  i = i + 1
  local k = i
  while k % 2 == 0 do
    k = k / 2
    j = j + 1
  end
until i >= 25000
mix(j)

return string.format('%d', h)
