-- Bits of 32-bit numbers: CRC-32, MD-like mixing, Gray codes, population counts, masks, permutations.
-- engines: luajit lua53 lua54 lua55

local bit = bit or (load or loadstring)([[
  local function signed(n)
    n = n & 0xffffffff
    return n >= 0x80000000 and n - 0x100000000 or n
  end
  return {
    band = function(a, b) return signed(a & b) end, bor = function(a, b) return signed(a | b) end,
    bxor = function(a, b) return signed(a ~ b) end, bnot = function(a) return signed(~a) end,
    lshift = function(a, n) return signed(a << (n & 31)) end,
    rshift = function(a, n) return signed((a & 0xffffffff) >> (n & 31)) end,
    arshift = function(a, n)
      local s = signed(a)
      return signed(s >= 0 and s >> (n & 31) or ~(~s >> (n & 31)))
    end,
    rol = function(a, n)
      n = n & 31
      a = a & 0xffffffff
      return signed(a << n | a >> (32 - n))
    end,
  }
]])()
local band, bor, bxor, bnot, lshift, rshift, arshift, rol = bit.band, bit.bor, bit.bxor, bit.bnot, bit.lshift,
      bit.rshift, bit.arshift, bit.rol
local h = 0
local function mix(n) h = (h * 31 + n % 4294967296) % 1000000007 end

local crc_table = {}
for i = 0, 255 do
  local c = i
  for _ = 1, 8 do
    if band(c, 1) == 1 then c = bxor(rshift(c, 1), -306674912) else c = rshift(c, 1) end
  end
  crc_table[i] = c
end
local function crc32(text)
  local c = -1
  for i = 1, #text do c = bxor(rshift(c, 8), crc_table[band(bxor(c, text:byte(i)), 255)]) end
  return bnot(c) % 4294967296
end

local function population(n)
  n = n - band(rshift(n, 1), 0x55555555)
  n = band(n, 0x33333333) + band(rshift(n, 2), 0x33333333)
  n = band(n + rshift(n, 4), 0x0f0f0f0f)
  return rshift(band(n * 3, 0x0f0f0f0f) + band(rshift(n, 8), 0x0f), 0) % 1000
end

mix(crc32('123456789'))
for i = 1, 20 do mix(crc32(('lua'):rep(i) .. i)) end
local a, b, c = 0x67452301, -271733879, -1732584194
for i = 1, 1100 do
  a = rol(bxor(a, band(b, c)), i % 31)
  b = bor(lshift(band(b, 0xffff), 3), rshift(c, 29))
  c = bxor(arshift(c, 1), bnot(a))
  mix(bxor(a, bxor(b, c)))
end
for i = 0, 400 do
  local gray = bxor(i, rshift(i, 1))
  local back = gray
  back = bxor(back, rshift(back, 8))
  back = bxor(back, rshift(back, 4))
  back = bxor(back, rshift(back, 2))
  back = bxor(back, rshift(back, 1))
  assert(back == i)
  mix(gray * 100 + population(i))
end

return string.format('%d %d', h, crc32('123456789'))
