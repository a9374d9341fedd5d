-- Long chains of if, and of and/or; conditions that must not be evaluated once one is known.

local h, calls = 0, 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function touch(value)
  calls = calls + 1
  return value
end

local function classify(n)
  if n % 64 == 0 then return 'a'
  elseif n % 63 == 1 then return 'b'
  elseif n % 61 == 2 then return 'c'
  elseif n % 59 == 3 then return 'd'
  elseif n % 53 == 4 then return 'e'
  elseif n % 47 == 5 then return 'f'
  elseif n % 43 == 6 then return 'g'
  elseif n % 41 == 7 then return 'h'
  elseif n % 37 == 8 then return 'i'
  elseif n % 31 == 9 then return 'j'
  elseif n % 29 == 10 then return 'k'
  elseif n % 23 == 11 then return 'l'
  elseif n % 19 == 12 then return 'm'
  elseif n % 17 == 13 then return 'n'
  elseif n % 13 == 11 then return 'o'
  elseif n % 11 == 10 then return 'p'
  elseif n % 7 == 6 then return 'q'
  elseif n % 5 == 4 then return 'r'
  elseif n % 3 == 2 then return 's'
  elseif n % 2 == 1 then return 't'
  else return 'u' end
end

for n = 1, 12000 do
  mix(classify(n):byte())
  local a, b, c = n % 2 == 0, n % 3 == 0, n % 5 == 0
  if a and (b or c) and not (b and c) then mix(1) end
  if not a and b or c and touch(a) then mix(2) end
  local picked = a and touch('even') or b and 'three' or c and touch(false) or nil
  if picked == nil then mix(3) elseif picked then mix(#picked) else mix(4) end
  local same = (a == b) == (b == c)
  mix(same and 5 or 6)
  if n > 10 and n < 20 or n >= 500 and n <= 600 or n ~= 1000 and n % 100 == 0 then mix(7) end
  mix((a and 1 or 0) + (b and 2 or 0) + (c and 4 or 0))
end

return string.format('%d %d', h, calls)
