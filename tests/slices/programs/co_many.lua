-- Hundreds of coroutines alive at a time, resumed in a changing order, some of them left half-way.

local create, resume, yield, status = coroutine.create, coroutine.resume, coroutine.yield, coroutine.status
local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function body(id, turns)
  local own, text = {id}, ''
  for i = 1, turns do
    own[#own + 1] = own[#own] * 3 % 1013 + i
    text = text .. i
    local got = yield(own[#own])
    if got then own[#own + 1] = got end
  end
  return #own, #text
end

local alive = {}
for id = 1, 1400 do alive[id] = create(body) end
local finished, left = 0, 0
for id = 1, 1400 do
  local _, v = resume(alive[id], id, id % 9 + 1)
  mix(v)
end
local seed = 42
while #alive > 0 do
  seed = seed * 16807 % 2147483647
  local at = seed % #alive + 1
  local co = alive[at]
  if seed % 29 == 0 then
    alive[at] = alive[#alive]
    alive[#alive] = nil
    left = left + 1
  else
    local ok, v, w = resume(co, seed % 3 == 0 and seed % 100 or nil)
    mix(v + (w or 0))
    if status(co) == 'dead' then
      finished = finished + 1
      alive[at] = alive[#alive]
      alive[#alive] = nil
    end
  end
end

return string.format('%d %d %d', h, finished, left)
