-- __call: with varargs and several results, tail-called, memoizing, currying, composed, in iterators.

local unpack = table.unpack or unpack
local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local Function = {}
local function lift(f) return setmetatable({f = f, calls = 0}, Function) end
Function.__call = function(self, ...)
  self.calls = self.calls + 1
  return self.f(...)
end
Function.__mul = function(a, b) return lift(function(...) return a(b(...)) end) end

local function curry(n, f)
  local held = {}
  return setmetatable({}, {__call = function(self, v)
    held[#held + 1] = v
    if #held < n then return self end
    local all = held
    held = {}
    return f(unpack(all))
  end})
end

local memo = setmetatable({}, {__call = function(self, n)
  local known = rawget(self, n)
  if known then return known end
  local made = n < 2 and n or (self(n - 1) + self(n - 2)) % 1000003
  self[n] = made
  return made
end})

local double = lift(function(n) return n * 2 end)
local plus = lift(function(a, b) return a + (b or 100) end)
local both = lift(function(n) return n, n + 1, n + 2 end)

for i = 1, 900 do
  mix(double(i) + plus(i) + plus(i, 1))
  mix((double * plus * both)(i))
  mix(select('#', both(i)))
  local add3 = curry(3, function(a, b, c) return a * 100 + b * 10 + c end)
  mix(add3(i)(2)(3))
  mix(add3(1)(2)(i))
  mix(memo(i % 90))
  local ok, message = pcall(setmetatable({}, {__call = function(self, n) error('called with ' .. n, 0) end}), i)
  mix(ok and 1 or #message)
  local nested = setmetatable({}, {__call = lift(function(self, a, b) return a - b end).f})
  mix(nested(i, 1))
end
mix(double.calls * 3 + plus.calls * 5 + both.calls * 7)

return string.format('%d', h)
