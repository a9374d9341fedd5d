-- The server's ngx.re: match, find, gmatch, sub and gsub, by text and by functions that compute and err.
-- scripts alone: ngx.re is the server's

local h = 0
local function mix(text)
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
end

local text = ('key1=value1; other_2 = "quoted text" # comment 2026-11-25T10:20:30\n'):rep(3)
local last
for i = 1, 100 do
  local m = ngx.re.match(text, [[(?<year>\d{4})-(\d\d)-(\d\d)]], i % 2 == 0 and 'jo' or '')
  mix(m[0] .. m.year .. m[2] .. m[3])
  local from, to = ngx.re.find(text, [[\w+\s*=]], 'jo', {pos = i % 40 + 1})
  mix(tostring(from) .. tostring(to))
  for word in ngx.re.gmatch(text, [[([a-z]+)(\d*)]], 'joi') do mix(word[1] .. tostring(word[2])) end
  local new, n = ngx.re.gsub(text, [[(\w+)=(\w+)]], '$2=$1', 'jo')
  mix(new .. n)
  last, n = ngx.re.gsub(text, [[\d+]], function(found)
    local sum = 0
    for c in found[0]:gmatch('.') do sum = sum + c:byte() end
    return string.format('%d', sum)
  end, 'jo')
  mix(last .. n)
  new, n = ngx.re.sub(text, 'key', function(found) return found[0]:upper() .. i end)
  mix(new .. n)
  local ok, message = pcall(ngx.re.gsub, text, 'value', function() error('in the callback', 0) end)
  mix(tostring(ok) .. tostring(message))
  mix(tostring(ngx.re.match('none', 'some')) .. tostring(select(2, ngx.re.match('x', '('))))
end

return string.format('%d %s', h, last)
