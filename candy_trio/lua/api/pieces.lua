-- Long texts in pieces. A C function, or one of the host, that gets a text of tens of MB keeps all
-- others waiting for as long as it takes; the loops here are Lua, which can be interrupted.
--
-- What a piece is worth in time, on a slow machine: a pattern that replaces every byte 4 ms, one
-- that looks for a byte and finds none 4 ms, a hash 2 ms. To copy a text takes half a millisecond
-- for each MB, wherever it goes: that is left whole.

local K, host, A = ...

local byte, concat, find, gsub, lower, sub =
      string.byte, table.concat, string.find, string.gsub, string.lower, string.sub

local REPLACED = 65536        -- bytes that a gsub gets at once
local SEARCHED = 262144       -- bytes that a find of a class gets at once
local JOINED = 4096           -- texts that a concat gets at once
local PERCENT = 0x25

local P = {}
A.pieces = P

P.SIZE = 786432               -- bytes for the host at once; a multiple of 3 and 4, for base64

-- The texts of parts[1..n] in one.
function P.join(parts, n, separator)
  if n <= JOINED then return concat(parts, separator, 1, n) end
  local groups, m = {}, 0
  for first = 1, n, JOINED do
    local last = first + JOINED - 1
    m = m + 1
    groups[m] = concat(parts, separator, first, last < n and last or n)
  end
  return P.join(groups, m, separator)
end

-- The first byte of `text` that `class`, a pattern of one byte, matches; else nil.
function P.find(text, class)
  if #text <= SEARCHED then return (find(text, class)) end
  for first = 1, #text, SEARCHED do
    local at = find(sub(text, first, first + SEARCHED - 1), class)
    if at then return first + at - 1 end
  end
  return nil
end

-- `text` with every byte of `class` replaced out of a table.
function P.replace(text, class, replacements)
  if not P.find(text, class) then return text end
  if #text <= REPLACED then return (gsub(text, class, replacements)) end
  local out, n = {}, 0
  for first = 1, #text, REPLACED do
    n = n + 1
    out[n] = gsub(sub(text, first, first + REPLACED - 1), class, replacements)
  end
  return P.join(out, n)
end

-- Every escape "%XX" of `text` replaced out of a table. None is cut in two.
function P.replace_escapes(text, replacements)
  if #text <= REPLACED then return (gsub(text, '%%(%x%x)', replacements)) end
  local out, n, first = {}, 0, 1
  while first <= #text do
    local last = first + REPLACED - 1
    if byte(text, last - 1) == PERCENT then last = last - 2 elseif byte(text, last) == PERCENT then last = last - 1 end
    n = n + 1
    out[n] = gsub(sub(text, first, last), '%%(%x%x)', replacements)
    first = last + 1
  end
  return P.join(out, n)
end

function P.lower(text)
  if #text <= SEARCHED then return lower(text) end
  local out, n = {}, 0
  for first = 1, #text, SEARCHED do
    n = n + 1
    out[n] = lower(sub(text, first, first + SEARCHED - 1))
  end
  return P.join(out, n)
end

return P
