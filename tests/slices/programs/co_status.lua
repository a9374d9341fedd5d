-- status, running and isyieldable, asked from everywhere: outside, inside, by an inner coroutine.
-- engines: luajit lua53 lua54 lua55

local create, resume, yield, status, running, wrap, isyieldable = coroutine.create, coroutine.resume,
      coroutine.yield, coroutine.status, coroutine.running, coroutine.wrap, coroutine.isyieldable
local h, last = 0, nil
local function mix(text)
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
end

for round = 1, 200 do
  local log = {}
  local function note(v) log[#log + 1] = tostring(v) end
  local outer
  outer = create(function()
    local inner
    inner = create(function()
      for k = 1, 10 do local x = k end
      note(status(outer)) note(status(inner))
      note(running() == inner) note(isyieldable())
      yield(1)
      note(wrap(function() return status(outer) .. status(inner) end)())
      note(pcall(function() note(running() == inner) yield('in pcall') note(status(inner)) end))
      for word in ('a b'):gmatch('%a') do note(isyieldable()) note(word) end
      local sorted = {2, 1}
      table.sort(sorted, function(a, b) note(running() == inner) return a < b end)
      return 2
    end)
    note(status(inner))
    local _, a = resume(inner)
    note(status(inner)) note(a)
    yield('outer waits')
    note(status(outer))
    _, a = resume(inner)
    note(status(inner)) note(a)
    _, a = resume(inner)
    note(status(inner)) note(a)
    return running() == outer
  end)
  note(status(outer))
  for i = 1, 3 do
    local ok, v = resume(outer)
    note(ok) note(v) note(status(outer))
  end
  last = table.concat(log, ',')
  mix(last)
end

return string.format('%d %s', h, last)
