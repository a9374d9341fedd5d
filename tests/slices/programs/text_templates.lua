-- A template engine: text becomes Lua source, that is loaded and run with an environment of closures.

local load = loadstring or load
local h = 0
local function mix(text)
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
end

local function compile(template)
  local code = {'local data, emit, escape = ...'}
  local at = 1
  while true do
    local from, to, kind, inner = template:find('{([{%%])(.-)[}%%]}', at)
    local plain = template:sub(at, (from or 0) - 1)
    if plain ~= '' then code[#code + 1] = ('emit(%q)'):format(plain):gsub('\\\n', '\\n') end
    if not from then break end
    if kind == '{' then
      code[#code + 1] = 'emit(escape(' .. inner .. '))'
    else
      code[#code + 1] = inner
    end
    at = to + 1
  end
  return assert(load(table.concat(code, '\n')))
end

local ENTITIES = {['<'] = '&lt;', ['>'] = '&gt;', ['&'] = '&amp;'}
local function escape(v) return (tostring(v):gsub('[<>&]', ENTITIES)) end
local function render(f, data)
  local out = {}
  f(data, function(text) out[#out + 1] = text end, escape)
  return table.concat(out)
end

local page = [[
<h1>{{ data.title }}</h1>
{% for i, item in ipairs(data.items) do %}
  <li class="{{ i % 2 == 0 and 'even' or 'odd' }}">{{ item.name }}: {{ item.n * 2 }}</li>
{% end %}{% if #data.items > 3 then %}<p>many</p>{% else %}<p>few</p>{% end %}
]]

local last
for i = 1, 100 do
  local f = compile(page .. '<!-- ' .. i .. ' -->')
  local items = {}
  for j = 1, i % 12 do items[j] = {name = 'item <' .. j .. '>', n = j * i} end
  last = render(f, {title = 'A & B ' .. i, items = items})
  mix(last)
end

return string.format('%d %d', h, #last)
