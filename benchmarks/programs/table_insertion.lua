-- Tables that grow and shrink: a list by insert and remove, by index, and a hash of strings.

local format, insert, remove = string.format, table.insert, table.remove

local KEYS = 1000

local keys = {}
for i = 1, KEYS do keys[i] = 'key' .. i end

return function(size)
  local sum = 0
  for _ = 1, 5 do
    local list = {}
    for i = 1, size do insert(list, i) end
    for _ = 1, size / 2 do sum = sum + remove(list) end
    for i = #list + 1, size do list[i] = i * 2 end
    local counts = {}
    for i = 1, size do
      local key = keys[list[i] % KEYS + 1]
      counts[key] = (counts[key] or 0) + 1
    end
    for i = 1, KEYS do sum = sum + (counts[keys[i]] or 0) * i end
  end
  return format('%d', sum)
end
