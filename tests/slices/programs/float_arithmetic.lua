-- Floating point: compensated sums, series, Newton, integrals, rounding, infinities, NaN and minus zero.

local floor, sqrt, sin, cos, exp, log, huge = math.floor, math.sqrt, math.sin, math.cos, math.exp, math.log, math.huge
local out = {}
local function note(x) out[#out + 1] = ('%.12g'):format(x) end

local s, c = 0, 0
for i = 1, 90000 do
  local y = sqrt(i) * (i % 2 == 0 and 1 or -0.5) - c
  local t = s + y
  c = (t - s) - y
  s = t
end
note(s)

local pi = 0
for k = 0, 30000 do pi = pi + (k % 2 == 0 and 4 or -4) / (2 * k + 1) end
note(pi)

local function newton(f, x)
  for _ = 1, 30 do
    local dx = f(x) * 1e-7 / (f(x + 1e-7) - f(x))
    if dx ~= dx or dx > -1e-14 and dx < 1e-14 then break end
    x = x - dx
  end
  return x
end
for i = 1, 60 do
  local root = newton(function(x) return x * x * x - i end, 2)
  if i % 15 == 0 then out[#out + 1] = ('%.6g'):format(root) end
end

local function simpson(f, a, b, n)
  local step = (b - a) / n
  local sum = f(a) + f(b)
  for i = 1, n - 1 do sum = sum + f(a + i * step) * (i % 2 == 1 and 4 or 2) end
  return sum * step / 3
end
note(simpson(function(x) return x * x * x - 2 * x + 1 end, 0, 3, 10000))
note(simpson(function(x) return 1 / (1 + x * x) end, 0, 1, 10000))

local x, y = 0.4, 0.3
for i = 1, 40000 do x, y = 1 - 1.4 * x * x + y, 0.3 * x end
out[#out + 1] = (x > -1.5 and x < 1.5) and 'bounded' or 'escaped'

local nan, count = 0 / 0, 0
for i = 1, 12000 do
  local v = (i % 5 == 0 and nan) or (i % 7 == 0 and huge) or (i % 11 == 0 and -huge) or i / 3
  if v ~= v then count = count + 1
  elseif v == huge or v == -huge then count = count + 100
  elseif floor(v) == v then count = count + 10000 end
end
note(count)
note(1 / -huge == 0 and 1 or 2)
note(floor(-2.5) + floor(2.5) + math.ceil(-2.5) * 10 + math.ceil(2.5) * 100)
note(2 ^ 0.5 * 2 ^ 10 + 10 % 3.5 - -7.25 % 2)
note(sin(1) * sin(1) + cos(1) * cos(1) + log(exp(2)))
note(math.max(1.5, -2, 3.25) + math.min(4, -1.5) + math.abs(-3.5) + math.fmod(7.5, 2))

return table.concat(out, ' ')
