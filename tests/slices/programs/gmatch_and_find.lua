-- find, match and gmatch: captures of all kinds, positions, anchors, classes, sets, frontiers, plain text.

local h = 0
local function mix(v)
  local text = tostring(v)
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
end
local function note(...)
  for i = 1, select('#', ...) do mix((select(i, ...))) end
end

local log = {}
for i = 1, 20 do
  log[i] = ('127.0.0.%d - [%02d/Nov/2026] "GET /path/%d?q=%s HTTP/1.1" %d %d'):format(
    i, i, i * 37, ('ab'):rep(i % 4), i % 3 == 0 and 404 or 200, i * 1000)
end
local text = table.concat(log, '\n')

for round = 1, 18 do
  for address, day, path, status, size in
      text:gmatch('(%d+%.%d+%.%d+%.%d+) %- %[(%d+)/%a+/%d+%] "%u+ (%S+) [^"]+" (%d+) (%d+)') do
    note(address, day, path, status, size)
  end
  for line in text:gmatch('[^\n]+') do
    note(line:find('GET', 1, true))
    note(line:find('(%d+)$'))
    note(line:match('q=(%w*)'))
    note(line:match('^(%S+)'), line:match('%S+$'), line:match('absent'))
    note(line:find('404 ', -10))
    note(line:find('%f[%d]%d%d%d%f[%D]'))
  end
  for at, word in ('one two  three'):gmatch('()(%a+)') do note(at, word) end
  for key, value in ('a=1, b=2, c=' .. round):gmatch('(%w+)=(%w+)') do note(key, value) end
  note(('  trim me '):match('^%s*(.-)%s*$'))
  note(('x = "quoted \'text\'"'):match('(["\'])(.-)%1'))
  note(('f(a(b)c)d'):find('%b()'))
  note(('key.with[magic]'):find('[magic]', 1, true), ('a.b'):find('.', 2, true))
  note(('2026-11-25'):match('(%d+)-(%d+)-(%d+)'))
  note(('aXbXc'):find('X', 3), ('aXbXc'):find('X', -1), (''):find(''), ('abc'):find('', 4))
  note(('[[nested]]'):match('%[%[([^%]]+)%]%]'), ('a-b_c'):match('[%w_-]+'), ('\0zero'):match('%z?(%a+)'))
  local count = 0
  for _ in ('aaa'):gmatch('a-') do count = count + 1 end
  note(count)
end

return string.format('%d', h)
