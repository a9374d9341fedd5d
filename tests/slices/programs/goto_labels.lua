-- goto: continue, out of nested loops, backwards over closures, a machine of states.
-- engines: luajit lua52 lua53 lua54 lua55

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function odd_sum(n)
  local i, sum = 0, 0
  ::top::
  i = i + 1
  if i % 2 == 0 then goto continue end
  sum = sum + i
  ::continue::
  if i < n then goto top end
  return sum
end

local function find_product(wanted)
  local a, b
  for i = 1, 30 do
    for j = i, 30 do
      if i * j == wanted then
        a, b = i, j
        goto found
      end
    end
  end
  do return 0 end
  ::found::
  return a * 100 + b
end

local function fresh_locals(n)
  local made = {}
  do
    local i = 1
    ::again::
    local own = i * 10
    made[i] = function() own = own + 1 return own end
    i = i + 1
    if i <= n then goto again end
  end
  local sum = 0
  for turn = 1, 2 do
    for i = 1, n do sum = sum + made[i]() end
  end
  return sum
end

local function accepts(text)      -- digits, perhaps with one point between them
  local at = 1
  ::start::
  if not text:find('^%d', at) then goto refuse end
  ::whole::
  while text:find('^%d', at) do at = at + 1 end
  if at > #text then goto accept end
  if text:sub(at, at) ~= '.' then goto refuse end
  at = at + 1
  if not text:find('^%d', at) then goto refuse end
  while text:find('^%d', at) do at = at + 1 end
  if at <= #text then goto refuse end
  ::accept::
  do return 1 end
  ::refuse::
  return 0
end

for round = 1, 400 do
  mix(odd_sum(round * 5))
  mix(find_product(round * 7))
  mix(fresh_locals(round % 9 + 1))
  for _, text in ipairs({'12', '1.5', 'x', '1.', '.5', '3.14159', '3.1.4', ''}) do
    mix(accepts(text))
  end
  for i = 1, 10 do
    for j = 1, 10 do
      if j % 3 == 0 then goto next_j end
      if j > i then goto next_i end
      mix(i * j)
      ::next_j::
    end
    ::next_i::
  end
end

return string.format('%d', h)
