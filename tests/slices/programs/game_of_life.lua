-- Conway's game of life on a torus.

local WIDTH, HEIGHT = 24, 16
local cells = {}
for y = 0, HEIGHT - 1 do
  cells[y] = {}
  for x = 0, WIDTH - 1 do cells[y][x] = (x * 7 + y * 13 + x * y) % 5 < 2 and 1 or 0 end
end

local function neighbours(x, y)
  local n = 0
  for dy = -1, 1 do
    local row = cells[(y + dy) % HEIGHT]
    for dx = -1, 1 do
      if dx ~= 0 or dy ~= 0 then n = n + row[(x + dx) % WIDTH] end
    end
  end
  return n
end

local history = {}
for generation = 1, 40 do
  local after, alive = {}, 0
  for y = 0, HEIGHT - 1 do
    after[y] = {}
    for x = 0, WIDTH - 1 do
      local n = neighbours(x, y)
      after[y][x] = (n == 3 or n == 2 and cells[y][x] == 1) and 1 or 0
      alive = alive + after[y][x]
    end
  end
  cells = after
  history[#history + 1] = alive
end
local rows = {}
for y = 0, HEIGHT - 1 do rows[#rows + 1] = table.concat(cells[y], '', 0, WIDTH - 1) end
return table.concat(history, ' ') .. '\n' .. table.concat(rows, '\n')
