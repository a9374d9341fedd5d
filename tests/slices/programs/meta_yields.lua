-- Metamethods of every kind, and iterators, that yield in the midst of an expression.
-- engines: luajit lua52 lua53 lua54 lua55

local yield = coroutine.yield
local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local M = {}
local function new(n) return setmetatable({n = n}, M) end
local function number(v) return type(v) == 'table' and rawget(v, 'n') or v end
M.__add = function(a, b) return new(number(a) + yield('add', number(b))) end
M.__sub = function(a, b) return new(number(a) - yield('sub', number(b))) end
M.__mul = function(a, b) return new((number(a) * yield('mul', number(b))) % 10007) end
M.__unm = function(a) return new(-yield('unm', a.n)) end
M.__concat = function(a, b) return number(a) .. '.' .. yield('concat', number(b)) end
M.__eq = function(a, b) return yield('eq', a.n) == b.n end
M.__lt = function(a, b) return number(a) < yield('lt', number(b)) end
M.__le = function(a, b) return number(a) <= yield('le', number(b)) end
M.__index = function(_, key) return yield('index', #key) end
M.__newindex = function(t, key, v) rawset(t, key, yield('newindex', v)) end
M.__call = function(self, a, ...) return self.n + yield('call', a), ... end

local function work(i)
  local a, b = new(i), new(i % 7)
  local c = (a + b * 3 - 1) * (-b) + a
  mix(c.n + 100000)
  mix(a.somewhere + b.elsewhere)
  a.field = c.n
  mix(rawget(a, 'field') + 100000)
  mix((a == new(i) and 1 or 0) + (a < b and 2 or 0) + (a <= new(i) and 4 or 0) + (b > new(3) and 8 or 0))
  local text = a .. b .. 'x'
  mix(#text)
  local p, q, r = a(1, 'two', 3)
  mix(p + #q + r)
  for k, v in function(limit, k) if k < limit then return k + 1, yield('next', k) end end, 4, 0 do
    mix(k * v)
  end
  return 'end'
end

local yields = 0
for i = 1, 280 do
  local co = coroutine.create(work)
  local ok, what, value = coroutine.resume(co, i)
  while coroutine.status(co) ~= 'dead' do
    yields = yields + 1
    mix(#what)
    ok, what, value = coroutine.resume(co, value)
  end
  assert(ok, what)
end

return string.format('%d %d', h, yields)
