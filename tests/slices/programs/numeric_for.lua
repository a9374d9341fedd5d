-- Numeric loops: upwards, downwards, by fractions, empty, nested, left early, with a changed copy.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

for round = 1, 300 do
  for i = 1, round do mix(i) end
  for i = round, 1, -1 do mix(i * 2) end
  for i = 1, 0 do mix(999) end
  for i = 10, 1 do mix(999) end
  for i = 1, 10, 100 do mix(i + 3) end
  for i = -5, 5, 2 do mix(i + 10) end
  for x = 0, 1, 0.125 do mix(x * 8) end
  for x = 1, 0, -0.25 do mix(x * 4) end
  for i = 1, 100 do
    if i * i > round * 5 then break end
    for j = i, 100, i do
      if j > round then break end
      mix(i * j)
    end
  end
  for i = 1, 5 do
    local copy = i
    copy = copy * 100
    mix(i + copy)
  end
  local from, to, step = round, round + 6, 3
  for i = from, to, step do
    from, to, step = 0, 0, 0
    mix(i)
  end
  for i = 2 ^ 31 - 2, 2 ^ 31 + 2 do mix(i % 1000) end
end

return string.format('%d', h)
