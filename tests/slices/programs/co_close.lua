-- coroutine.close: of suspended, dead and failed ones, of those with pending variables, and of itself wrongly.
-- engines: lua54 lua55

local create, resume, yield, status, close = coroutine.create, coroutine.resume, coroutine.yield,
      coroutine.status, coroutine.close
local h, log = 0, {}
local function mix(n) h = (h * 31 + n) % 1000000007 end
local function note(...)
  for i = 1, select('#', ...) do
    local v = select(i, ...)
    mix(#tostring(type(v) == 'table' and v.code or v))
  end
end

for n = 1, 420 do
  local fresh = create(function() return 1 end)
  note(close(fresh), status(fresh))
  note(resume(fresh))
  local waiting = create(function()
    local a <close> = setmetatable({}, {__close = function(_, e)
      local inner = create(function() yield(n) return 2 end)
      note(resume(inner)) note(resume(inner)) note(status(inner))
      note(e)
    end})
    local b <close> = setmetatable({}, {__close = function() mix(n) end})
    yield(1)
    mix(999)
  end)
  note(resume(waiting))
  note(close(waiting)) note(status(waiting)) note(close(waiting))
  local failed = create(function() error({code = n}) end)
  note(resume(failed))
  note(close(failed))
  local failing = create(function()
    local c <close> = setmetatable({}, {__close = function() error('in close ' .. n % 3, 0) end})
    yield(2)
  end)
  resume(failing)
  note(close(failing))
  note(status(failing))
  local outer
  outer = create(function()
    local inner = create(function() return pcall(close, outer) end)
    local ok, closed = resume(inner)
    return closed
  end)
  note(resume(outer))
  local wrapped = coroutine.wrap(function()
    local d <close> = setmetatable({}, {__close = function() mix(4) end})
    error('wrapped', 0)
  end)
  note(pcall(wrapped))
end

return string.format('%d', h)
