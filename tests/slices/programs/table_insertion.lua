-- Insertion and removal: at the end, in front, in the middle; queues, stacks, sets (micro-benchmark).

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end
local insert, remove = table.insert, table.remove

local t = {}
for i = 1, 6000 do t[#t + 1] = i end
for i = 1, 3000 do t[#t] = nil end
for i = 1, 3000 do insert(t, i * 2) end
for i = 1, 1000 do mix(remove(t)) end
for i = 1, 60 do insert(t, 1, i) end
for i = 1, 60 do insert(t, math.floor(#t / 2), i) end
for i = 1, 60 do mix(remove(t, 1)) end
for i = 1, 60 do mix(remove(t, math.floor(#t / 2))) end
mix(#t)

local queue, first, last = {}, 1, 0
for i = 1, 3000 do
  last = last + 1
  queue[last] = i * 7 % 101
  if i % 3 ~= 0 then
    mix(queue[first])
    queue[first] = nil
    first = first + 1
  end
end
mix(last - first)

local records = {}
for i = 1, 1500 do records[i] = {id = i, name = 'n' .. i, tags = {i % 3, i % 5, i % 7}} end
for i = 1, 1500 do
  local r = records[i]
  r.extra = r.tags[1] + r.tags[2] + r.tags[3]
  r.tags[#r.tags + 1] = r.extra
  mix(#r.name + #r.tags * r.extra)
end

local set, size = {}, 0
for i = 1, 4000 do
  local key = i * i % 1777
  if not set[key] then set[key], size = true, size + 1 else set[key], size = nil, size - 1 end
end
mix(size)
mix(remove({}) == nil and 1 or 2)
local empty = {}
insert(empty, 'x')
mix(#remove(empty) + #empty)

return string.format('%d', h)
