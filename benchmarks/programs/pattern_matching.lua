-- Patterns over short texts: `size` lines of an access log are taken apart and put together anew.

local find, format, gmatch, gsub, match, upper =
      string.find, string.format, string.gmatch, string.gsub, string.match, string.upper

local LINES = 50

local lines = {}
for i = 1, LINES do
  lines[i] = format(
    '192.0.2.%d - user%d [12/Mar/2024:10:%02d:07 +0000] "GET /shop/item%d?page=%d&sort=name&q=a+b HTTP/1.1" %d %d',
    i, i, i % 60, i * 7, i, i % 5 == 0 and 404 or 200, i * 123)
end

local LINE = '^(%S+) %S+ (%S+) %[([^%]]+)%] "(%u+) ([^ "]+) HTTP/(%d%.%d)" (%d+) (%d+)$'

return function(size)
  local bytes, missing, parameters, plain, length = 0, 0, 0, 0, 0
  for i = 1, size do
    local address, user, time, method, target, version, status, sent = match(lines[i % LINES + 1], LINE)
    bytes = bytes + sent
    if status == '404' then missing = missing + 1 end
    local path, query = match(target, '^([^?]*)%??(.*)$')
    for key, value in gmatch(query, '([^=&]+)=([^&]*)') do parameters = parameters + #key + #value end
    if find(time, ':07 ', 1, true) and find(version, '^1%.') then plain = plain + 1 end
    local masked = gsub(address, '%d+$', 'x')
    local shown = gsub(path .. ' ' .. user, '%f[%a](%a)(%a*)', '%2%1')
    local marked = gsub(method, '%a', upper)
    length = length + #masked + #shown + #marked
  end
  return format('%d %d %d %d %d', bytes, missing, parameters, plain, length)
end
