-- Varargs: passed on, counted, selected from, packed with holes, by recursion and by unpack.

local unpack = table.unpack or unpack

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function pass(...) return ... end

local function sum(...)
  local total = 0
  for i = 1, select('#', ...) do total = total + (select(i, ...)) end
  return total
end

local function countdown(n)
  if n == 0 then return end
  return n, countdown(n - 1)
end

local function reverse(...)
  if select('#', ...) == 0 then return end
  local function append(first, ...) return ... end
  local rest = {append(...)}
  local turned = {reverse(unpack(rest))}
  turned[#turned + 1] = (...)
  return unpack(turned)
end

local function holes(...)
  local kinds = {}
  for i = 1, select('#', ...) do kinds[i] = type((select(i, ...))) end
  return table.concat(kinds, ' ')
end

local function middle(a, b, ...)
  local c, d = ...
  return d, c, b, a, select('#', ...)
end

local numbers = {}
for i = 1, 20 do numbers[i] = i * i end

local seen
for round = 1, 800 do
  mix(sum(pass(unpack(numbers, 1, round % 20 + 1))))
  mix(sum(countdown(round % 15)))
  mix(#{round, pass(countdown(round % 11))} + select('#', pass(countdown(round % 9)), countdown(4)))
  mix(select('#', pass(pass(pass(countdown(5)), countdown(4)))))
  mix((reverse(pass(1, 2, 3, round))))
  mix(select('#', reverse(countdown(round % 7))))
  mix(select(-1, countdown(round % 5 + 1)))
  mix(select('#', nil, nil, pass(nil), pass()))
  seen = holes(nil, round, pass('text', nil, false), pass(nil, nil))
  mix(#seen)
  local d, c, b, a, n = middle(pass(round, pass(round + 1, round + 2, round + 3)))
  mix(a + 2 * b + 3 * c + 4 * d + 5 * n)
  local x, y, z = (pass(round, 2)), pass(3)
  mix(x + y + (z == nil and 1 or 0))
  mix((function(...) return select('#', ...) end)((pass(1, 2, 3)), pass(4, 5, 6)))
end

return string.format('%d', h) .. ' ' .. seen
