-- Metamethods of the operators that integers have: //, &, |, ~, <<, >>, unary ~; on sets of bits.
-- engines: lua53 lua54 lua55

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local Bits = {}
local function bits(n) return setmetatable({n = n & 0xffff}, Bits) end
local function value(v) return type(v) == 'table' and v.n or v end
Bits.__band = function(a, b) return bits(value(a) & value(b)) end
Bits.__bor = function(a, b) return bits(value(a) | value(b)) end
Bits.__bxor = function(a, b) return bits(value(a) ~ value(b)) end
Bits.__shl = function(a, b) return bits(value(a) << value(b)) end
Bits.__shr = function(a, b) return bits(value(a) >> value(b)) end
Bits.__bnot = function(a) return bits(~a.n) end
Bits.__idiv = function(a, b) return bits(value(a) // value(b)) end
Bits.__len = function(a)
  local n, count = a.n, 0
  while n ~= 0 do
    n = n & (n - 1)
    count = count + 1
  end
  return count
end

for i = 1, 900 do
  local a, b = bits(i * 2654435761), bits(i * 40503)
  local c = (a & b) | (a ~ 0x0f0f) & ~b
  mix(c.n) mix(#c)
  c = (c << 3 | a >> 5) ~ (1 | b)
  mix(c.n) mix(#c)
  c = (a // 3 ~ 7 & b) // bits(i % 13 + 1)
  mix(c.n)
  mix((0xff & a).n + (2 << bits(i % 8)).n)
end

return string.format('%d', h)
