-- utf8: made, walked, counted, offset, decoded by pattern, invalid bytes found.
-- engines: lua53 lua54 lua55

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

for i = 1, 1800 do
  local s = utf8.char(65, 200 + i, 1000 + i, 0x4e00 + i, 0x1f600 + i % 50, 66)
  for at, code in utf8.codes(s) do mix(code + at) end
  mix(utf8.len(s))
  mix(utf8.offset(s, 4)) mix(utf8.offset(s, -2))
  mix(utf8.codepoint(s, utf8.offset(s, 3)))
  local count, reversed = 0, ''
  for c in s:gmatch(utf8.charpattern) do
    count = count + #c
    reversed = c .. reversed
  end
  mix(count)
  mix(utf8.len(reversed))
  mix(utf8.codepoint(reversed, 2))
  local ok, at = utf8.len(s .. '\xff' .. s)
  mix(ok == nil and at or 0)
  mix(select('#', utf8.codepoint(s, 1, -1)))
  local caught, message = pcall(utf8.codepoint, '\x80')
  mix(caught and 1 or 2)
end

return string.format('%d', h)
