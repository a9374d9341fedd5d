-- Strings in hot loops: sub, byte, char, comparison, concatenation, keys of tables, numbers from and to text.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end
local byte, char, sub, tostring, tonumber = string.byte, string.char, string.sub, tostring, tonumber

local text = ('The quick brown fox jumps over the lazy dog. '):rep(100)
local counts = {}
for i = 1, #text do
  local c = sub(text, i, i)
  counts[c] = (counts[c] or 0) + 1
end
for _, c in ipairs({'T', 'q', ' ', 'o', '.', 'e'}) do mix(counts[c]) end

local s = 0
for i = 1, #text do s = (s * 31 + byte(text, i)) % 1000003 end
mix(s)

local out = {}
for i = 1, #text do
  local b = byte(text, i)
  out[i] = b >= 97 and b <= 122 and char(219 - b) or char(b)
end
local turned = table.concat(out)
mix(#turned + byte(turned, 5))

local keys = {}
for i = 1, 8000 do
  local key = 'key' .. i % 300
  keys[key] = (keys[key] or 0) + i
end
for i = 0, 299, 7 do mix(keys['key' .. i]) end

local larger, equal = 0, 0
for i = 1, 8000 do
  local a, b = 'a' .. i % 50, 'a' .. i * 7 % 50
  if a < b then larger = larger + 1 elseif a == b then equal = equal + 1 end
end
mix(larger * 1000 + equal)

local n = 0
for i = 1, 8000 do n = n + tonumber(tostring(i)) + tonumber('0.5') * 2 end
mix(n)

local line = ''
for i = 1, 8000 do
  line = line .. char(97 + i % 26)
  if #line > 60 then line = sub(line, 31) end
end
mix(#line)
for i = 1, #line do mix(byte(line, i)) end

return string.format('%d %s', h, line)
