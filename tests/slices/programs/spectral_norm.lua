-- The spectral norm of an infinite matrix, cut to 64 rows (micro-benchmark).

local function element(i, j)
  local ij = i + j - 1
  return 1 / (ij * (ij - 1) * 0.5 + i)
end

local function multiply(x, y, n, transposed)
  for i = 1, n do
    local sum = 0
    for j = 1, n do sum = sum + x[j] * (transposed and element(j, i) or element(i, j)) end
    y[i] = sum
  end
end

local n = 64
local u, v, t = {}, {}, {}
for i = 1, n do u[i] = 1 end
for _ = 1, 10 do
  multiply(u, t, n) multiply(t, v, n, true)
  multiply(v, t, n) multiply(t, u, n, true)
end
local product, square = 0, 0
for i = 1, n do
  product = product + u[i] * v[i]
  square = square + v[i] * v[i]
end
return ('%.9f'):format(math.sqrt(product / square))
