-- Eight queens: all ways to place them, counted, the first ones written down.

local N = 8
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

place(1)
return count .. ' ' .. table.concat(first, ' ')
