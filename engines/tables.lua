-- table.* in pieces, and with the metamethods of its tables called from Lua.
--
-- On 5.3 and newer these functions call __index, __newindex and __len; the older ones look past
-- them (5.2 knows __len). A plain table goes to C, in pieces where that could take long.

local K = ...

local getmetatable = debug.getmetatable
local native_concat, native_insert, native_move, native_remove =
      table.concat, table.insert, table.move, table.remove
local native_unpack = table.unpack or unpack
local math_type, next, pcall, rawget, select, type = math.type, next, pcall, rawget, select, type
local raise, bad_argument, native, refuse, whole = K.raise, K.bad_argument, K.native, K.refuse, K.whole

local IS_52 = _VERSION == 'Lua 5.2'
local IS_53 = math_type ~= nil   -- or newer
local REMOVE_POSITION = _VERSION == 'Lua 5.3' and 1 or 2     -- which argument is out of bounds
local PIECE = 4194304            -- bytes that C may concatenate at a time; each element counts as more:
local STRING, NUMBER = 32, 1024  -- a string takes 25 ns, a number up to 1 µs
local MANY = 32768               -- strings that C may concatenate at a time
local SHIFT = 262144             -- elements that C may move at a time: 3 ms
local MAX_RESULTS = 1000000      -- what a stack of PUC-Lua's holds

local T = K.library.table

-- The length as the native functions of an engine with metamethods take it.
local function length(t)
  return whole(#t) or raise('object length is not ' .. (IS_52 and 'a number' or 'an integer'))
end

K.length = length

-- ---------------------------------------------------------------------- concat
-- Nothing where that could take long, an error where an element is no string.
local function concat_at_once(t, separator, first, last)
  local size = (last - first) * #separator
  for i = first, last do size = size + #t[i] end
  if size <= PIECE then return native_concat(t, separator, first, last) end
end

-- Up to where t[first..last] makes a piece; the first element always belongs to it.
local function end_of_piece(t, first, last, separator)
  local i, size = first, 0
  repeat
    local value = t[i]
    local kind = type(value)
    if kind == 'string' then
      size = size + #value + separator + STRING
    elseif kind == 'number' then
      size = size + separator + NUMBER
    else
      -- There it raises, and says which element that is.
      return i > first and i - 1 or i
    end
    i = i + 1
  until i > last or size > PIECE
  return i - 1
end

local function concat_in_pieces(t, separator, first, last)
  local list, n = {}, 0
  while first <= last do
    local stop = end_of_piece(t, first, last, #separator)
    n = n + 1
    list[n] = native('concat', native_concat, t, separator, first, stop)
    if stop < last and separator ~= '' then
      n = n + 1
      list[n] = separator
    end
    first = stop + 1
  end
  return K.join(list, n)
end

-- t[first..last] in a table without metamethods; what is no string or number is where it ends.
local function plain_copy(t, first, last)
  local copy = {}
  for i = first, last do
    local value
    if IS_53 then value = t[i] else value = rawget(t, i) end
    copy[i] = value
    local kind = type(value)
    if kind ~= 'string' and kind ~= 'number' then break end
  end
  return copy
end

function T.concat(t, separator, first, last)
  if type(t) ~= 'table' then return (bad_argument(1, 'concat', 'table', t)) end
  local text, from, to = separator, 1, last
  if text == nil then text = '' elseif type(text) == 'number' then text = text .. '' end
  if first ~= nil then from = whole(first) end
  local meta = getmetatable(t)
  if to ~= nil then to = whole(to) elseif meta then to = length(t) else to = #t end
  -- What it refuses is given to it with a table of nothing to do.
  if type(text) ~= 'string' or not from or not to then
    return (native('concat', native_concat, {}, separator, first, last or 0))
  end
  if meta then t = plain_copy(t, from, to) end
  if to - from < MANY then
    local ok, result = pcall(concat_at_once, t, text, from, to)
    if ok and result then return result end
  end
  return (concat_in_pieces(t, text, from, to))
end

-- ---------------------------------------------------------------------- move, unpack, pack, maxn
local MAX_INTEGER = math.maxinteger or 2 ^ 53

local function is_plain(t) return type(t) == 'table' and getmetatable(t) == nil end

-- The way round that overwrites nothing which is still to be read.
local function move_forward(from, first, last, target, into)
  if native_move and not K.is_jit and is_plain(from) and is_plain(into) then
    local i = first
    while true do
      local stop = last - i < SHIFT and last or i + SHIFT - 1
      native_move(from, i, stop, target + (i - first), into)
      if stop >= last then return end
      i = stop + 1
    end
  end
  for i = 0, last - first do into[target + i] = from[first + i] end
end

local function move_backward(from, first, last, target, into)
  if native_move and not K.is_jit and is_plain(from) and is_plain(into) then
    local i = last
    while true do
      local start = i - first < SHIFT and first or i - SHIFT + 1
      native_move(from, start, i, target + (start - first), into)
      if start <= first then return end
      i = start - 1
    end
  end
  for i = last - first, 0, -1 do into[target + i] = from[first + i] end
end

-- From 5.3 on, whatever has the metamethods that are needed is as good as a table.
local function check_table(position, name, value, ...)
  if type(value) == 'table' then return end
  local meta = IS_53 and getmetatable(value)
  if not meta then return bad_argument(position, name, 'table', value) end
  for i = 1, select('#', ...) do
    if rawget(meta, (select(i, ...))) == nil then return bad_argument(position, name, 'table', value) end
  end
end

local function check_integer(position, name, value)
  local n = whole(value)
  if n then return n end
  if type(value) == 'number' then return refuse(position, name, '(number has no integer representation)') end
  return bad_argument(position, name, 'number', value)
end

function T.move(from, first, last, target, into)
  check_table(1, 'move', from, '__index')
  first, last = check_integer(2, 'move', first), check_integer(3, 'move', last)
  target = check_integer(4, 'move', target)
  if into == nil then into = from end
  check_table(into == from and 1 or 5, 'move', into, '__newindex')
  if last < first then return into end
  if not (first > 0 or last < MAX_INTEGER + first) then
    return refuse(3, 'move', '(too many elements to move)')
  end
  if target > MAX_INTEGER - (last - first + 1) + 1 then
    return refuse(4, 'move', '(destination wrap around)')
  end
  if target > last or target <= first or into ~= from then
    move_forward(from, first, last, target, into)
  else
    move_backward(from, first, last, target, into)
  end
  return into
end

function T.pack(...) return {n = select('#', ...), ...} end

T.unpack = native_unpack
if K.is_51 then
  -- Its own counts in an int, and overruns the stack where that wraps.
  function T.unpack(t, first, last)
    if type(t) == 'table' then
      if first == nil and last == nil then return native_unpack(t) end
      local from, to = 1, #t
      if first ~= nil then from = whole(first) end
      if last ~= nil then to = whole(last) end
      if from and to then
        if to < from then return end
        if not (to - from < MAX_RESULTS) then return raise('too many results to unpack') end
      end
    end
    return native('unpack', native_unpack, t, first, last)
  end
elseif IS_53 then
  function T.unpack(t, first, last)
    if t ~= nil and getmetatable(t) == nil then
      if last == nil and first == nil and type(t) == 'table' then return native_unpack(t) end
      return native('unpack', native_unpack, t, first, last)
    end
    local from, to = 1, last
    if first ~= nil then from = whole(first) end
    if type(t) ~= 'table' or not from or last ~= nil and not whole(last) then
      return native('unpack', native_unpack, t, first, last)
    end
    if last == nil then to = length(t) else to = whole(last) end
    if from > to then return end
    if to - from >= MAX_RESULTS or to - from < 0 then return raise('too many results to unpack') end
    local copy = {}
    for i = 0, to - from do copy[i + 1] = t[from + i] end
    return native('unpack', native_unpack, copy, 1, to - from + 1)
  end
end

function T.maxn(t)
  if type(t) ~= 'table' then return bad_argument(1, 'maxn', 'table', t) end
  local largest = 0
  for key in next, t do
    if type(key) == 'number' and key > largest then largest = key end
  end
  return largest
end

-- ---------------------------------------------------------------------- insert, remove
-- On the older ones they call nothing, and C is quick enough for all that fits into memory.
if IS_53 then
  local function insert_slowly(...)
    local count = select('#', ...)
    local t, pos, value = ...
    check_table(1, 'insert', t, '__index', '__newindex', '__len')
    local n = length(t)
    if count == 2 then
      t[n + 1] = pos
      return
    end
    if count ~= 3 then return raise("wrong number of arguments to 'insert'") end
    pos = check_integer(2, 'insert', pos)
    if pos < 1 or pos > n + 1 then return refuse(2, 'insert', '(position out of bounds)') end
    move_backward(t, pos, n, pos + 1, t)
    t[pos] = value
  end

  function T.insert(t, ...)
    if type(t) ~= 'table' or getmetatable(t) ~= nil then return insert_slowly(t, ...) end
    local count = select('#', ...)
    if count == 1 then
      t[#t + 1] = ...
      return
    end
    local pos = ...
    if count ~= 2 or math_type(pos) ~= 'integer' or pos < 1 or pos > #t + 1 or #t - pos > SHIFT then
      return insert_slowly(t, ...)
    end
    return native_insert(t, ...)
  end

  local function remove_slowly(t, position)
    check_table(1, 'remove', t, '__index', '__newindex', '__len')
    local n = length(t)
    local pos = n
    if position ~= nil then pos = check_integer(2, 'remove', position) end
    if pos ~= n and (pos < 1 or pos > n + 1) then
      return refuse(REMOVE_POSITION, 'remove', '(position out of bounds)')
    end
    local value = t[pos]
    move_forward(t, pos + 1, n, pos, t)
    if pos < n then t[n] = nil else t[pos] = nil end
    return value
  end

  function T.remove(t, pos)
    if type(t) ~= 'table' or getmetatable(t) ~= nil then return (remove_slowly(t, pos)) end
    if pos == nil then return native_remove(t) end
    if math_type(pos) ~= 'integer' or pos < 1 or pos > #t or #t - pos > SHIFT then
      return (remove_slowly(t, pos))
    end
    return native_remove(t, pos)
  end
end

-- ---------------------------------------------------------------------- foreach, foreachi, getn
local function check_each(name, t, f)
  if type(t) ~= 'table' then bad_argument(1, name, 'table', t) end
  if type(f) ~= 'function' then bad_argument(2, name, 'function', f) end
end

function T.foreach(t, f)
  check_each('foreach', t, f)
  for key, value in next, t do
    local result = f(key, value)
    if result ~= nil then return result end
  end
end

function T.foreachi(t, f)
  check_each('foreachi', t, f)
  for i = 1, #t do
    local result = f(i, t[i])
    if result ~= nil then return result end
  end
end

function T.getn(t)
  if type(t) ~= 'table' then return bad_argument(1, 'getn', 'table', t) end
  return #t
end
