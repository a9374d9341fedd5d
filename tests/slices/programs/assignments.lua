-- Assignments to several places, swaps, nested tables, long constructors with a call at their end.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function seven() return 1, 2, 3, 4, 5, 6, 7 end

local t = {}
for i = 1, 100 do t[i] = i end

for round = 1, 4000 do
  local i, j = round % 100 + 1, (round * 37) % 100 + 1
  t[i], t[j] = t[j], t[i]
  local a, b, c = round, round + 1
  a, b, c = b, a, (c or 5)
  a, b = a + b, a - b
  mix(a * 3 + b * 5 + c + 1000)
  local deep = {left = {n = a}, right = {n = b, list = {a, b, c}}}
  deep.left.n, deep.right.list[2], deep['x' .. c] = deep.right.n, deep.left.n, deep
  mix(deep.left.n + deep.right.list[2] + deep.x5.right.list[3] + 1000)
  local long = {
    round, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    round, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50,
    51, 52, 53, 54, [100] = 'far', key = round; seven()
  }
  mix(#long[100] + long[55] + long[61] + long[27] + long.key)
  local index = 1
  index, long[index] = index + 1, 'first'
  mix(index + (long[1] == 'first' and 11 or 13))
  local x = {n = 0}
  x.n, x.m = x.n + 1, x.n + 2
  mix(x.n * 10 + x.m)
end

local order = 0
for i = 1, 100 do order = (order * 7 + t[i] * i) % 1000003 end
return string.format('%d %d', h, order)
