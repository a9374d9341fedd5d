-- math: floor, ceil, fmod, modf, max and min of many, huge; random numbers that are only asked for their range.

local floor, ceil, fmod, modf, max, min, abs, random =
      math.floor, math.ceil, math.fmod, math.modf, math.max, math.min, math.abs, math.random
local unpack = table.unpack or unpack
local h = 0
local function mix(n) h = (h * 31 + floor(n * 8 + 0.5)) % 1000000007 end

local numbers = {}
for i = 1, 60 do numbers[i] = i * 37 % 61 - 30 end
for i = 1, 2600 do
  local x = i / 8 - 160
  mix(floor(x) * 3 + ceil(x) * 5 + abs(x) + 2000)
  local whole, part = modf(x)
  mix(whole + part + 2000)
  mix(fmod(x, 3) + fmod(x, -7) * 2 + 2000)
  mix(max(x, -x, 3) + min(x, 5, -x) * 2 + 2000)
  mix(max(unpack(numbers, 1, i % 60 + 1)) - min(unpack(numbers)))
  mix(math.sqrt(i * i) + (2 ^ (i % 10)) + (i ^ 0.5 >= 1 and 1 or 0))
  local r = random()
  mix(r >= 0 and r < 1 and 1 or 2)
  r = random(10)
  mix(r >= 1 and r <= 10 and r % 1 == 0 and 3 or 4)
  r = random(-5, 5)
  mix(r >= -5 and r <= 5 and 5 or 6)
  mix(math.huge > x and -math.huge < x and 7 or 8)
  mix(tonumber(('%.3f'):format(math.rad(math.deg(1)))))
end

return string.format('%d', h)
