-- Hot loops through pcall, varargs, select, metamethods, coroutines and library calls, mixed.

local unpack = table.unpack or unpack
local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function divide(a, b)
  if b == 0 then error('by zero', 0) end
  return (a - a % b) / b
end
local s = 0
for i = 1, 6000 do
  local ok, r = pcall(divide, i * 100, i % 10)
  s = (s + (ok and r or #r)) % 1000003
end
mix(s)

local function last(...) return (select(select('#', ...), ...)) end
local function count(...) return select('#', ...) end
local function spread(n) return unpack({n, n + 1, n + 2}, 1, n % 3 + 1) end
s = 0
for i = 1, 2000 do
  s = (s + last(spread(i)) + count(i, spread(i)) + count(spread(i), nil)) % 1000003
end
mix(s)

local stack = setmetatable({}, {__call = function(t, v) t[#t + 1] = v return #t end})
for i = 1, 2000 do
  if stack(i) > 50 then
    local popped = table.remove(stack)
    mix(popped)
    for _ = 1, 50 do stack[#stack] = nil end
  end
end

local generator = coroutine.wrap(function()
  local a, b = 0, 1
  while true do
    coroutine.yield(a)
    a, b = b, (a + b) % 1000003
  end
end)
s = 0
for i = 1, 2000 do s = (s * 3 + generator()) % 1000003 end
mix(s)

local sin, floor, max, format = math.sin, math.floor, math.max, string.format
s = 0
for i = 1, 1500 do
  s = (s + floor(max(sin(i), 0.25) * 100) + #format('%d/%d', i, s)) % 1000003
end
mix(s)

local object = {n = 0}
function object:add(v, ...)
  self.n = (self.n + v + select('#', ...)) % 1000003
  return self, ...
end
for i = 1, 2000 do mix((object:add(i, nil, 'x'):add(1)).n) end

return string.format('%d', h)
