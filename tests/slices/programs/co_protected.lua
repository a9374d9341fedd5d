-- Yields across pcall and xpcall, at several depths, with errors after them, and handlers that run later.
-- engines: luajit lua52 lua53 lua54 lua55

local create, resume, yield, status = coroutine.create, coroutine.resume, coroutine.yield, coroutine.status
local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function worker(n)
  local ok, a, b = pcall(function(x)
    local got = yield('one', x)
    local ok2, message = pcall(function()
      local more = yield('two', got)
      if more % 2 == 0 then error('even ' .. more, 0) end
      return more
    end)
    yield('three', ok2 and 1 or 2)
    if n % 3 == 0 then error({n = n, message = message}) end
    return got, message
  end, n)
  if not ok then mix(a.n) a, b = a.n, a.message end
  mix(a + #tostring(b))
  local ok3, handled = xpcall(function()
    for i = 1, 3 do mix(yield('loop', i)) end
    error('at the end', 0)
  end, function(m) return m .. ' of ' .. n end)
  mix((ok3 and 1 or 0) + #handled)
  local depth = 0
  local function down(k)
    depth = depth + 1
    if k == 0 then
      yield('bottom', depth)
      error('bottom', 0)
    end
    local fine, message = pcall(down, k - 1)
    error(message .. k, 0)
  end
  local _, trail = pcall(down, n % 12)
  return 'done', trail
end

local steps = 0
for n = 1, 200 do
  local co = create(worker)
  local ok, what, v = resume(co, n)
  while status(co) ~= 'dead' do
    steps = steps + 1
    mix(#what + v)
    ok, what, v = resume(co, v + steps % 5)
    assert(ok, what)
  end
  mix(#what + #v)
end

return string.format('%d %d', h, steps)
