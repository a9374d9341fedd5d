-- Integers of 64 bits: wrapping, floor division, mixed with floats, conversions, hashes, limits.
-- engines: lua53 lua54 lua55

local h = 0
local function mix(n) h = h * 6364136223846793005 + n + 1442695040888963407 end

local x = 1
for i = 1, 60000 do
  x = x * 6364136223846793005 + 1442695040888963407
  x = x ~ (x >> 33)
  x = x | i
  x = x & ~(i << 3)
  x = x // 3
end
mix(x)

local function fnv(text)
  local hash = 0xcbf29ce484222325
  for i = 1, #text do hash = (hash ~ text:byte(i)) * 0x100000001b3 end
  return hash
end
local function rotate(n, by) return n << by | n >> 64 - by end
local a, b = 0x123456789abcdef, -0x0fedcba987654321
for i = 1, 20000 do
  a, b = rotate(a + b, i % 63 + 1), rotate(a ~ b, 17)
  mix(a ~ b)
end
for i = 1, 2500 do mix(fnv('text ' .. i)) end
for i = -20, 20 do
  mix(i // 7) mix(i % 7) mix(i // -3) mix(i % -3) mix(math.tointeger(i * 2.0)) mix(i << 60) mix(i >> 2)
  mix(math.floor(i / 4)) mix(math.ult(i, 5) and 1 or 2)
end
local types = {}
for _, v in ipairs({1, 1.0, 3 // 1, 3 // 1.0, 2 ^ 2, 7 % 2, 7 % 2.0, 1e3, math.maxinteger, tonumber('10'), 10 / 2}) do
  types[#types + 1] = math.type(v):sub(1, 1)
end
mix(math.maxinteger + 1 == math.mininteger and 1 or 2)
mix(math.mininteger // -1)
mix(1 < 1.5 and math.maxinteger < 2 ^ 63 and math.mininteger <= -2 ^ 63 and 3 or 4)
local ok, message = pcall(function() return 1 // 0 end)
mix(#message)
mix(pcall(function() return 1.5 | 1 end) and 5 or 6)
for i = math.maxinteger - 3, math.maxinteger - 1 do mix(i) end

return string.format('%d %s', h, table.concat(types))
