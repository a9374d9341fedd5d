-- The table library over virtual tables: concat, unpack, insert, remove, move and sort through metamethods.
-- engines: lua53 lua54 lua55

local h, reads, writes = 0, 0, 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function proxy(t)
  return setmetatable({}, {
    __len = function() return #t end,
    __index = function(_, i)
      reads = reads + 1
      return t[i]
    end,
    __newindex = function(_, i, v)
      writes = writes + 1
      t[i] = v
    end,
  })
end

for round = 1, 300 do
  local t = {}
  for i = 1, 12 do t[i] = i * round % 37 end
  local p = proxy(t)
  mix(#table.concat(p, ','))
  mix(select('#', table.unpack(p)))
  mix((select(-1, table.unpack(p, 2, 5))))
  table.insert(p, round)
  table.insert(p, 3, round * 2)
  mix(table.remove(p, 1) + table.remove(p))
  table.move(p, 1, 5, 4)
  local target = {}
  table.move(p, 2, 6, 1, proxy(target))
  mix(#target + target[1] + target[5])
  table.sort(p)
  for i = 2, #t do assert(t[i - 1] <= t[i]) end
  table.sort(p, function(a, b) return a > b end)
  for i = 1, #t do mix(t[i] * i) end
  for i, v in ipairs(p) do mix(i + v) end
end

return string.format('%d %s', h, reads > 1000 and writes > 1000)
