-- Functions made at run time: counters over shared variables, functions of functions, lists that are
-- mapped, filtered and folded; `size` times.

local format = string.format

local function counter(start, step)
  local value = start
  return function()
    value = value + step
    return value
  end, function() return value end
end

local function adder(a)
  return function(b)
    return function(c) return a + b + c end
  end
end

local function composed(f, g)
  return function(x) return f(g(x)) end
end

local function map(list, f)
  local result = {}
  for i = 1, #list do result[i] = f(list[i]) end
  return result
end

local function filter(list, is_wanted)
  local result = {}
  for i = 1, #list do
    if is_wanted(list[i]) then result[#result + 1] = list[i] end
  end
  return result
end

local function fold(list, f, value)
  for i = 1, #list do value = f(value, list[i]) end
  return value
end

local numbers = {}
for i = 1, 50 do numbers[i] = i end

return function(size)
  local total = 0
  for i = 1, size do
    local advance, value = counter(i, 3)
    for _ = 1, 20 do advance() end
    local transform = composed(adder(i)(2), function(x) return x * 2 end)
    local wanted = filter(map(numbers, transform), function(x) return x % 3 == i % 3 end)
    total = total + value() + fold(wanted, function(sum, x) return sum + x end, 0)
  end
  return format('%d', total)
end
