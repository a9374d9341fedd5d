-- string.find of plain text, in pieces: no C call of it is long, whatever it looks for in what.

local K = ...

local byte, find, sub = string.byte, string.find, string.sub

local WORST = 15              -- nanoseconds for a place where the first byte is right
local COMPARE = 0.05          -- for each byte compared there
local BUDGET = 3e6
local WINDOW = 65536          -- bytes of the subject that one native call looks at
local FIRST = 1024            -- bytes of the first one: what is looked for is often near
local HEAD = 64               -- bytes of a long needle that it looks for
local MAX_PIECE = 16384       -- bytes that are compared at once
local BASE, PRIME = 257, 2147483647      -- of the rolling hash; products stay exact in doubles

-- Whether all of `needle` is in `s` from `at` on, and how many bytes it took to know.
local function is_at(s, at, needle)
  local size, done, piece = #needle, 0, HEAD
  while done < size do
    local last = done + piece
    if last > size then last = size end
    if sub(s, at + done, at + last - 1) ~= sub(needle, done + 1, last) then return false, last end
    done = last
    if piece < MAX_PIECE then piece = piece * 2 end
  end
  return true, size
end

-- Rabin and Karp's search, whose time does not grow with the needle.
local function find_by_hash(s, needle, at)
  local size, last = #needle, #s - #needle + 1
  local wanted, hash, power = 0, 0, 1
  for k = 1, size do
    wanted = (wanted * BASE + byte(needle, k)) % PRIME
    hash = (hash * BASE + byte(s, at + k - 1)) % PRIME
    if k > 1 then power = power * BASE % PRIME end
  end
  while true do
    if hash == wanted and is_at(s, at, needle) then return at, at + size - 1 end
    if at >= last then return nil end
    hash = ((hash + PRIME - byte(s, at) * power % PRIME) * BASE + byte(s, at + size)) % PRIME
    at = at + 1
  end
end

-- Where `needle`, of HEAD bytes at most, is in `s` at or after `at`.
local function find_short(s, needle, at)
  local size, width = #s, FIRST
  if size - at <= WINDOW then return find(s, needle, at, true) end
  while at <= size do
    local first, last = find(sub(s, at, at + width - 1), needle, 1, true)
    if first then return at + first - 1, at + last - 1 end
    at = at + width - #needle + 1
    if width < WINDOW then width = width * 4 end
  end
  return nil
end

-- What string.find(s, needle, at, true) gives, for an `at` of 1 or more.
function K.plain_find(s, needle, at)
  local left, size = #s - at + 1, #needle
  if left * (WORST + size * COMPARE) <= BUDGET then return find(s, needle, at, true) end
  if size > left then return nil end
  if size <= HEAD then return find_short(s, needle, at) end
  local head, compared = sub(needle, 1, HEAD), 0
  while true do
    at = find_short(s, head, at)
    if not at or at + size - 1 > #s then return nil end
    -- Where a script has made the head right at too many places.
    if compared > left then return find_by_hash(s, needle, at) end
    local is_here, bytes = is_at(s, at, needle)
    if is_here then return at, at + size - 1 end
    compared, at = compared + bytes, at + 1
  end
end
