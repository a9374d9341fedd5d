-- table.sort without a comparator: numbers, strings, already sorted, reversed, equal, with metamethods.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end
local function random_from(seed)
  return function(n)
    seed = seed * 16807 % 2147483647
    return seed % n
  end
end

local function checked(t)
  for i = 2, #t do assert(t[i - 1] <= t[i]) end
  return t
end

local random = random_from(7)
for round = 1, 8 do
  local numbers, words, few = {}, {}, {}
  for i = 1, 300 do
    numbers[i] = random(100000) - 50000
    words[i] = ('%x'):format(random(1000000))
    few[i] = random(3)
  end
  table.sort(numbers)
  table.sort(words)
  table.sort(few)
  for i = 1, 300, 10 do mix(checked(numbers)[i] + 50000) mix(checked(words)[i]:byte()) mix(checked(few)[i]) end
  table.sort(numbers)
  local reversed = {}
  for i = 1, 300 do reversed[i] = numbers[301 - i] end
  table.sort(reversed)
  mix(reversed[1] + 50000)
  local M = {__lt = function(a, b) return a.n < b.n end}
  local objects = {}
  for i = 1, 60 do objects[i] = setmetatable({n = random(1000)}, M) end
  table.sort(objects)
  for i = 1, 60 do mix(objects[i].n) end
  local ok = pcall(table.sort, {1, 'x', 2, 'y', 3})
  mix(ok and 1 or 2)
  table.sort({})
  local two = {2, 1}
  table.sort(two)
  mix(two[1])
end

return string.format('%d', h)
