-- pcall in pcall: through functions, with several results, errors caught half-way and raised again.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function thrower(i)
  if i % 3 == 0 then error('e' .. i, 0) end
  if i % 3 == 1 then error({code = i}) end
  return i, i + 1, i + 2
end

local function levels(n, i)
  if n == 0 then return thrower(i) end
  local ok, a, b, c = pcall(levels, n - 1, i)
  if ok then return a, b, c end
  if type(a) == 'table' then
    a.level = (a.level or 0) + 1
    if a.level < 4 then error(a) end
    return a.code, a.level, 0
  end
  if #a < 8 then error(a .. '+', 0) end
  return #a, 1, 1
end

local function count(...) return select('#', ...), ... end

for i = 1, 900 do
  local r = {pcall(thrower, i)}
  if r[1] then mix(r[2] + r[3] + r[4])
  elseif type(r[2]) == 'table' then mix(r[2].code)
  else mix(#r[2]) end
  local outer, inner, value = pcall(pcall, thrower, i)
  mix((outer and 1 or 0) + (inner and 2 or 0) + (type(value) == 'string' and 4 or 0))
  local ended, a, b, c = pcall(levels, i % 9, i * 3 + i % 2)
  if ended then mix(a + b * 2 + c * 3)
  elseif type(a) == 'table' then mix(a.code + (a.level or 0))
  else mix(#a) end
  local n, ok, x, y = count(pcall(function(...) return ... end, i, nil))
  mix(n * 10 + (ok and x or 0) + (y == nil and 1 or 0))
  mix((select(2, pcall(select, '#', nil, nil, i))))
  mix(pcall(error) and 1 or 2)
  local t = setmetatable({}, {__index = function(_, k) error('no ' .. k, 0) end})
  local ok2, message = pcall(function() return t.field end)
  mix(ok2 and 1 or #message)
  local sum = 0
  for j = 1, 5 do
    local fine = pcall(function()
      if j == i % 5 then error('stop', 0) end
      sum = sum + j
    end)
    if not fine then sum = sum + 100 end
  end
  mix(sum)
end

return string.format('%d', h)
