-- table.sort with comparators: reversed, by keys, by several, stable by position, that count and close over.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end
local seed = 99
local function random(n)
  seed = seed * 16807 % 2147483647
  return seed % n
end

local function sort_by(...)
  local keys = {...}
  return function(a, b)
    for i = 1, #keys do
      local x, y = a[keys[i]], b[keys[i]]
      if x ~= y then return x < y end
    end
    return false
  end
end

local function merge_sort(t, less)
  if #t < 2 then return t end
  local left, right = {}, {}
  for i = 1, #t do
    if i <= #t / 2 then left[#left + 1] = t[i] else right[#right + 1] = t[i] end
  end
  left, right = merge_sort(left, less), merge_sort(right, less)
  local out, i, j = {}, 1, 1
  while left[i] or right[j] do
    if right[j] == nil or left[i] ~= nil and not less(right[j], left[i]) then
      out[#out + 1], i = left[i], i + 1
    else
      out[#out + 1], j = right[j], j + 1
    end
  end
  return out
end

for round = 1, 9 do
  local t = {}
  for i = 1, 220 do t[i] = random(100000) end
  table.sort(t, function(a, b) return a > b end)
  for i = 1, #t, 11 do mix(t[i]) end
  local people = {}
  for i = 1, 120 do people[i] = {name = ('n%d'):format(random(20)), age = random(50), id = i} end
  local by_hand = merge_sort(people, sort_by('name', 'age'))
  table.sort(people, sort_by('name', 'age', 'id'))
  for i = 1, 120 do
    assert(people[i] == by_hand[i])
    mix(people[i].id)
  end
  local order = {}
  for i = 1, 100 do order[i] = i end
  table.sort(order, function(a, b)
    if t[a] % 10 ~= t[b] % 10 then return t[a] % 10 < t[b] % 10 end
    return a < b
  end)
  for i = 1, 100 do mix(order[i]) end
  local words = {}
  for word in ('the quick brown fox jumps over the lazy dog and runs away'):gmatch('%a+') do
    words[#words + 1] = word
  end
  table.sort(words, function(a, b) return #a < #b or #a == #b and a < b end)
  mix(#words[1] * 10 + #words[#words])
  local compare = setmetatable({}, {__call = function(_, a, b) return a < b end})
  local numbers = {5, 3, 4, 1, 2}
  table.sort(numbers, function(a, b) return compare(a, b) end)
  mix(numbers[1] * 10 + numbers[5])
end

return string.format('%d', h)
