-- Coroutines that err, that are resumed wrongly: dead, running, normal; errors that pass through wrap.
-- differs between engines: LuaJIT and 5.1 tell running from normal coroutines

local create, resume, yield, status, wrap =
      coroutine.create, coroutine.resume, coroutine.yield, coroutine.status, coroutine.wrap
local h, seen = 0, {}
local function mix(n) h = (h * 31 + n) % 1000000007 end
local function note(ok, message)
  if type(message) == 'string' then seen[message] = true end
  mix((ok and 1 or 0) + #tostring(type(message) == 'table' and message.code or message))
end

for i = 1, 200 do
  local co = create(function(a, ...)
    local n = select('#', ...)
    for k = 1, 15 do n = n + k end
    local x, y = yield(a + n, ...)
    if x % 3 == 0 then error({code = x}) end
    if x % 3 == 1 then error('text' .. x % 5, 0) end
    return x, y, n
  end)
  local ok, v, w = resume(co, i, 1, 2, nil)
  mix(v + w)
  local r = {resume(co, i, 'z')}
  if r[1] then mix(r[2] + #r[3] + r[4]) else note(r[1], r[2]) end
  mix(#status(co))
  note(resume(co))
  local itself
  itself = create(function() return resume(itself) end)
  local _, inner_ok, message = resume(itself)
  note(inner_ok, message)
  local outer
  outer = create(function()
    local inner = create(function() return resume(outer) end)
    return resume(inner)
  end)
  local a, b, c, d = resume(outer)
  mix((a and 1 or 0) + (b and 2 or 0) + (c and 4 or 0))
  note(c, d)
  local w1 = wrap(function() yield(1) error('out of wrap ' .. i % 7, 0) end)
  w1()
  note(pcall(w1))
  mix(pcall(w1) and 1 or 2)
  local w2 = wrap(function() error({code = 'table' .. i}) end)
  note(pcall(w2))
  local w3 = wrap(function()
    local v = wrap(function()
      local w = wrap(function() error('deep', 0) end)()
      return w
    end)()
    return v
  end)
  note(pcall(w3))
  mix((pcall(resume, 5) and 1 or 0) + (pcall(create, 'x') and 2 or 0) + (pcall(wrap) and 4 or 0))
  local finished = wrap(function() return 'once' end)
  mix(#finished())
  mix(pcall(finished) and 1 or 2)
end

local list = {}
for message in pairs(seen) do list[#list + 1] = message end
table.sort(list)
return string.format('%d ', h) .. table.concat(list, '; ')
