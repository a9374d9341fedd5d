-- __concat: from either side, in chains, ropes that are flattened later; numbers among strings.

local h = 0
local function mix(text)
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
end

local Rope = {}
local function rope(text) return setmetatable({text}, Rope) end
Rope.__concat = function(a, b)
  if getmetatable(a) ~= Rope then a = rope(a) end
  if getmetatable(b) ~= Rope then b = rope(b) end
  return setmetatable({a, b}, Rope)
end
local function flatten(r, out)
  for i = 1, #r do
    if type(r[i]) == 'table' then flatten(r[i], out) else out[#out + 1] = r[i] end
  end
  return out
end
local function text_of(r) return table.concat(flatten(r, {})) end

local List = {}
List.__concat = function(a, b)
  local both = setmetatable({}, List)
  for _, part in ipairs({a, b}) do
    if type(part) == 'table' then
      for i = 1, #part do both[#both + 1] = part[i] end
    else
      both[#both + 1] = part
    end
  end
  return both
end

for i = 1, 260 do
  local r = rope('a' .. i) .. 'b' .. i .. rope('c') .. ('d' .. i .. 'e')
  r = 'start' .. r .. r .. i .. 'end'
  mix(text_of(r))
  local list = setmetatable({1, 2}, List) .. setmetatable({3}, List) .. 'x' .. setmetatable({}, List)
  list = i .. list .. list
  mix(table.concat(list, ','))
  mix(i .. '' .. i * 2 .. ' ' .. 'x' .. i)
end

return string.format('%d', h)
