-- Functions of strings that go through long ones, in pieces.

local K = ...

local find, gmatch, sub = string.find, string.gmatch, string.sub
local native_rep, native_date, native_tonumber = string.rep, os.date, tonumber
local native_pack, native_packsize, native_unpack = string.pack, string.packsize, string.unpack
local ceil, type = math.ceil, type
local native, refuse, whole, join = K.native, K.refuse, K.whole, K.join

local PIECE, MOST = K.piece, 4 * K.piece     -- bytes of a long string that C goes through at a time
local PIECES = 16                            -- that join puts together at once
local SMALL = 65536              -- bytes that C may make of a short string, at 5 ns each
local HUGE = 2 ^ 30              -- bytes of a result that no limit on memory allows
local MAX_DATE = 8192            -- bytes of a form for os.date: 20 characters for each two, 3 ms
local MAX_NUMERAL = 1048576      -- bytes of a number as text: 1.5 ms
local MAX_PACK = 65536           -- bytes of a format for string.pack: 1 ms
local MAX_PADDED = 1048576       -- bytes that all "c" of one may fill: 2 ms

local T = K.library.string

-- ---------------------------------------------------------------------- upper, lower, reverse
local function piece_of(size)
  local piece = ceil(size / PIECES)
  return piece < PIECE and PIECE or piece > MOST and MOST or piece
end

local function mapped(f, s)
  local piece, list, n = piece_of(#s), {}, 0
  for i = 1, #s, piece do
    n = n + 1
    list[n] = f(sub(s, i, i + piece - 1))
  end
  return join(list, n)
end

local function reversed(f, s)
  local piece, list, n = piece_of(#s), {}, 0
  for i = #s, 1, -piece do
    n = n + 1
    list[n] = f(sub(s, i > piece and i - piece + 1 or 1, i))
  end
  return join(list, n)
end

local function by_pieces(name, in_pieces)
  local f = string[name]
  return function(s)
    if type(s) == 'string' then
      if #s <= PIECE then return f(s) end
      return (in_pieces(f, s))
    end
    return (native(name, f, s))
  end
end

T.upper, T.lower = by_pieces('upper', mapped), by_pieces('lower', mapped)
T.reverse = by_pieces('reverse', reversed)

-- ---------------------------------------------------------------------- rep
-- Made of sixteenths, which are made of sixteenths.
local function repeated(s, n)
  if #s * n <= SMALL or n == 1 then return native_rep(s, n) end
  local part = ceil(n / PIECES)
  local piece, list, made = repeated(s, part), {}, 0
  while n >= part do
    made = made + 1
    list[made], n = piece, n - part
  end
  if n > 0 then
    made = made + 1
    list[made] = repeated(s, n)
  end
  return join(list, made)
end

local function refused_rep(s, n, separator) return native('rep', native_rep, s, n, separator) end

local function long_rep(s, n, separator)
  local count = whole(n)
  if type(s) == 'number' then s = s .. '' end
  local unit = s
  if separator ~= nil then
    if type(separator) == 'number' then separator = separator .. '' end
    if type(separator) ~= 'string' then
      if K.is_51 then return K.bad_argument(3, 'rep', 'string', separator) end
      return refused_rep(s, n, separator)
    end
    if type(s) == 'string' then unit = s .. separator end
  end
  if type(s) ~= 'string' or not count then return refused_rep(s, n, separator) end
  if not (count >= 1) or unit == '' then return '' end
  if count > HUGE / #unit then
    -- 5.1 would go on until there is no memory.
    return K.is_51 and K.rethrow('not enough memory') or refused_rep(s, n, separator)
  end
  if unit == s then return repeated(s, count) end
  if count == 1 then return s end
  return repeated(unit, count - 1) .. s
end

function T.rep(s, n, separator)
  if separator == nil and type(s) == 'string' and type(n) == 'number' and
     n <= SMALL and #s * n <= SMALL and n % 1 == 0 then
    return native_rep(s, n)
  end
  return (long_rep(s, n, separator))
end

-- ---------------------------------------------------------------------- tonumber
-- A text of megabytes is not taken for a number, whatever it says.
function K.library.base.tonumber(...)
  local value, base = ...
  if type(value) == 'string' and #value > MAX_NUMERAL then return nil end
  if base == nil then
    if value == nil then return (native('tonumber', native_tonumber, ...)) end
    return native_tonumber(value)
  end
  return (native('tonumber', native_tonumber, ...))
end

-- ---------------------------------------------------------------------- os.date
function K.library.os.date(form, ...)
  if type(form) == 'string' and #form > MAX_DATE then return refuse(1, 'date', '(format too long)') end
  return (native('date', native_date, form, ...))
end

-- ---------------------------------------------------------------------- pack, unpack, packsize
-- A format is one call, whatever is in it: so it has a limit.
local function check_format(name, format)
  if type(format) ~= 'string' then return end
  if #format > MAX_PACK then return refuse(1, name, '(format too long)') end
  if name == 'pack' and find(format, 'c%d%d%d%d%d') then
    local padded = 0
    for size in gmatch(format, 'c(%d+)') do padded = padded + native_tonumber(size) end
    if padded > MAX_PADDED then return refuse(1, name, '(format result too large)') end
  end
end

local function with_format(name, f)
  return f and function(format, ...)
    check_format(name, format)
    return native(name, f, format, ...)
  end
end

T.pack, T.unpack = with_format('pack', native_pack), with_format('unpack', native_unpack)
T.packsize = with_format('packsize', native_packsize)
