-- table.sort in Lua: it can be interrupted, and so can the comparators, which may also wait.
--
-- The steps are those of Lua's own quicksort (ltablib.c), so that elements that compare as equal
-- come out as they do there. Two things are added: a range that has been split badly too often is
-- finished by heapsort, so that no input takes n² steps; and nothing outside 1..n is ever touched,
-- whatever the comparator says.

local K = ...

local getmetatable = debug.getmetatable
local load = loadstring or load
local floor, log, math_type = math.floor, math.log, math.type
local pcall, rawequal, rawget, rawset, type = pcall, rawequal, rawget, rawset, type
local S, raise, rethrow, bad_argument, without_place =
      K.S, K.raise, K.rethrow, K.bad_argument, K.without_place

local IS_53 = math_type ~= nil      -- or newer: sort calls metamethods of the table's
local BAD_SPLITS = 4                -- times log2(n): a median of three takes about 1.5 times that

-- Twice compiled from one text, because a call for each comparison would be two thirds of the time
-- of a sort by `<`. In it, LESS(a, b) is a comparison.
local TEXT = [==[
local raise, IS_53 = ...

-- Where the two scans have gone too far: the older ones look one element further.
local HIGHER = IS_53 and 1 or 0

-- Sifts `value` down from `root` in the heap t[low + 1 .. low + size].
local function sift(t, low, root, size, value, f)
  while true do
    local child = 2 * root
    if child > size then break end
    if child < size and LESS(t[low + child], t[low + child + 1]) then child = child + 1 end
    local larger = t[low + child]
    if not LESS(value, larger) then break end
    t[low + root] = larger
    root = child
  end
  t[low + root] = value
end

local function heapsort(t, first, last, f)
  local low, size = first - 1, last - first + 1
  for root = (size - size % 2) / 2, 1, -1 do sift(t, low, root, size, t[low + root], f) end
  for n = size, 2, -1 do
    local value = t[low + n]
    t[low + n] = t[low + 1]
    sift(t, low, 1, n - 1, value, f)
  end
end

local function invalid() return raise('invalid order function for sorting') end

local function sort(t, lo, up, f, splits)
  while lo < up do
    local low, high = t[lo], t[up]
    if LESS(high, low) then
      t[lo], t[up] = high, low
      low, high = high, low
    end
    if up - lo == 1 then return end
    local p = lo + up
    p = (p - p % 2) / 2
    local pivot = t[p]
    if LESS(pivot, low) then
      t[p], t[lo] = low, pivot
      pivot = low
    elseif LESS(high, pivot) then
      t[p], t[up] = high, pivot
      pivot = high
    end
    if up - lo == 2 then return end
    if splits == 0 then return heapsort(t, lo, up, f) end
    splits = splits - 1
    t[p], t[up - 1] = t[up - 1], pivot
    local i, j, edge = lo, up - 1, up - HIGHER
    while true do
      i = i + 1
      local left = t[i]
      while LESS(left, pivot) do
        if i >= edge then return invalid() end
        i = i + 1
        left = t[i]
      end
      j = j - 1
      local right = t[j]
      while LESS(pivot, right) do
        if j < i and (IS_53 or j <= lo) then return invalid() end
        j = j - 1
        right = t[j]
      end
      if j < i then break end
      t[i], t[j] = right, left
    end
    t[up - 1], t[i] = t[i], t[up - 1]
    if i - lo < up - i then
      sort(t, lo, i - 1, f, splits)
      lo = i + 1
    else
      sort(t, i + 1, up, f, splits)
      up = i - 1
    end
  end
end

return sort
]==]

local function compiled(comparison)
  local text = string.gsub(TEXT, 'LESS(%b())', comparison)
  if IS_53 then text = string.gsub(text, '/ 2', '// 2') end
  return load(text, '=[candy sort.lua]')(raise, IS_53)
end

local sort_by = compiled('f%1')
local sort_by_less = compiled(function(pair)
  return '(' .. string.gsub(string.sub(pair, 2, -2), '^(.*), ', '%1 < ') .. ')'
end)

local MAX_LENGTH = 2 ^ 31 - 1

-- What `<` itself raises names a line of ours; what a metamethod raises is the script's.
local function ended(ok, message)
  if S.R.done then K.stop() end
  if ok then return end
  local bare = without_place(message)
  if rawequal(bare, message) then return rethrow(message) end
  return raise(bare)
end

local function sorted(t, n, f)
  if n < 2 then return end
  local splits = BAD_SPLITS * (floor(log(n) / log(2)) + 1)
  if f then return sort_by(t, 1, n, f, splits) end
  return ended(pcall(sort_by_less, t, 1, n, nil, splits))
end

function K.library.table.sort(t, ...)
  local f = ...
  if type(t) ~= 'table' then return bad_argument(1, 'sort', 'table', t) end
  local n = #t
  if getmetatable(t) ~= nil then n = K.length(t) end
  if IS_53 then
    if n >= MAX_LENGTH then return K.refuse(1, 'sort', '(array too big)') end
  end
  if f ~= nil and (n > 1 or not IS_53) and type(f) ~= 'function' then
    return bad_argument(2, 'sort', 'function', f)
  end
  if IS_53 or getmetatable(t) == nil then return sorted(t, n, f) end
  -- The older ones look past __index and __newindex, which holes would call.
  local copy = {}
  for i = 1, n do copy[i] = rawget(t, i) end
  sorted(copy, n, f)
  for i = 1, n do rawset(t, i, copy[i]) end
end
