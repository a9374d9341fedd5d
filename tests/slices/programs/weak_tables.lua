-- Weak tables: values, keys and both go when nothing else holds them, and stay as long as something does.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

-- Collects until `gone()`; the collector needs as long as it needs, the result is the same.
local function collect_until(gone)
  local steps = 0
  while not gone() do
    collectgarbage('step', 100)
    local garbage = {}
    for i = 1, 20 do garbage[i] = {i, tostring(i)} end
    steps = steps + 1
    assert(steps < 100000)
  end
end

local function count(t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end

local kept = {}
local values = setmetatable({}, {__mode = 'v'})
local keys = setmetatable({}, {__mode = 'k'})
local both = setmetatable({}, {__mode = 'kv'})
local function fill(round)
  for i = 1, 40 do
    local object = {i = i, round = round}
    if i % 8 == 0 then kept[#kept + 1] = object end
    values[#kept * 100 + i] = object
    keys[object] = i
    both[object] = {i}
  end
  values.text, values.number = 'text', round
end

for round = 1, 6 do
  fill(round)
  collect_until(function() return count(values) == 2 + round * 5 and count(keys) == round * 5 and next(both) == nil end)
  for i = 1, #kept do mix(keys[kept[i]] + kept[i].i + kept[i].round) end
  mix(#values.text + values.number)
end

local cache = setmetatable({}, {__mode = 'v'})
local function memoized(n)
  local object = cache[n]
  if object then return object end
  object = {square = n * n}
  cache[n] = object
  return object
end
local hold = {}
for i = 1, 24000 do
  mix(memoized(i % 30).square)
  hold[i % 5] = memoized(i % 30)
end
for i = 0, 4 do mix(memoized(math.floor(math.sqrt(hold[i].square) + 0.5)) == hold[i] and 1 or 0) end
hold = nil
collect_until(function() return next(cache) == nil end)

return string.format('%d', h)
