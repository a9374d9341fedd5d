-- while and repeat: conditions on locals of the body, breaks, loops in loops, Collatz and Euclid.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function collatz(n)
  local steps = 0
  repeat
    if n % 2 == 0 then n = n / 2 else n = 3 * n + 1 end
    steps = steps + 1
  until n == 1
  return steps
end

local function gcd(a, b)
  while b ~= 0 do a, b = b, a % b end
  return a
end

local function bits_of(n)
  local bits = 0
  while true do
    if n == 0 then break end
    repeat
      local half = math.floor(n / 2)
      if half * 2 == n then break end
      bits = bits + 1
    until true
    n = math.floor(n / 2)
  end
  return bits
end

for n = 2, 1500 do
  mix(collatz(n))
  mix(gcd(n * 91, 2310))
  mix(bits_of(n * n))
  local i = n
  repeat
    local last = i
    i = math.floor(i / 3)
    local j = 0
    while j < last % 4 do
      j = j + 1
      if j == 3 then break end
      mix(j)
    end
  until last < 3
end

return string.format('%d', h)
