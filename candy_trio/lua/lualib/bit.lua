-- bit: LuaJIT's bit operations for PUC-Lua, to the bit.
--
-- Numbers become 32 bits as in LuaJIT: it adds 2^52 + 2^51 to the double, which rounds half to even,
-- and takes the low word of what comes out; so numbers beyond 2^51 give what LuaJIT gives for them.
-- In here they are unsigned; results are signed. Integers of 5.3 and newer keep their low 32 bits.

local K, host, A = ...

local load_text = loadstring or load
local floor, select, tonumber, type = math.floor, select, tonumber, type
local math_type, to_integer = math.type, math.tointeger
local format, rep, sub, upper = string.format, string.rep, string.sub, string.upper
local bit32 = bit32

local WORD, SIGN, ONES = 4294967296, 2147483648, 4294967295
local BIAS = 2 ^ 52 + 2 ^ 51
local MANTISSA_LOW, MANTISSA_HIGH = 2 ^ 52, 2 ^ 53    -- doubles in between are their own mantissa
local MAX_DIGITS = 254                                -- of tohex, in LuaJIT

-- ---------------------------------------------------------------------- words
local function low_word(n)
  local biased = n + BIAS
  if biased < 0 then biased = -biased end
  if biased >= MANTISSA_LOW and biased < MANTISSA_HIGH then return biased % WORD end
  if biased ~= biased or biased == 1 / 0 or biased == 0 then return 0 end
  while biased < MANTISSA_LOW do biased = biased * 2 end
  while biased >= MANTISSA_HIGH do biased = biased / 2 end
  return biased % WORD
end

local function signed(word)
  if word >= SIGN then return word - WORD end
  return word
end

-- ---------------------------------------------------------------------- and, or, xor, shifts by 0 to 31
local both, either, one, left, right
if math_type then
  local source = host.lualib_source('bit_operators')
  both, either, one, left, right = load_text(source, '=[candy lualib/bit_operators.lua]')()
else
  function left(a, n) return a * 2 ^ n % WORD end
  function right(a, n) return floor(a / 2 ^ n) end
  if bit32 then
    both, either, one = bit32.band, bit32.bor, bit32.bxor
  else
    local AND = {}                  -- of two digits of four bits: 16 * a + b → a and b
    for a = 0, 15 do
      for b = 0, 15 do
        local value, place, p, q = 0, 1, a, b
        for _ = 1, 4 do
          if p % 2 == 1 and q % 2 == 1 then value = value + place end
          p, q, place = floor(p / 2), floor(q / 2), place * 2
        end
        AND[16 * a + b] = value
      end
    end
    function both(a, b)
      local value, place = 0, 1
      while a > 0 and b > 0 do
        local p, q = a % 16, b % 16
        value = value + AND[16 * p + q] * place
        a, b, place = (a - p) / 16, (b - q) / 16, place * 16
      end
      return value
    end
    function either(a, b) return a + b - both(a, b) end
    function one(a, b) return a + b - 2 * both(a, b) end
  end
end

-- ---------------------------------------------------------------------- arguments
local function word_of(value, position, name, count)
  local n = value
  if type(n) ~= 'number' then
    n = type(n) == 'string' and tonumber(n)
    if not n then return A.bad_argument(position, name, 'number', value, count) end
  end
  if math_type then
    if math_type(n) == 'integer' then return both(n, ONES) end
    return to_integer(low_word(n))
  end
  return low_word(n)
end

local function unary(name, f)
  return function(...)
    return signed(f(word_of((...), 1, name, select('#', ...))))
  end
end

local function folding(name, f)
  return function(...)
    local count = select('#', ...)
    if count == 2 then
      local a, b = ...
      return signed(f(word_of(a, 1, name, 2), word_of(b, 2, name, 2)))
    end
    local word = word_of((...), 1, name, count)
    local values = {...}
    for i = 2, count do word = f(word, word_of(values[i], i, name, count)) end
    return signed(word)
  end
end

local function shifting(name, f)
  return function(...)
    local a, n = ...
    local count = select('#', ...)
    a, n = word_of(a, 1, name, count), word_of(n, 2, name, count)
    return signed(f(a, n % 32))
  end
end

-- ---------------------------------------------------------------------- the functions
local function same(a) return a end
local function inverse(a) return ONES - a end

local function swapped(a)
  return left(a, 24) + left(both(a, 0xFF00), 8) + both(right(a, 8), 0xFF00) + right(a, 24)
end

local function arithmetic_right(a, n)
  if a < SIGN then return right(a, n) end
  return right(a, n) + (ONES - right(ONES, n))
end

local function rotated_left(a, n)
  if n == 0 then return a end
  return left(a, n) + right(a, 32 - n)
end

local function rotated_right(a, n) return rotated_left(a, (32 - n) % 32) end

local function tohex(...)
  local count = select('#', ...)
  local value, digits = ...
  local text = format('%08x', word_of(value, 1, 'tohex', count))
  if count < 2 then return text end
  local n = signed(word_of(digits, 2, 'tohex', count))
  if n < 0 then n, text = -n, upper(text) end
  if n > MAX_DIGITS then n = MAX_DIGITS end
  if n > 8 then return rep('0', n - 8) .. text end
  return sub(text, 9 - n)
end

local M = {}

function M.bit()
  return {
    tobit = unary('tobit', same), tohex = tohex, bnot = unary('bnot', inverse), bswap = unary('bswap', swapped),
    band = folding('band', both), bor = folding('bor', either), bxor = folding('bxor', one),
    lshift = shifting('lshift', left), rshift = shifting('rshift', right),
    arshift = shifting('arshift', arithmetic_right),
    rol = shifting('rol', rotated_left), ror = shifting('ror', rotated_right),
  }
end

return M
