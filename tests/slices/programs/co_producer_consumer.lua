-- Producers, filters and consumers that pass items along, driven from either end.

local create, resume, yield, status = coroutine.create, coroutine.resume, coroutine.yield, coroutine.status
local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function producer(n)
  return create(function()
    for i = 1, n do
      local x = 0
      for k = 1, 10 do x = x + k * i end
      yield('item' .. i .. '/' .. string.format('%d', x))
    end
    return nil, 'end'
  end)
end
local function numbered(source)
  return create(function()
    local n = 0
    while true do
      local ok, item = resume(source)
      if not item then return nil end
      n = n + 1
      yield(n .. ':' .. item)
    end
  end)
end
local function every_second(source)
  return create(function()
    while true do
      local _, item = resume(source)
      if not item then return nil end
      resume(source)
      yield(item)
    end
  end)
end

local consumer = create(function(first)
  local total, item = 0, first
  while item do
    total = (total * 7 + #item) % 1000003
    item = yield(total)
  end
  return 'total', total
end)

for n = 20, 360, 20 do
  local chain = numbered(every_second(numbered(producer(n))))
  while true do
    local ok, item = resume(chain)
    if not item then break end
    local _, total = resume(consumer, item)
    mix(#item + total)
  end
  mix(#status(chain))
end
local _, label, total = resume(consumer)
mix(#label + total)
mix(#status(consumer))

return string.format('%d', h)
