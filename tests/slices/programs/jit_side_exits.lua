-- Hot loops with rare branches of their own: other types, missing fields, errors, growing tables, overflows.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local mixed = {}
for i = 1, 400 do
  mixed[i] = i % 17 == 0 and ('%d'):format(i) or i % 31 == 0 and {i} or i % 53 == 0 and (i % 2 == 0) or i
end

local function total(list, rounds)
  local sum, texts, tables, others = 0, 0, 0, 0
  for round = 1, rounds do
    for i = 1, #list do
      local v = list[i]
      if type(v) == 'number' then sum = (sum + v) % 1000003
      elseif type(v) == 'string' then texts = texts + #v + tonumber(v)
      elseif type(v) == 'table' then tables = tables + v[1]
      else others = others + (v and 1 or 2) end
    end
  end
  return sum + texts * 3 + tables * 5 + others * 7
end
mix(total(mixed, 80))

local function sum_of(a, b) return a + b end
local rare = setmetatable({}, {__add = function(a, b) return (type(a) == 'number' and a or b) + 1000 end})
local s = 0
for i = 1, 40000 do
  s = sum_of(s, i % 997 == 0 and rare or i) % 1000003
  if i % 1013 == 0 then
    local ok, message = pcall(sum_of, s, {})
    s = s + (ok and 1 or 2)
  end
end
mix(s)

local n = 2 ^ 31 - 15000
for i = 1, 30000 do n = n + 1 end
mix(n % 1000003)

local objects = {}
for i = 1, 200 do objects[i] = i % 13 == 0 and {x = i} or {x = i, y = i * 2} end
local missing = 0
for round = 1, 120 do
  for i = 1, 200 do
    local o = objects[i]
    if o.y then missing = missing + o.y - o.x else missing = missing + 1 end
    if round == 9 and i % 40 == 0 then o.y = nil end
  end
end
mix(missing)

local grown = {}
for i = 1, 20000 do
  grown[i] = i
  if i % 500 == 0 then grown['k' .. i] = i end
end
mix(#grown)

return string.format('%d', h)
