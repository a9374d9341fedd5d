-- Generic loops: iterators without state, closures, callable tables, next, ipairs, nested, left early.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function range_step(last, i)
  if i < last then return i + 1, i * 2 end
end
local function range(n) return range_step, n, 0 end

local function fibonacci(limit)
  local a, b = 0, 1
  return function()
    if a > limit then return nil end
    local now = a
    a, b = b, a + b
    return now
  end
end

local Countdown = {}
Countdown.__call = function(self)
  self.n = self.n - 1
  if self.n >= 0 then return self.n, self.n % 3 end
end

local function keys_in_order(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  local i = 0
  return function()
    i = i + 1
    if keys[i] then return keys[i], t[keys[i]] end
  end
end

for round = 1, 250 do
  for i, twice in range(round) do mix(i + twice) end
  for n in fibonacci(round * 1000) do mix(n) end
  for n, rest in setmetatable({n = round}, Countdown) do mix(n + rest) end
  local t, sum = {}, 0
  for i = 1, round do t['key' .. i % 13] = i end
  for key, value in pairs(t) do sum = sum + #key * value end
  for key, value in next, t do sum = sum + value end
  mix(sum)
  for key, value in keys_in_order(t) do mix(key:byte(4) + value) end
  for i, value in ipairs({5, 6, 7, nil, 9}) do mix(i * value) end
  for i in range(10) do
    for j in range(i) do
      if j == 4 then break end
      mix(i * j)
    end
  end
  for a, b, c, d in function(s, last) if last < 3 then return last + 1, s, nil, 'd' end end, round, 0 do
    mix(a + b + (c == nil and 1 or 0) + #d)
  end
end

return string.format('%d', h)
