-- __tostring and __metatable: through tostring, in buffers, nested; metatables that are hidden.

local h = 0
local function mix(text)
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
end

local Point, Path = {}, {}
Point.__tostring = function(p) return '(' .. p.x .. ', ' .. p.y .. ')' end
Path.__tostring = function(path)
  local parts = {}
  for i, p in ipairs(path) do parts[i] = tostring(p) end
  return '[' .. table.concat(parts, ' -> ') .. ']'
end

local last
for i = 1, 200 do
  local path = setmetatable({}, Path)
  for j = 1, i % 8 + 1 do path[j] = setmetatable({x = j, y = i}, Point) end
  last = tostring(path)
  mix(last)
  local outer = setmetatable({path, setmetatable({x = 'a', y = 'b'}, Point), 7, true}, Path)
  mix(tostring(outer))
  local ok, message = pcall(tostring, setmetatable({}, {__tostring = function() error('no text ' .. i, 0) end}))
  mix(tostring(ok) .. message)
  local hidden = setmetatable({}, {__metatable = 'hidden ' .. i})
  mix(getmetatable(hidden))
  ok, message = pcall(setmetatable, hidden, {})
  mix(tostring(ok) .. tostring(message):match('protected'))
  mix(tostring(nil) .. tostring(i % 2 == 0) .. tostring(i) .. tostring('text'))
end

return string.format('%d %s', h, last)
