-- Arithmetic metamethods: complex numbers and fractions, from either side, mixed with plain numbers.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local Complex = {}
Complex.__index = Complex
local function complex(re, im) return setmetatable({re = re, im = im or 0}, Complex) end
local function of(v) return type(v) == 'number' and complex(v) or v end
function Complex.__add(a, b) a, b = of(a), of(b) return complex(a.re + b.re, a.im + b.im) end
function Complex.__sub(a, b) a, b = of(a), of(b) return complex(a.re - b.re, a.im - b.im) end
function Complex.__mul(a, b)
  a, b = of(a), of(b)
  return complex((a.re * b.re - a.im * b.im) % 10007, (a.re * b.im + a.im * b.re) % 10007)
end
function Complex.__unm(a) return complex(-a.re, -a.im) end
function Complex.__pow(a, n)
  local result = complex(1)
  for _ = 1, n do result = result * a end
  return result
end

local function gcd(a, b)
  while b ~= 0 do a, b = b, a % b end
  return a
end
local Fraction = {}
local function fraction(p, q)
  local d = gcd(p, q)
  if d < 0 then d = -d end
  return setmetatable({p = math.floor(p / d), q = math.floor(q / d)}, Fraction)
end
Fraction.__add = function(a, b) return fraction(a.p * b.q + b.p * a.q, a.q * b.q) end
Fraction.__div = function(a, b) return fraction(a.p * b.q, a.q * b.p) end
Fraction.__mod = function(a, b)
  if type(b) == 'number' then b = fraction(b, 1) end
  local whole = math.floor(a.p * b.q / (a.q * b.p))
  return fraction(a.p * b.q - whole * b.p * a.q, a.q * b.q)
end

for i = 1, 450 do
  local z = complex(i, i % 7)
  local w = (z + 3) * (2 * z - complex(1, 1)) + -z
  mix(w.re + 20000) mix(w.im + 20000)
  w = z ^ (i % 5) + 1
  mix(w.re) mix(w.im)
  local f = fraction(i, 12)
  local sum = f + fraction(1, i) + fraction(i % 5 + 1, 7)
  mix(sum.p % 1000 + sum.q % 1000)
  local quotient = f / fraction(3, i % 9 + 1)
  mix(quotient.p * 10 + quotient.q)
  local rest = f % 2 % fraction(3, 4)
  mix(rest.p * 10 + rest.q)
end

return string.format('%d', h)
