-- Whole numbers: generators, modular powers, sieves, primes by trial, digits, squares, in exact range.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end
local floor = math.floor

local x = 1
for i = 1, 60000 do
  x = (x * 1103515 + 12345) % 2147483648
  if x % 3 == 0 then x = x + i end
end
mix(x)

local function power(base, n, m)
  local result = 1
  base = base % m
  while n > 0 do
    if n % 2 == 1 then result = result * base % m end
    base = base * base % m
    n = floor(n / 2)
  end
  return result
end
for i = 1, 1200 do mix(power(i, i * i + 7, 999983)) end

local composite, primes = {}, 0
for i = 2, 30000 do
  if not composite[i] then
    primes = primes + 1
    for j = i * i, 30000, i do composite[j] = true end
  end
end
mix(primes)

local function digits(n)
  local sum = 0
  repeat
    sum = sum + n % 10
    n = floor(n / 10)
  until n == 0
  return sum
end
for i = 1, 3000 do mix(digits(i * i * i)) end

local function root(n)
  local low, high = 0, n + 1
  while high - low > 1 do
    local middle = floor((low + high) / 2)
    if middle * middle <= n then low = middle else high = middle end
  end
  return low
end
for i = 1, 300 do mix(root(i * 1000 + 3)) end
mix(-7 % 3 + 10) mix(7 % -3 + 10) mix(-7 % -3 + 10)

return string.format('%d %d', h, primes)
