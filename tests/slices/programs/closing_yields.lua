-- __close that yields, __pairs that yields, and coroutine.close over what is still open.
-- engines: lua54 lua55

local h, log = 0, {}
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function closing(name)
  return setmetatable({}, {__close = function()
    log[#log + 1] = name .. tostring(coroutine.yield('closing ' .. name))
  end})
end

local function body(n)
  local a <close> = closing('a')
  for i = 1, n do
    local b <close> = closing('b' .. i)
    if i == 3 then break end
  end
  local listing = setmetatable({}, {__pairs = function()
    local from = coroutine.yield('pairs')
    return next, {from}, nil
  end})
  for _, v in pairs(listing) do mix(v) end
  local ok, message = pcall(function()
    local c <close> = closing('c')
    error('in ' .. n, 0)
  end)
  mix(ok and 1 or #message)
  return 'done', n
end

for n = 1, 400 do
  log = {}
  local co = coroutine.create(body)
  local ok, what = coroutine.resume(co, n)
  local steps = 0
  while what ~= 'done' do
    steps = steps + 1
    mix(#what)
    ok, what = coroutine.resume(co, steps)
    assert(ok, what)
  end
  mix(steps)
  mix(#table.concat(log, ' '))
  local left = coroutine.create(function()
    local d <close> = setmetatable({}, {__close = function(_, message)
      for i = 1, 4 do mix(i) end
      log[#log + 1] = 'd' .. tostring(message)
      if n % 2 == 0 then error('while closing', 0) end
    end})
    coroutine.yield(n)
    log[#log + 1] = 'never'
  end)
  coroutine.resume(left)
  local closed, problem = coroutine.close(left)
  mix((closed and 1 or 0) + (problem and #problem or 0))
  mix(#coroutine.status(left))
end

return string.format('%d %s', h, table.concat(log, ' '))
