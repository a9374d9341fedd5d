-- Endless recursion of several kinds is an error that can be caught, and afterwards all is as before.

local out = {}
local function note(label, ok, message)
  out[#out + 1] = label .. ' ' .. tostring(ok) .. ' ' ..
    (type(message) == 'string' and (message:match('stack overflow') or message) or type(message))
end

-- Frames of many values fill the stack with few calls.
local unpack = table.unpack or unpack
local many = {}
for i = 1, 200 do many[i] = i end

local depth = 0
local function plain(...)
  depth = depth + 1
  return 1 + plain(...)
end

local a, b
function a(...) return 1 + b(...) end
function b(...) return 2 + a(...) end

local Endless = {}
Endless.__index = function(t, key) return 1 + t[key + 1] end

note('plain', pcall(plain, unpack(many)))
note('deep enough', depth > 100, type(depth))
note('mutual', pcall(a, unpack(many)))
note('index', pcall(function() return setmetatable({}, Endless)[1] end))
note('inner', pcall(function()
  local ok, message = pcall(plain, unpack(many))
  return message:match('stack overflow'), error('after it', 0)
end))
note('coroutine', coroutine.resume(coroutine.create(function() return plain(unpack(many)) end)))

local function deep(n)
  if n == 0 then return 0 end
  return 1 + deep(n - 1)
end
note('afterwards', pcall(deep, 2000))

return table.concat(out, '; ')
