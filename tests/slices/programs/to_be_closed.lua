-- Variables to be closed: at the end of a block, by break, return, goto and errors, in loops, in coroutines.
-- engines: lua54 lua55

local h, log = 0, {}
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function closing(name)
  return setmetatable({}, {__close = function(_, message)
    local work = 0
    for i = 1, 5 do work = work + i end
    log[#log + 1] = name .. (message ~= nil and '!' .. tostring(message) or '')
    mix(#name + work)
  end})
end

local function results(n)
  local a <close> = closing('a')
  local b <close> = closing('b')
  return n, n + 1, n + 2
end

local function countdown(n)
  return function(_, k)
    if k > 1 then return k - 1 end
  end, nil, n + 1, closing('loop')
end

local function replaced(n)
  local outer <close> = setmetatable({}, {__close = function(_, message) log[#log + 1] = tostring(message) end})
  local inner <close> = setmetatable({}, {__close = function(_, message) error('second after ' .. message, 0) end})
  error('first ' .. n, 0)
end

local last
for round = 1, 170 do
  log = {}
  local x, y, z = results(round)
  mix(x + y * 2 + z * 3)
  for i = 1, 4 do
    local c <close> = closing('c' .. i)
    local d <const> = i * 2
    if i == 3 then break end
    mix(d)
  end
  for k in countdown(6) do
    mix(k)
    if k == round % 7 then break end
  end
  do
    local i = 0
    ::again::
    do
      local e <close> = closing('e')
      i = i + 1
      if i < 3 then goto again end
    end
  end
  local ok, message = pcall(replaced, round)
  mix(ok and 1 or #message)
  local co = coroutine.wrap(function()
    local f <close> = closing('f')
    local got = coroutine.yield(1)
    local g <close> = closing('g')
    coroutine.yield(got + 1)
    error({code = got})
  end)
  mix(co()) mix(co(round))
  local ok2, e = pcall(co)
  mix(ok2 and 1 or e.code)
  local nothing <close> = nil
  local no <close> = false
  last = table.concat(log, ' '):gsub('table: 0x%x+', 'table')
  mix(#last)
end

return string.format('%d %s', h, last)
