-- __index and __newindex: as functions and tables, in chains, defaults, proxies, read-only tables, raw access.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function squares()
  return setmetatable({}, {__index = function(t, n)
    local sum = 0
    for _ = 1, n do sum = sum + n end
    rawset(t, n, sum)
    return sum
  end})
end

local function chain(length)
  local t = {bottom = length}
  for i = 1, length do
    t = setmetatable({['level' .. i] = i}, {__index = t})
  end
  return t
end

local function tracked(t)
  local reads, writes = 0, 0
  local proxy = setmetatable({}, {
    __index = function(_, key) reads = reads + 1 return t[key] end,
    __newindex = function(_, key, v) writes = writes + 1 t[key] = v end,
  })
  return proxy, function() return reads, writes end
end

local function read_only(t)
  return setmetatable({}, {__index = t, __newindex = function(_, key) error('read-only: ' .. key, 0) end})
end

local redirected = {}
local sink = setmetatable({}, {__newindex = redirected})

for round = 1, 330 do
  local s = squares()
  for i = 1, 12 do mix(s[i % 6 + round % 10]) end
  mix(rawget(s, 99) == nil and 1 or 2)
  local t = chain(round % 12 + 1)
  mix(t.bottom) mix(t.level1) mix(t.absent == nil and 3 or 4)
  local proxy, counts = tracked({total = 0})
  for i = 1, 10 do
    proxy.total = proxy.total + i
    proxy['k' .. i % 3] = i
  end
  local reads, writes = counts()
  mix(proxy.total) mix(reads * 100 + writes) mix(proxy.k1 + proxy.k2)
  local fixed = read_only({a = round})
  local ok, message = pcall(function() fixed.b = 1 end)
  mix(fixed.a) mix(ok and 1 or #message)
  sink['key' .. round] = round
  mix(redirected['key' .. round] + (rawget(sink, 'key' .. round) and 1 or 0))
  local doubled = setmetatable({}, {__newindex = function(target, key, v) rawset(target, key, v * 2) end})
  doubled.x = round
  doubled.x = doubled.x + 1
  mix(doubled.x)
  local defaults = setmetatable({}, {__index = function() return 0 end})
  for letter in ('the quick brown fox'):gmatch('%a') do defaults[letter] = defaults[letter] + 1 end
  mix(defaults.o * 100 + defaults.u * 10 + defaults.z)
end

return string.format('%d', h)
