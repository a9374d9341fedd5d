-- Queens on boards of five to nine: all ways to place them, counted, the first ones written down.

local N
local columns, rising, falling, placed = {}, {}, {}, {}
local count, first = 0, {}

local function place(row)
  if row > N then
    count = count + 1
    if count <= 3 then first[#first + 1] = table.concat(placed) end
    return
  end
  for c = 1, N do
    if not columns[c] and not rising[row + c] and not falling[row - c + N] then
      columns[c], rising[row + c], falling[row - c + N], placed[row] = true, true, true, c
      place(row + 1)
      columns[c], rising[row + c], falling[row - c + N] = nil, nil, nil
    end
  end
end

local out = {}
for n = 5, 9 do
  N, count, placed, first = n, 0, {}, {}
  place(1)
  out[#out + 1] = count .. ': ' .. table.concat(first, ' ')
end
return table.concat(out, '; ')
