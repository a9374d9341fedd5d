-- A page from a template: compiled once into a list of functions, rendered `size` times for a list of
-- goods, with everything in it escaped.

local find, format, gsub, match, sub = string.find, string.format, string.gsub, string.match, string.sub
local concat, error, tostring = table.concat, error, tostring

local TEMPLATE = [[
<!doctype html>
<title>{{title}}</title>
<h1>{{title}}</h1>
<p>{{count}} goods for {{user}}</p>
<table>
{%each goods}<tr class="{{class}}"><td>{{name}}</td><td>{{price}}</td>{%if sold}<td>sold out</td>{%end}</tr>
{%end}</table>
]]

local ENTITIES = {['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;'}

local compile

local function text_part(text)
  return function(_, out) out[#out + 1] = text end
end

local function value_part(key)
  return function(values, out) out[#out + 1] = gsub(tostring(values[key]), '[&<>"]', ENTITIES) end
end

local function render(parts, values, out)
  for i = 1, #parts do parts[i](values, out) end
end

local function each_part(key, parts)
  return function(values, out)
    local list = values[key]
    for i = 1, #list do render(parts, list[i], out) end
  end
end

local function if_part(key, parts)
  return function(values, out)
    if values[key] then render(parts, values, out) end
  end
end

-- What stands in the text from `at` on, up to its {%end} or its end, and where that is over.
function compile(text, at)
  local parts = {}
  while true do
    local from, to = find(text, '{[{%%].-}', at)
    if not from then
      parts[#parts + 1] = text_part(sub(text, at))
      return parts, #text + 1
    end
    if from > at then parts[#parts + 1] = text_part(sub(text, at, from - 1)) end
    local word, key = match(sub(text, from, to), '^{%%(%a+) ?(%w*)}$')
    at = to + 1
    if not word then
      parts[#parts + 1] = value_part(sub(text, from + 2, to - 1))
      at = at + 1
    elseif word == 'end' then
      return parts, at
    else
      local inner
      inner, at = compile(text, at)
      if word == 'each' then
        parts[#parts + 1] = each_part(key, inner)
      elseif word == 'if' then
        parts[#parts + 1] = if_part(key, inner)
      else
        error('what is {%' .. word .. '}?')
      end
    end
  end
end

local page = compile(TEMPLATE, 1)

local goods = {}
for i = 1, 20 do
  goods[i] = {
    name = i % 3 == 0 and 'nuts & "bolts" <M' .. i .. '>' or 'goods ' .. i,
    price = format('%.2f', i * 3.75), class = i % 2 == 0 and 'even' or 'odd', sold = i % 5 == 0,
  }
end

return function(size)
  local length, last = 0, nil
  for i = 1, size do
    local out = {}
    render(page, {title = 'Shop <' .. i .. '>', count = #goods, user = 'A & B', goods = goods}, out)
    last = concat(out)
    length = length + #last
  end
  return format('%d %d', length, find(last, '</table>', 1, true))
end
