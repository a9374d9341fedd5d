-- Backtracking with coroutines: goals that yield each solution, a matcher of patterns, coins, symmetric transfer.

local wrap, yield, create, resume = coroutine.wrap, coroutine.yield, coroutine.create, coroutine.resume
local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

-- Patterns are functions(text, position) that yield every position after a match.
local function literal(text)
  return function(s, at)
    if s:sub(at, at + #text - 1) == text then yield(at + #text) end
  end
end
local function either(a, b)
  return function(s, at) a(s, at) b(s, at) end
end
local function sequence(a, b)
  return function(s, at)
    for next_at in wrap(function() a(s, at) end) do b(s, next_at) end
  end
end
local function many(a)
  local function self(s, at)
    for next_at in wrap(function() a(s, at) end) do
      if next_at > at then self(s, next_at) end
    end
    yield(at)
  end
  return self
end
local function matches(s, pattern)
  local count = 0
  for at in wrap(function() pattern(s, 1) end) do
    if at == #s + 1 then count = count + 1 end
  end
  return count
end

local function coins(amount, list, from)
  return wrap(function()
    if amount == 0 then yield({}) return end
    for i = from or 1, #list do
      if list[i] <= amount then
        for rest in coins(amount - list[i], list, i) do
          rest[#rest + 1] = list[i]
          yield(rest)
        end
      end
    end
  end)
end

local function transfer(table_of, first, turns)
  local current, value = first, 1
  while turns > 0 do
    turns = turns - 1
    local _, name, v = resume(table_of[current], value)
    current, value = name, v
    mix(v)
  end
end

local abc = many(either(either(literal('a'), literal('ab')), either(literal('b'), literal('c'))))
for _, text in ipairs({'abc', 'aabb', 'ababab', 'cabcab', 'x', 'abx'}) do mix(matches(text, abc)) end
mix(matches('aaaa', sequence(many(literal('a')), many(literal('a')))))
mix(matches('abab', sequence(many(literal('ab')), sequence(many(literal('a')), many(literal('b'))))))
for amount = 1, 24 do
  for list in coins(amount, {10, 5, 2, 1}) do mix(#list) end
end
transfer({
  a = create(function(v) while true do v = yield('b', (v + 1) % 1009) end end),
  b = create(function(v) while true do v = yield(v % 2 == 0 and 'a' or 'c', v * 3 % 1009) end end),
  c = create(function(v) while true do v = yield('a', v + 7) end end),
}, 'a', 900)

return string.format('%d', h)
