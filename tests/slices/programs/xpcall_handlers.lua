-- xpcall: handlers that compute, that get every kind of value, that err; nested, with arguments.
-- engines: luajit lua52 lua53 lua54 lua55

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function handler(e)
  local work = 0
  for i = 1, 5 do work = work + i end
  return (type(e) == 'table' and e.code or #tostring(e)) + work
end

for i = 1, 60 do
  local ok, v, w = xpcall(function(a, b)
    if i % 2 == 0 then error({code = i}) end
    if i % 5 == 0 then error('text', 0) end
    return a + b + i, i
  end, handler, 3, 4)
  mix((ok and 1 or 0) + v * 2 + (w or 7))
  local inner_seen
  local ok2, message = xpcall(function()
    local _, inner = xpcall(function() error('inner' .. i, 0) end, function(m) return m .. '!' end)
    inner_seen = inner
    error('outer of ' .. inner, 0)
  end, function(m) return m:upper() end)
  mix((ok2 and 1 or 0) + #message + #inner_seen)
  local _, same = xpcall(error, function(e) return e end, mix)
  mix(same == mix and 3 or 4)
  local ok3 = xpcall(function() error('x') end, function() error('y') end)
  mix(ok3 and 5 or 6)
  local kinds = {}
  for _, value in ipairs({1, 'two', true, {}, print}) do
    xpcall(function() error(value, 0) end, function(e) kinds[#kinds + 1] = type(e) end)
  end
  mix(#table.concat(kinds, ' '))
  local n = select('#', xpcall(function(...) return ... end, handler, nil, i, nil))
  mix(n)
  local ok4, from_pcall, text = xpcall(pcall, handler, error, 'caught inside')
  mix((ok4 and 1 or 0) + (from_pcall and 2 or 0) + #text)
end

return string.format('%d', h)
