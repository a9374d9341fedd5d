-- Floating point in registers: how many points of a `size` by `size` grid stay bounded.

local format = string.format

local ITERATIONS = 50

return function(size)
  local inside = 0
  for row = 0, size - 1 do
    local ci = 2 * row / size - 1
    for column = 0, size - 1 do
      local cr = 2 * column / size - 1.5
      local zr, zi, rr, ii, count = 0.0, 0.0, 0.0, 0.0, 0
      while count < ITERATIONS and rr + ii <= 4 do
        zr, zi = rr - ii + cr, 2 * zr * zi + ci
        rr, ii, count = zr * zr, zi * zi, count + 1
      end
      if count == ITERATIONS then inside = inside + 1 end
    end
  end
  return format('%d', inside)
end
