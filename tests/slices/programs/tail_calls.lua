-- Tail calls: loops made of them, between two functions, through methods, varargs and __call.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function loop(n, a, b)
  if n == 0 then return a, b end
  return loop(n - 1, b, (a + b) % 1000007)
end

local is_odd
local function is_even(n)
  if n == 0 then return true end
  return is_odd(n - 1)
end
function is_odd(n)
  if n == 0 then return false end
  return is_even(n - 1)
end

local function rotate(n, first, ...)
  if n == 0 then return first, ... end
  local function put_last(a, ...) return ... end
  local a, b, c = put_last(first, ...)
  return rotate(n - 1, a, b, c, first)
end

local Machine = {}
Machine.__index = Machine
function Machine:run(text, at)
  local c = text:sub(at, at)
  if c == '' then return self.value end
  return self[c](self, text, at)
end
function Machine:a(text, at)
  self.value = self.value + 1
  return self:run(text, at + 1)
end
function Machine:b(text, at)
  self.value = self.value * 2 % 1000003
  return self:run(text, at + 1)
end

local Callable = setmetatable({}, {__call = function(self, n, total)
  if n == 0 then return total end
  return self(n - 1, total + n)
end})

local a, b = loop(100000, 0, 1)
mix(a) mix(b)
mix(is_even(60001) and 1 or 2)
mix(is_even(30000) and 1 or 2)
for n = 1, 200 do
  local w, x, y, z = rotate(n, 1, 2, 3, 4)
  mix(w * 1000 + x * 100 + y * 10 + z)
end
mix(setmetatable({value = 0}, Machine):run(('aab'):rep(2000), 1))
mix(Callable(9000, 0))

return string.format('%d', h)
