-- Strings put together from a tree of tables: a JSON encoder in Lua writes a document `size` times.

local byte, find, format, gsub = string.byte, string.find, string.format, string.gsub
local concat, sort = table.concat, table.sort
local error, pairs, tostring, type = error, pairs, tostring, type

local ESCAPES = {['"'] = '\\"', ['\\'] = '\\\\', ['\n'] = '\\n', ['\t'] = '\\t'}

local function escaped(character) return ESCAPES[character] or format('\\u%04x', byte(character)) end

local pieces, n
local write

local function write_text(text)
  if find(text, '[%c"\\]') then text = gsub(text, '[%c"\\]', escaped) end
  n = n + 1
  pieces[n] = '"' .. text .. '"'
end

local function write_list(list)
  for i = 1, #list do
    n = n + 1
    pieces[n] = i == 1 and '[' or ','
    write(list[i])
  end
  n = n + 1
  pieces[n] = ']'
end

-- In the order of the keys, because that of pairs is not the same everywhere.
local function write_object(object)
  local keys = {}
  for key in pairs(object) do keys[#keys + 1] = key end
  sort(keys)
  for i = 1, #keys do
    n = n + 1
    pieces[n] = i == 1 and '{' or ','
    write_text(keys[i])
    n = n + 1
    pieces[n] = ':'
    write(object[keys[i]])
  end
  n = n + 1
  pieces[n] = '}'
end

function write(value)
  local kind = type(value)
  if kind == 'string' then return write_text(value) end
  if kind == 'table' then
    if value[1] ~= nil then return write_list(value) end
    return write_object(value)
  end
  n = n + 1
  if kind == 'number' then
    pieces[n] = format('%.14g', value)
  elseif kind == 'boolean' then
    pieces[n] = tostring(value)
  else
    error('a ' .. kind .. ' is not JSON')
  end
end

local users = {}
for i = 1, 20 do
  users[i] = {
    id = i, name = 'user ' .. i, tags = {'a', 'bc', 'def'}, ok = i % 2 == 0, score = i * 1.25,
    note = i % 4 == 0 and 'said "hello"\nand left' or 'nothing',
    address = {street = i .. ' Main Street', place = {i / 8, -i / 4}},
  }
end

return function(size)
  local length, sum = 0, 0
  for _ = 1, size do
    pieces, n = {}, 0
    write(users)
    local text = concat(pieces)
    length = length + #text
    for at = 1, #text, 97 do sum = sum + byte(text, at) end
  end
  return format('%d %d', length, sum)
end
