-- concat, unpack, pack, move, maxn by hand: ranges, holes, negative positions, over one another, errors.
-- engines: luajit lua53 lua54 lua55

local unpack, concat, move = table.unpack or unpack, table.concat, table.move
local h = 0
local function mix(v)
  local text = tostring(v)
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
end
local function pack(...) return {n = select('#', ...), ...} end

for round = 1, 130 do
  local t = {}
  for i = 1, 30 do t[i] = i * round % 100 end
  mix(concat(t, ','))
  mix(concat(t, ', ', 5, 10))
  mix(concat(t, 'x', 7, 7) .. concat(t, 'x', 8, 7) .. concat({}, 'x'))
  local a, b, c, d = unpack(t, 3, 5)
  mix(a) mix(b) mix(c) mix(d)
  mix(select('#', unpack(t, 1, 30)))
  mix(select('#', unpack({}, 1, round % 20)))
  mix(select('#', unpack({[-1] = 1, [0] = 2, 3}, -1, 1)))
  local p = pack(nil, round, nil)
  mix(p.n) mix(p[2])
  mix(concat(move(t, 1, 10, 5), ','))
  mix(concat(move(t, 5, 14, 1), ','))
  mix(concat(move({1, 2, 3}, 1, 3, 2, {9}), ','))
  mix(#move(t, 1, 30, 31))
  mix(#move(t, 1, 0, 1, {}))
  local ok, message = pcall(concat, {1, 2, {}, 4})
  mix(ok) mix(message:match('invalid value'))
  table.insert(t, 4, 'inserted')
  table.insert(t, #t + 1, 'last')
  mix(table.remove(t, 4)) mix(table.remove(t)) mix(#t)
  ok = pcall(table.insert, t, 100, 'beyond')
  mix(type(ok))
end

return string.format('%d', h)
