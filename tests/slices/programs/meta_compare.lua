-- __eq, __lt, __le with loops in them: sets, versions, sorting by __lt, what is equal without them.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local Set = {}
local function set(list)
  local s = setmetatable({}, Set)
  for i = 1, #list do s[list[i]] = true end
  return s
end
Set.__le = function(a, b)
  for key in pairs(a) do
    if not b[key] then return false end
  end
  return true
end
Set.__lt = function(a, b) return a <= b and not (b <= a) end
Set.__eq = function(a, b) return a <= b and b <= a end

local Version = {}
local function version(text)
  local parts = {}
  for n in text:gmatch('%d+') do parts[#parts + 1] = tonumber(n) end
  return setmetatable(parts, Version)
end
Version.__lt = function(a, b)
  for i = 1, math.max(#a, #b) do
    local x, y = a[i] or 0, b[i] or 0
    if x ~= y then return x < y end
  end
  return false
end
Version.__le = function(a, b) return not (b < a) end
Version.__eq = function(a, b) return not (a < b) and not (b < a) end

for i = 1, 240 do
  local a, b = set({1, 2, i % 7}), set({i % 5, 2, 1, 3})
  mix((a < b and 1 or 0) + (a <= b and 2 or 0) + (a == b and 4 or 0) + (a > b and 8 or 0)
    + (a >= b and 16 or 0) + (a ~= b and 32 or 0))
  local v, w = version('1.' .. i % 12 .. '.3'), version('1.' .. i % 11)
  mix((v < w and 1 or 0) + (v <= w and 2 or 0) + (v == w and 4 or 0) + (v > w and 8 or 0))
  mix((rawequal(v, v) and 1 or 0) + (rawequal(v, w) and 2 or 0) + (v == 'text' and 4 or 0))
  local list = {}
  for j = 1, 8 do list[j] = version(j * i % 10 .. '.' .. j * 7 % 13) end
  table.sort(list)
  for j = 1, 8 do mix(list[j][1] * 100 + list[j][2]) end
  table.sort(list, function(x, y) return x > y end)
  mix(list[1][1] * 100 + list[1][2])
  local smallest = list[1]
  for j = 2, 8 do if list[j] <= smallest then smallest = list[j] end end
  mix(smallest[1])
end

return string.format('%d', h)
