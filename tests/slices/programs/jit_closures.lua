-- Closures made in hot loops, over the loop's variables, called there and later; upvalues that change.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function compose(f, g) return function(x) return f(g(x)) end end
local function add(n) return function(x) return (x + n) % 1000003 end end

for i = 1, 20000 do
  local double = function(x) return x * 2 + i end
  mix(double(i) % 1000003)
  if i % 50 == 0 then
    local f = compose(double, compose(add(i), add(3)))
    mix(f(i) % 1000003)
  end
end

local kept = {}
for q = 1, 400 do
  local i, j = q, q * 2
  kept[q] = function(x)
    j = (j + x) % 1009
    i = i + 1
    return i + j
  end
end
for round = 1, 60 do
  for i = 1, 400 do mix(kept[i](round)) end
end

local function each(list, f) for i = 1, #list do f(list[i], i) end end
local function map(list, f)
  local out = {}
  each(list, function(v, i) out[i] = f(v) end)
  return out
end
local function fold(list, f, start)
  local result = start
  each(list, function(v) result = f(result, v) end)
  return result
end
local list = {}
for i = 1, 50 do list[i] = i end
for round = 1, 250 do
  mix(fold(map(list, function(v) return v * round % 97 end), function(a, b) return (a * 3 + b) % 1000003 end, 1))
end

return string.format('%d', h)
