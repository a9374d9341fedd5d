-- __len and __pairs: virtual sequences, ordered tables, slices, unpack and concat over virtual elements.
-- engines: lua52 lua53 lua54 lua55

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function ordered()
  local keys, values = {}, {}
  return setmetatable({}, {
    __newindex = function(_, key, v)
      if values[key] == nil then keys[#keys + 1] = key end
      values[key] = v
    end,
    __index = values,
    __len = function() return #keys end,
    __pairs = function()
      local i = 0
      return function()
        i = i + 1
        local key = keys[i]
        if key ~= nil then return key, values[key], i end
      end
    end,
  })
end

local function slice(t, first, last)
  return setmetatable({}, {
    __len = function() return last - first + 1 end,
    __index = function(_, i)
      if i >= 1 and i <= last - first + 1 then return t[first + i - 1] end
    end,
    __pairs = function(self)
      return function(_, i)
        i = i + 1
        if i <= #self then return i, self[i] end
      end, self, 0
    end,
  })
end

local numbers = {}
for i = 1, 100 do numbers[i] = i * 3 end

for round = 1, 440 do
  local t = ordered()
  for i = 1, 20 do t['k' .. i * round % 13] = i end
  mix(#t)
  for key, v, i in pairs(t) do mix(#key * v + i) end
  local s = slice(numbers, round % 50 + 1, round % 50 + 30)
  local inner = slice(s, 5, 15)
  mix(#s) mix(#inner) mix(inner[1]) mix(inner[11])
  for i, v in pairs(inner) do mix(i * v) end
  mix(inner[12] == nil and 1 or 2)
  mix(rawlen(s) + rawlen('abc'))
  local first, second = table.unpack({inner[1], inner[2]}, 1, 2)
  mix(first * second)
end

return string.format('%d', h)
