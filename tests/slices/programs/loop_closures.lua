-- Closures over loop variables: each turn of each kind of loop has variables of its own.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

for round = 1, 270 do
  local made = {}
  for i = 1, 20 do
    local square = i * i
    made[#made + 1] = function(d) square = square + d return square + i end
  end
  for i, v in ipairs({3, 1, 4, 1, 5, 9, 2, 6}) do
    made[#made + 1] = function(d) v = v + d return v * i end
  end
  local n = 0
  while n < 10 do
    n = n + 1
    local own = n
    made[#made + 1] = function(d) own = own * 2 + d return own % 1000 + n end
  end
  repeat
    local own = n
    n = n - 1
    made[#made + 1] = function(d) own = own + d return own end
  until own == 5
  for turn = 1, 5 do
    for i = 1, #made do mix(made[i](turn)) end
  end
  for i = #made, 1, -1 do mix(made[i](round)) end
end

return string.format('%d', h)
