-- Array swaps and branches: every permutation of 1 to 8 has its front reversed, as many elements as
-- the first one says, until that is 1. A checksum, and the most reversals; all of it `size` times.

local format = string.format

local LENGTH = 8

local permutation, flipped, turns = {}, {}, {}

local function flips()
  for i = 1, LENGTH do flipped[i] = permutation[i] end
  local count, first = 0, flipped[1]
  while first ~= 1 do
    local low, high = 1, first
    while low < high do
      flipped[low], flipped[high] = flipped[high], flipped[low]
      low, high = low + 1, high - 1
    end
    count, first = count + 1, flipped[1]
  end
  return count
end

-- The next one in the order that the checksum is defined for; false after the last.
local function advance()
  for i = 2, LENGTH do
    local first = permutation[1]
    for j = 1, i - 1 do permutation[j] = permutation[j + 1] end
    permutation[i] = first
    turns[i] = turns[i] + 1
    if turns[i] < i then return true end
    turns[i] = 0
  end
  return false
end

return function(size)
  local checksum, most
  for _ = 1, size do
    for i = 1, LENGTH do permutation[i], turns[i] = i, 0 end
    local sign = 1
    checksum, most = 0, 0
    repeat
      local count = flips()
      checksum = checksum + sign * count
      if count > most then most = count end
      sign = -sign
    until not advance()
  end
  return format('%d %d', checksum, most)
end
