-- Several results of a call: as arguments, in constructors, adjusted, cut by parentheses.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function three(a) return a, a + 1, a + 2 end
local function none() end
local function id(...) return ... end
local function counted(...) return select('#', ...), ... end

for i = 1, 2000 do
  local t = {three(i)}
  mix(t[1] + t[2] + t[3] + #t)
  t = {i, id(three(i))}
  mix(#t + t[4])
  t = {three(i), three(i)}
  mix(#t + t[1] - t[2])
  t = {(three(i)), none(), three(i)}
  mix(t[1] + (t[2] == nil and 7 or 0) + t[5])
  mix(math.max(id(three(i)), id(three(i))))
  local n, a, b, c = counted(id(three(i)))
  mix(n * a - b + c)
  local text = string.char(id(65 + i % 20, 66, id(67, 68)))
  mix(#text + text:byte(1))
  mix(#string.format('%d-%d-%d', id(three(i))))
  mix((select(-1, id(three(i)))))
  mix(select('#', none()) + select('#', (none())) + select('#', none(), none()))
  local x, y, z, rest = three(i), three(i + 1)
  mix(x + y * 2 + z * 3 + rest * 5)
  local p, q = (three(i))
  mix(p + (q == nil and 1 or 0))
  local r, s = none(), i
  mix((r == nil and 1 or 0) + s)
  mix(select('#', three(1), none(), id(), id(three(2))))
end

return string.format('%d', h)
