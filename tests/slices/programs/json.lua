-- JSON: a parser and a writer, over documents that go there and back (micro-benchmark).

local ESCAPES = {b = '\b', f = '\f', n = '\n', r = '\r', t = '\t', ['"'] = '"', ['\\'] = '\\', ['/'] = '/'}
local REVERSED = {}
for letter, c in pairs(ESCAPES) do if letter ~= '/' then REVERSED[c] = '\\' .. letter end end
local null = {}

local parse
local function skip(text, at) return text:find('[^%s]', at) or #text + 1 end
local function fail(text, at, what) error(('%s at %d'):format(what, at), 0) end

local function parse_string(text, at)
  local out = {}
  at = at + 1
  while true do
    local from, to, plain = text:find('^([^"\\]+)', at)
    if from then
      out[#out + 1] = plain
      at = to + 1
    end
    local c = text:sub(at, at)
    if c == '"' then return table.concat(out), at + 1 end
    if c == '' then fail(text, at, 'unfinished string') end
    local letter = text:sub(at + 1, at + 1)
    if letter == 'u' then
      out[#out + 1] = string.char(tonumber(text:sub(at + 2, at + 5), 16) % 256)
      at = at + 6
    else
      out[#out + 1] = ESCAPES[letter] or fail(text, at, 'bad escape')
      at = at + 2
    end
  end
end

local function parse_array(text, at)
  local list = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == ']' then return list, at + 1 end
  while true do
    list[#list + 1], at = parse(text, at)
    at = skip(text, at)
    local c = text:sub(at, at)
    if c == ']' then return list, at + 1 end
    if c ~= ',' then fail(text, at, 'expected , or ]') end
    at = skip(text, at + 1)
  end
end

local function parse_object(text, at)
  local object = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == '}' then return object, at + 1 end
  while true do
    if text:sub(at, at) ~= '"' then fail(text, at, 'expected a key') end
    local key, value
    key, at = parse_string(text, at)
    at = skip(text, at)
    if text:sub(at, at) ~= ':' then fail(text, at, 'expected :') end
    value, at = parse(text, skip(text, at + 1))
    object[key] = value
    at = skip(text, at)
    local c = text:sub(at, at)
    if c == '}' then return object, at + 1 end
    if c ~= ',' then fail(text, at, 'expected , or }') end
    at = skip(text, at + 1)
  end
end

function parse(text, at)
  local c = text:sub(at, at)
  if c == '{' then return parse_object(text, at) end
  if c == '[' then return parse_array(text, at) end
  if c == '"' then return parse_string(text, at) end
  local word = text:match('^%a+', at)
  if word == 'true' then return true, at + 4 end
  if word == 'false' then return false, at + 5 end
  if word == 'null' then return null, at + 4 end
  local number = text:match('^-?%d+%.?%d*[eE]?[+-]?%d*', at)
  if not number then fail(text, at, 'unexpected ' .. (c == '' and 'end' or c)) end
  return tonumber(number), at + #number
end

local function write(v)
  if v == null then return 'null' end
  if type(v) == 'string' then return '"' .. v:gsub('["\\%c]', REVERSED) .. '"' end
  if type(v) ~= 'table' then return type(v) == 'number' and ('%.14g'):format(v) or tostring(v) end
  local out = {}
  if #v > 0 then
    for i = 1, #v do out[i] = write(v[i]) end
    return '[' .. table.concat(out, ',') .. ']'
  end
  local keys = {}
  for key in pairs(v) do keys[#keys + 1] = key end
  table.sort(keys)
  for i, key in ipairs(keys) do out[i] = write(key) .. ':' .. write(v[key]) end
  return '{' .. table.concat(out, ',') .. '}'
end

local h, last = 0, nil
for i = 1, 60 do
  local document = {
    id = i, name = 'Name "' .. i .. '"\n', ok = i % 2 == 0, none = null, ratio = i / 8,
    tags = {'a', 'b\\c', 'tab\t'}, nested = {deep = {deeper = {i, i + 1, {x = {}}}}}, points = {},
  }
  for j = 1, i % 9 do document.points[j] = {x = j, y = -j * 1.5} end
  last = write(document)
  local again = write((parse(last, 1)))
  assert(again == last)
  for k = 1, #last, 3 do h = (h * 31 + last:byte(k)) % 1000000007 end
  for _, bad in ipairs({'{"a" 1}', '[1 2]', '"open', '{"a":}', 'nul!', '["\\x"]'}) do
    local ok, message = pcall(parse, bad, 1)
    h = (h * 31 + #tostring(message) + (ok and 1 or 0)) % 1000000007
  end
end
return string.format('%d %s', h, last)
