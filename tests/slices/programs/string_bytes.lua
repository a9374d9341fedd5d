-- Bytes of strings: ciphers, base64, hexadecimal, run lengths, checksums, reversals, sub with every sign.

local h = 0
local function mix(text)
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
end

local ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
local function base64(s)
  local out = {}
  for i = 1, #s, 3 do
    local a, b, c = s:byte(i, i + 2)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    for k = 3, 0, -1 do
      local digit = math.floor(n / 64 ^ k) % 64 + 1
      out[#out + 1] = (k == 1 and not b or k == 0 and not c) and '=' or ALPHABET:sub(digit, digit)
    end
  end
  return table.concat(out)
end

local function unbase64(s)
  local out = {}
  for block in s:gmatch('....') do
    local n, kept = 0, 3
    for i = 1, 4 do
      local c = block:sub(i, i)
      if c == '=' then kept = kept - 1 end
      n = n * 64 + ((ALPHABET:find(c, 1, true) or 1) - 1)
    end
    out[#out + 1] = string.char(math.floor(n / 65536), math.floor(n / 256) % 256, n % 256):sub(1, kept)
  end
  return table.concat(out)
end

local function caesar(s, by)
  local out = {}
  for i = 1, #s do
    local b = s:byte(i)
    if b >= 97 and b <= 122 then b = (b - 97 + by) % 26 + 97 end
    out[i] = string.char(b)
  end
  return table.concat(out)
end

local function run_lengths(s)
  local out, i = {}, 1
  while i <= #s do
    local j = i
    while s:byte(j + 1) == s:byte(i) do j = j + 1 end
    out[#out + 1] = (j - i + 1) .. s:sub(i, i)
    i = j + 1
  end
  return table.concat(out)
end

local function adler32(s)
  local a, b = 1, 0
  for i = 1, #s do
    a = (a + s:byte(i)) % 65521
    b = (b + a) % 65521
  end
  return b * 65536 + a
end

local last
for i = 1, 55 do
  local text = ('the quick brown fox ' .. i):rep(i % 3 + 1) .. ('z'):rep(i % 11)
  last = base64(text)
  mix(last)
  assert(unbase64(last) == text)
  mix(caesar(caesar(text, i), 3))
  mix(run_lengths(text))
  mix(string.format('%d', adler32(text)))
  mix(text:reverse():upper():lower():sub(-i, -1) .. text:sub(i) .. text:sub(-3, 2) .. text:sub(2, -2))
  mix((text:gsub('.', function(c) return ('%02x'):format(c:byte()) end)))
  local bytes = {text:byte(1, -1)}
  mix(string.char((table.unpack or unpack)(bytes)):sub(1, 20))
end

return string.format('%d %s', h, last)
