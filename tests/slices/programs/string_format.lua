-- string.format: every conversion, widths, precision and flags; tostring and tonumber and back.
-- engines: luajit lua52 lua53 lua54 lua55

local h = 0
local function mix(text)
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
end

local last
for i = 1, 300 do
  local x = i / 7
  last = ('%d|%5d|%-5d|%05d|%+d|%i'):format(i, i, i, i, i, -i)
  mix(last)
  mix(('%x|%X|%#x|%o|%c|%u'):format(i * 17, i * 17, i, i, 65 + i % 26, i))
  mix(('%f|%.2f|%10.3f|%-10.1f|%e|%.3e|%g|%.10g|%G'):format(x, x, x, x, x, x, x, x, x))
  mix(('%s|%10s|%-10s|%.3s|%s|%s'):format('text', 'right', 'left', 'truncated', true, nil))
  mix(('%q|%q|%%'):format('a "quoted"\nline\\', 'z' .. i))
  mix(('%.14g'):format(x * 1e10) .. ('%.17g'):format(x) .. ('%5.1f'):format(-x))
  mix(tostring(i) .. tostring(-i) .. tostring(i % 2 == 1))
  local n = tonumber(('%d'):format(i * 3)) + tonumber(('%.3f'):format(x)) + tonumber('0x1F') + tonumber('1e2')
  mix(('%.6f'):format(n))
  mix(('%d'):format(tonumber('zz', 36) + tonumber('777', 8) + tonumber('1011', 2)))
  mix(tostring(tonumber('nothing')) .. tostring(tonumber('')) .. tostring(tonumber('1x')))
  mix(('%s'):rep(3, ','):format('a', i, 'c'))
end

return string.format('%d %s', h, last)
