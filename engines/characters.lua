-- utf8.* of 5.3 and newer over long texts, in pieces.

local K = ...

if not utf8 then return end

local byte, sub = string.byte, string.sub
local select, type = select, type
local native_char, native_codes, native_len, native_offset = utf8.char, utf8.codes, utf8.len, utf8.offset
local native, join, whole = K.native, K.join, K.whole
local unpack = table.unpack

local IS_55 = _VERSION == 'Lua 5.5'
local PIECE = K.piece              -- bytes that C may look at: 2 ms
local MANY = 8192                  -- arguments that utf8.char may take at a time: 0.5 ms
local CONTINUES, LEADS = 128, 192  -- bytes from here on go on with a character, begin one of several

local U = K.library.utf8

local function continues(c) return c and c >= CONTINUES and c < LEADS end

-- Bytes of the character that begins with byte `c`.
local function length_by(c)
  if c < 128 then return 1 end
  return c < 224 and 2 or c < 240 and 3 or c < 248 and 4 or c < 252 and 5 or 6
end

-- A position in a text of `size` bytes, counted from its end where it is negative.
local function position(i, size)
  if i >= 0 then return i end
  return -i > size and 0 or size + i + 1
end

-- ---------------------------------------------------------------------- len
function U.len(...)
  local s, i, j, lax = ...
  local first, last = whole(i == nil and 1 or i), whole(j == nil and -1 or j)
  if type(s) ~= 'string' or #s <= PIECE or not first or not last then
    return native('len', native_len, ...)
  end
  first, last = position(first, #s), position(last, #s)
  if first < 1 or first > #s + 1 or last > #s then return native('len', native_len, ...) end
  local count = 0
  while first <= last do
    local stop = last - first < PIECE and last or first + PIECE - 1
    local n, invalid = native_len(s, first, stop, lax)
    if not n then return n, invalid end
    count = count + n
    -- The last character of the piece may end behind it.
    local start = stop
    while continues(byte(s, start)) do start = start - 1 end
    local following = start + length_by(byte(s, start))
    first = following > stop and following or stop + 1
  end
  return count
end

-- ---------------------------------------------------------------------- offset
-- Bytes of s[first..last] that begin a character.
local function beginnings(s, first, last)
  local piece = sub(s, first, last)
  local n = not continues(byte(piece, 1)) and native_len(piece, 1, -1, true)
  if n then return n end
  n = 0
  for i = 1, #piece do
    if not continues(byte(piece, i)) then n = n + 1 end
  end
  return n
end

-- How much to look at for the next `n` characters: for a few of them only a few bytes.
local function reach(n) return n < PIECE / 4 - 16 and 4 * n + 64 or PIECE end

-- Where the n-th beginning of a character from `i` on is; the end of the text counts as one.
local function forward(s, n, i)
  local size = #s
  while i <= size do
    local stop = i + reach(n) - 1
    if stop > size then stop = size end
    local there = beginnings(s, i, stop)
    if there >= n then
      while continues(byte(s, i)) do i = i + 1 end
      return (native_offset(s, n, i))
    end
    n, i = n - there, stop + 1
  end
  return n == 1 and size + 1 or nil
end

-- Where the n-th from `i` on towards the start is.
local function backward(s, n, i)
  while i >= 1 do
    local start = i - reach(n) + 1
    if start < 1 then start = 1 end
    local there = beginnings(s, start, i)
    if there >= n then
      while continues(byte(s, i)) do i = i - 1 end
      return n == 1 and i or (native_offset(s, 1 - n, i))
    end
    n, i = n - there, start - 1
  end
  return nil
end

-- From 5.5 on offset tells where the character ends, too.
local function with_end(s, i)
  if not IS_55 or i == nil then return i end
  local stop, c = i, byte(s, i)
  if c and c >= CONTINUES then
    while continues(byte(s, stop + 1)) do stop = stop + 1 end
  end
  return i, stop
end

function U.offset(...)
  local s, count, start = ...
  local n = whole(count)
  if type(s) ~= 'string' or #s <= PIECE or not n then return native('offset', native_offset, ...) end
  local i = whole(start == nil and (n >= 0 and 1 or #s + 1) or start)
  i = i and position(i, #s)
  if not i or i < 1 or i > #s + 1 then return native('offset', native_offset, ...) end
  if n == 0 then
    while i > 1 and continues(byte(s, i)) do i = i - 1 end
    -- At the start of the text it may be no beginning, which 5.5 refuses.
    return native('offset', native_offset, s, 0, i)
  end
  if continues(byte(s, i)) then return native('offset', native_offset, s, n, i) end
  if n > 0 then return with_end(s, forward(s, n, i)) end
  return with_end(s, backward(s, -n, i - 1))
end

-- ---------------------------------------------------------------------- codes, char
function U.codes(...)
  local s = ...
  local iterate, text, start = native('codes', native_codes, ...)
  if type(s) ~= 'string' or #s <= PIECE then return iterate, text, start end
  local function following(subject, i)
    if i > 0 then
      while continues(byte(subject, i + 1)) do i = i + 1 end
    end
    return native('for iterator', iterate, subject, i)
  end
  return following, text, start
end

function U.char(...)
  local n = select('#', ...)
  if n <= MANY then return (native('char', native_char, ...)) end
  local codes, list, made = {...}, {}, 0
  for i = 1, n, MANY do
    local last = i + MANY - 1
    made = made + 1
    list[made] = native('char', native_char, unpack(codes, i, last < n and last or n))
  end
  return join(list, made)
end
