-- Errors out of comparators, replacement functions, iterators, metamethods and readers, and what is left then.

local load = load
local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end
local function note(ok, message)
  mix((ok and 1 or 0) + (type(message) == 'table' and message.code or #tostring(message)))
end

for i = 1, 300 do
  local list = {}
  for j = 1, 12 do list[j] = (j * 7 + i) % 12 end
  local calls = 0
  note(pcall(table.sort, list, function(a, b)
    calls = calls + 1
    if calls > i % 30 + 1 then error({code = 5}) end
    return a < b
  end))
  local sum = 0
  for j = 1, #list do sum = sum + 1 end
  mix(sum)
  local words = {}
  note(pcall(string.gsub, 'one two three four', '%a+', function(word)
    words[#words + 1] = word
    if #words == i % 6 then error('at ' .. word, 0) end
    return word:upper()
  end))
  mix(#table.concat(words))
  local turns = 0
  note(pcall(function()
    for n in function() turns = turns + 1 if turns == 5 then error({code = turns}) end return turns end do
      mix(n)
    end
  end))
  local M = {}
  for _, name in ipairs({'__add', '__concat', '__index', '__call', '__lt', '__unm', '__newindex'}) do
    M[name] = function() error(name, 0) end
  end
  local object = setmetatable({}, M)
  note(pcall(function() return object + 1 end))
  note(pcall(function() return object .. 'x' end))
  note(pcall(function() return object.x end))
  note(pcall(function() return object(1) end))
  note(pcall(function() return object < object end))
  note(pcall(function() return -object end))
  note(pcall(function() object.x = 1 end))
  local pieces = 0
  local ok, f, message = pcall(load, function()
    pieces = pieces + 1
    if pieces <= 3 then return 'local x' .. pieces .. ' = ' .. i .. ' ' end
    if pieces == 4 then return 'return x1 + x2 + x3' end
  end)
  mix(ok and f() or 0)
end

return string.format('%d', h)
