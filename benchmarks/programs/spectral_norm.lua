-- Nested loops over arrays: the largest singular value of the upper left `size` by `size` corner
-- of an endless matrix.

local format, sqrt = string.format, math.sqrt

local function element(i, j)
  local k = i + j - 1
  return 1 / (k * (k - 1) / 2 + i)
end

local function times(size, vector, result)
  for i = 1, size do
    local sum = 0
    for j = 1, size do sum = sum + element(i, j) * vector[j] end
    result[i] = sum
  end
end

local function times_transposed(size, vector, result)
  for i = 1, size do
    local sum = 0
    for j = 1, size do sum = sum + element(j, i) * vector[j] end
    result[i] = sum
  end
end

return function(size)
  local u, v, between = {}, {}, {}
  for i = 1, size do u[i] = 1 end
  for _ = 1, 10 do
    times(size, u, between)
    times_transposed(size, between, v)
    times(size, v, between)
    times_transposed(size, between, u)
  end
  local mixed, square = 0, 0
  for i = 1, size do
    mixed, square = mixed + u[i] * v[i], square + v[i] * v[i]
  end
  return format('%.9f', sqrt(mixed / square))
end
