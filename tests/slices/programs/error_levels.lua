-- Positions in error messages: level 0, 1, 2 and 3, of the kinds of functions, kept when raised again.

local h, seen = 0, {}
local function note(ok, message)
  seen[message] = true
  for i = 1, #message do h = (h * 31 + message:byte(i)) % 1000000007 end
end

local function raise(level, text) error(text, level) end
local function outer(level, text)
  raise(level, text)
  return 1
end
local function outermost(level, text)
  outer(level, text)
  return 1
end

local Checked = {}
Checked.__index = function(_, key)
  if key == 'method' then
    return function(self, n)
      if type(n) ~= 'number' then error('number expected', 2) end
      return n
    end
  end
  error('no field ' .. key, 2)
end
local object = setmetatable({}, Checked)

for i = 1, 400 do
  for level = 0, 3 do
    note(pcall(function()
      outermost(level, 'level ' .. level)
      return 1
    end))
  end
  note(pcall(function() error('default') end))
  note(pcall(function() return object.absent + 1 end))
  note(pcall(function()
    local n = object:method('x')
    return n
  end))
  note(pcall(function()
    local ok, message = pcall(function() error('inner') end)
    error(message, 0)
  end))
  note(pcall(function()
    local ok, message = pcall(function() error('inner') end)
    error('again ' .. message)
  end))
end

local list = {}
for message in pairs(seen) do list[#list + 1] = message end
table.sort(list)
return string.format('%d ', h) .. table.concat(list, '; ')
