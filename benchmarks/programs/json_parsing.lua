-- Many short string calls and recursion: a JSON parser in Lua reads a document `size` times.

local byte, find, format, sub = string.byte, string.find, string.format, string.sub
local error, tonumber = error, tonumber

local QUOTE, COMMA, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT = 34, 44, 91, 93, 123, 125
local LETTER_F, LETTER_N, LETTER_T = 102, 110, 116

local text
local value          -- value(at): what stands there, and where it ends

local function skip(at) return (find(text, '[^ \t\r\n]', at)) end

local function text_at(at)
  local last = find(text, '"', at + 1, true)
  return sub(text, at + 1, last - 1), last + 1
end

local function list(at)
  local items, n = {}, 0
  at = skip(at + 1)
  if byte(text, at) == CLOSE_LIST then return items, at + 1 end
  while true do
    n = n + 1
    items[n], at = value(at)
    at = skip(at)
    local after = byte(text, at)
    at = skip(at + 1) or at + 1
    if after == CLOSE_LIST then return items, at end
    if after ~= COMMA then error('"," or "]" expected') end
  end
end

local function object(at)
  local fields = {}
  at = skip(at + 1)
  if byte(text, at) == CLOSE_OBJECT then return fields, at + 1 end
  while true do
    local key
    key, at = text_at(at)
    fields[key], at = value(skip(skip(at) + 1))
    at = skip(at)
    local after = byte(text, at)
    at = skip(at + 1) or at + 1
    if after == CLOSE_OBJECT then return fields, at end
    if after ~= COMMA then error('"," or "}" expected') end
  end
end

function value(at)
  local first = byte(text, at)
  if first == OPEN_OBJECT then return object(at) end
  if first == OPEN_LIST then return list(at) end
  if first == QUOTE then return text_at(at) end
  if first == LETTER_T then return true, at + 4 end
  if first == LETTER_F then return false, at + 5 end
  if first == LETTER_N then return nil, at + 4 end
  local from, to = find(text, '^-?%d+%.?%d*[eE]?[+-]?%d*', at)
  return tonumber(sub(text, from, to)), to + 1
end

local users = {}
for i = 1, 50 do
  users[i] = format(
    '{"id": %d, "name": "user %d", "tags": ["a", "bc", "def"], "ok": %s, "score": %.2f, "none": null}',
    i, i, tostring(i % 2 == 0), i * 1.25)
end
text = '[' .. table.concat(users, ',\n  ') .. ']'

return function(size)
  local sum = 0
  for _ = 1, size do
    local parsed = value(1)
    for i = 1, #parsed do
      local user = parsed[i]
      sum = sum + user.score + #user.name + #user.tags + (user.ok and 1 or 0)
    end
  end
  return format('%.2f', sum)
end
