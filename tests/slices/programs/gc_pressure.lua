-- Garbage in masses: short-lived tables, strings and closures, while some are kept and must stay whole.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local kept = {}
for i = 1, 5000 do
  local t = {i, 'text ' .. i, {i * 2}, function() return i end}
  local dropped = {t, {t}, ('x'):rep(i % 50)}
  if i % 50 == 0 then kept[#kept + 1] = t end
  mix(#t[2] + t[3][1] + #dropped[3])
end
for step = 1, 20 do
  collectgarbage('step', 100)
  for _, t in ipairs(kept) do mix(t[1] + #t[2] + t[3][1] + t[4]()) end
end
local list
for i = 1, 2000 do
  list = {next = list, value = i}
  if i % 500 == 0 then list = nil end
end
mix(list == nil and 1 or 2)
local cyclic = {}
for i = 1, 800 do
  local a, b = {}, {}
  a.other, b.other = b, a
  a.f = function() return b, a end
  cyclic[i % 10 + 1] = a
end
for i = 1, 10 do mix(cyclic[i].f() == cyclic[i].other and i or 0) end
mix(collectgarbage('count') > 0 and 1 or 2)

return string.format('%d', h)
