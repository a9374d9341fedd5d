-- table.sort: `size` numbers by themselves, records by a comparator, strings.

local assert, format, sort = assert, string.format, table.sort

local function generator()
  local state = 42
  return function()
    state = state * 16807 % 2147483647
    return state
  end
end

local function is_after(a, b) return a.key > b.key end

return function(size)
  local random = generator()
  local numbers, records, words = {}, {}, {}
  for i = 1, size do
    numbers[i] = random()
    records[i] = {key = random(), place = i}
    if i % 4 == 0 then words[i / 4] = format('%x', random()) end
  end
  sort(numbers)
  sort(records, is_after)
  sort(words)

  local checksum = 0
  for i = 1, size do
    if i > 1 then assert(numbers[i - 1] <= numbers[i] and records[i - 1].key >= records[i].key) end
    checksum = (checksum * 31 + numbers[i] + records[i].place) % 1000000007
  end
  for i = 2, #words do assert(words[i - 1] <= words[i]) end
  return format('%d %s', checksum, words[1])
end
