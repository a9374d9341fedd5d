-- Upvalues that several closures share, after their scope has ended, and across levels of functions.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function counter()
  local n = 0
  return function(d) n = n + d return n end, function() return n end, function() n = 0 end
end

local function account(balance)
  local log = {}
  local self = {}
  function self.deposit(v) balance = balance + v log[#log + 1] = v end
  function self.withdraw(v)
    if v > balance then return nil, 'insufficient funds' end
    balance = balance - v
    log[#log + 1] = -v
    return balance
  end
  function self.state() return balance, #log, log[#log] end
  return self
end

local function levels(a)
  return function(b)
    a = a + 1
    return function(c)
      a, b = a + 2, b + 3
      return function(d)
        a = a + d
        return a + b + c, function() return a, b, c end
      end
    end
  end
end

local pairs_of = {}
for i = 1, 15 do
  local add, get, reset = counter()
  pairs_of[i] = {add = add, get = get, reset = reset}
end
for round = 1, 2000 do
  for i = 1, 15 do
    local p = pairs_of[i]
    p.add(i * round)
    if (i + round) % 11 == 0 then p.reset() end
    mix(p.get())
  end
end

for round = 1, 2000 do
  local a, b = account(100), account(round)
  a.deposit(round)
  local left, problem = b.withdraw(round + 1)
  mix(left == nil and #problem or 0)
  b.deposit(a.withdraw(50))
  local balance, entries, last = b.state()
  mix(balance * 7 + entries * 3 + last)
  local two = levels(round)
  local first, second = two(1)(2), two(10)(20)
  local x, get_first = first(3)
  local y, get_second = second(4)
  local a1, b1, c1 = get_first()
  local a2, b2, c2 = get_second()
  mix(x + y + a1 + b1 * 2 + c1 * 3 + a2 + b2 * 5 + c2 * 7)
end

return string.format('%d', h)
