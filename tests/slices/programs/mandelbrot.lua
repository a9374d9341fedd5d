-- The Mandelbrot set in letters (micro-benchmark).

local WIDTH, HEIGHT, TURNS = 100, 40, 120
local rows, h = {}, 0
for y = 0, HEIGHT - 1 do
  local row = {}
  for x = 0, WIDTH - 1 do
    local cr, ci = x * 3 / WIDTH - 2.25, y * 2.5 / HEIGHT - 1.25
    local zr, zi, turns = 0, 0, 0
    while turns < TURNS and zr * zr + zi * zi <= 4 do
      zr, zi = zr * zr - zi * zi + cr, 2 * zr * zi + ci
      turns = turns + 1
    end
    row[#row + 1] = turns == TURNS and '#' or string.char(97 + turns % 26)
    h = (h * 31 + turns) % 1000000007
  end
  rows[#rows + 1] = table.concat(row)
end
return string.format('%d\n', h) .. table.concat(rows, '\n')
