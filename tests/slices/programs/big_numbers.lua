-- Numbers of many digits in tables: factorials, powers, digits of pi, a long division, comparisons.

local floor = math.floor
local BASE = 10000

local function big(n)
  local t = {}
  repeat
    t[#t + 1] = n % BASE
    n = floor(n / BASE)
  until n == 0
  return t
end
local function times(t, n)
  local carry, out = 0, {}
  for i = 1, #t do
    local v = t[i] * n + carry
    out[i] = v % BASE
    carry = floor(v / BASE)
  end
  while carry > 0 do
    out[#out + 1] = carry % BASE
    carry = floor(carry / BASE)
  end
  return out
end
local function product(a, b)
  local out = {}
  for i = 1, #a + #b do out[i] = 0 end
  for i = 1, #a do
    local carry = 0
    for j = 1, #b do
      local v = out[i + j - 1] + a[i] * b[j] + carry
      out[i + j - 1] = v % BASE
      carry = floor(v / BASE)
    end
    out[i + #b] = carry
  end
  while #out > 1 and out[#out] == 0 do out[#out] = nil end
  return out
end
local function remainder(t, n)
  local rest = 0
  for i = #t, 1, -1 do rest = (rest * BASE + t[i]) % n end
  return rest
end
local function text(t)
  local out = {string.format('%d', t[#t])}
  for i = #t - 1, 1, -1 do out[#out + 1] = ('%04d'):format(t[i]) end
  return table.concat(out)
end

local factorial = big(1)
for i = 2, 400 do factorial = times(factorial, i) end
local power = big(7)
for _ = 1, 9 do power = product(power, power) end

local digits, size = {}, floor(10 * 150 / 3) + 1
local a = {}
for i = 1, size do a[i] = 2 end
local nines, held = 0, 0
for _ = 1, 150 do
  local q = 0
  for i = size, 1, -1 do
    local x = 10 * a[i] + q * i
    a[i] = x % (2 * i - 1)
    q = floor(x / (2 * i - 1))
  end
  a[1] = q % 10
  q = floor(q / 10)
  if q == 9 then
    nines = nines + 1
  elseif q == 10 then
    digits[#digits + 1] = held + 1
    for _ = 1, nines do digits[#digits + 1] = 0 end
    held, nines = 0, 0
  else
    digits[#digits + 1] = held
    for _ = 1, nines do digits[#digits + 1] = 9 end
    held, nines = q, 0
  end
end
for i = 1, #digits do digits[i] = string.format('%d', digits[i]) end

return table.concat(digits) .. ' ' .. text(factorial):sub(1, 40) .. ' ' .. #text(factorial) .. ' ' ..
  text(power):sub(-40) .. ' ' .. string.format('%d', remainder(factorial, 9973) + remainder(power, 9973))
