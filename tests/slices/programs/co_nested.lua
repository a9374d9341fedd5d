-- Coroutines in coroutines, five deep, with values that go down and up at every level.

local wrap, yield, create, resume = coroutine.wrap, coroutine.yield, coroutine.create, coroutine.resume
local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function level(depth, n)
  return wrap(function(...)
    local total = select('#', ...)
    for i = 1, n do
      local work = 0
      for k = 1, 20 do work = work + k % depth end
      if depth > 1 then
        for v in level(depth - 1, 3) do total = total + v end
      end
      local a, b = yield(total + work, i)
      total = total + (a or 0) + (b or 0)
    end
  end)
end

local function stack(depth, ...)
  if depth == 0 then
    local got = {...}
    while true do
      local more = {yield(#got, got[1])}
      if more[1] == nil then return 'bottom', #got end
      for i = 1, #more do got[#got + 1] = more[i] end
    end
  end
  local inner = create(stack)
  local r = {resume(inner, depth - 1, ...)}
  while coroutine.status(inner) ~= 'dead' do
    local answer = {yield(r[2] + depth, r[3])}
    r = {resume(inner, (table.unpack or unpack)(answer))}
  end
  return r[2] .. depth, r[3]
end

for v, i in level(5, 5) do mix(v + i) end
for v, i in level(4, 12) do mix(v + i) end
for round = 1, 110 do
  local top = create(stack)
  local _, a, b = resume(top, 4, round, 'x', 'y')
  mix(a * 10 + b)
  for i = 1, 5 do
    _, a, b = resume(top, i, round)
    mix(a * 10 + b)
  end
  _, a, b = resume(top)
  mix(#a + b)
end

return string.format('%d', h)
