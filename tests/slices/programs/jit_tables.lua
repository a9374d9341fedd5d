-- Tables that live for one turn of a hot loop (a compiler may never make them), and that escape now and then.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function vector(x, y) return {x = x, y = y} end
local function sum(a, b) return vector(a.x + b.x, a.y + b.y) end
local function scaled(a, n) return vector(a.x * n % 10007, a.y * n % 10007) end

local escaped = {}
local v = vector(1, 2)
for i = 1, 15000 do
  local w = sum(v, scaled(vector(i, i + 1), 3))
  v = vector(w.x % 10007, w.y % 10007)
  if i % 300 == 0 then escaped[#escaped + 1] = w end
end
mix(v.x) mix(v.y)
for i = 1, #escaped do mix(escaped[i].x + escaped[i].y) end

local total = 0
for i = 1, 9000 do
  local t = {i, i + 1, i + 2}
  local u = {t[3], t[2], t[1], n = i}
  total = (total + u[1] * u[2] + u.n) % 1000003
  if total % 511 == 0 then
    t.marked = u
    escaped[#escaped + 1] = {x = #t, y = #t.marked}
  end
end
mix(total) mix(#escaped)

local meta = {__index = function(t, k) return k * 2 end, __add = function(a, b) return a.n + b.n end}
local s = 0
for i = 1, 8000 do
  local a, b = setmetatable({n = i}, meta), setmetatable({n = 1}, meta)
  s = (s + (a + b) + a[i] - b[3]) % 1000003
end
mix(s)

local function multiple(i)
  local pair = {i, i * 2}
  return pair[1], pair[2], pair
end
local last
for i = 1, 8000 do
  local a, b, pair = multiple(i)
  s = (s + a * 2 - b + #pair) % 1000003
  last = pair
end
mix(s) mix(last[1] + last[2])

return string.format('%d', h)
