-- Matrices: products, powers, transposes, determinants by elimination, a linear system solved exactly.

local M = {}
M.__index = M
local function matrix(n, f)
  local m = setmetatable({n = n}, M)
  for i = 1, n do
    m[i] = {}
    for j = 1, n do m[i][j] = f(i, j) end
  end
  return m
end
M.__mul = function(a, b)
  return matrix(a.n, function(i, j)
    local sum, row = 0, a[i]
    for k = 1, a.n do sum = (sum + row[k] * b[k][j]) % 10007 end
    return sum
  end)
end
M.__add = function(a, b) return matrix(a.n, function(i, j) return (a[i][j] + b[i][j]) % 10007 end) end
M.__eq = function(a, b)
  for i = 1, a.n do
    for j = 1, a.n do
      if a[i][j] ~= b[i][j] then return false end
    end
  end
  return true
end
function M:transposed() return matrix(self.n, function(i, j) return self[j][i] end) end
function M:power(k)
  local result, square = matrix(self.n, function(i, j) return i == j and 1 or 0 end), self
  while k > 0 do
    if k % 2 == 1 then result = result * square end
    square = square * square
    k = math.floor(k / 2)
  end
  return result
end
local function inverse(a, p)      -- modulo a prime
  local result, n = 1, p - 2
  while n > 0 do
    if n % 2 == 1 then result = result * a % p end
    a = a * a % p
    n = math.floor(n / 2)
  end
  return result
end
function M:determinant()
  local m, det = matrix(self.n, function(i, j) return self[i][j] end), 1
  for c = 1, m.n do
    local pivot
    for r = c, m.n do
      if m[r][c] ~= 0 then pivot = r break end
    end
    if not pivot then return 0 end
    if pivot ~= c then
      m[pivot], m[c] = m[c], m[pivot]
      det = -det
    end
    det = det * m[c][c] % 10007
    local factor = inverse(m[c][c], 10007)
    for r = c + 1, m.n do
      local f = m[r][c] * factor % 10007
      for k = c, m.n do m[r][k] = (m[r][k] - f * m[c][k]) % 10007 end
    end
  end
  return det
end

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end
for round = 1, 16 do
  local a = matrix(8, function(i, j) return (i * 7 + j * 11 + i * j * round) % 101 end)
  local b = matrix(8, function(i, j) return (i * i + j * round) % 97 end)
  assert((a * b):transposed() == b:transposed() * a:transposed())
  assert((a + b) * a == a * a + b * a)
  local p = a:power(13)
  mix(p[1][1]) mix(p[8][3])
  local da, db = a:determinant(), b:determinant()
  assert((a * b):determinant() == da * db % 10007)
  mix(da) mix(db)
end

return string.format('%d', h)
