-- string.format: __tostring is called from Lua, and what is long is formatted conversion by conversion.

local K = ...

local byte, find, gmatch, match, sub =
      string.byte, string.find, string.gmatch, string.match, string.sub
local native_format, native_tostring = string.format, tostring
local pcall, select, type = pcall, select, type
local unpack = table.unpack or unpack
local judged, refuse, without_place = K.judged, K.refuse, K.without_place
local concat, tostring = K.library.table.concat, K.library.base.tostring or native_tostring

local MAX_FORMS = 1000       -- remembered, then forgotten all at once: scripts have few
local MAX_FORM = 256         -- bytes of a form that is worth it
local KEPT = (K.is_51 or K.is_52) and 100 or 0   -- bytes of a %s from which on it is kept whole: 5.1 and 5.2
                                                 -- end a shorter one at its first NUL
local LONG_FORM = 1024       -- bytes of one whose conversions are done one by one: 5 µs each
local LONG_TEXT = 262144     -- bytes of all arguments that C may take at a time
local QUOTED = 65536         -- bytes that %q may take at a time: up to 50 ns each
local QUOTED_WEIGHT = 8      -- what such a byte counts for among the others
local LONGEST = 32           -- bytes of a conversion
local GATHERED = 4096        -- results that wait for being one text
local SHORT = 4096           -- bytes of an argument that is not worth a look at what it is for
local FEW = 3                -- conversions of a form whose arguments are looked at without a table

local CONVERSION = '%%[-+ #0]*%d*%.?%d*(.)'

-- The argument of %s. (5.1 takes strings and numbers only, where LuaJIT takes anything.)
local function textual(value)
  local kind = type(value)
  if kind == 'table' or K.is_51 and kind ~= 'string' and kind ~= 'number' then return tostring(value) end
  return value
end

-- ---------------------------------------------------------------------- one by one
local function is_digit(c) return c >= 48 and c <= 57 end
local function is_control(c) return c < 32 or c == 127 end

-- No piece ends where C would look at the next byte: between a control character and a digit.
local function quoted(text)
  local list, n, size = {'"'}, 1, #text
  local first = 1
  while first <= size do
    local last = first + QUOTED - 1
    if last < size and is_control(byte(text, last)) and is_digit(byte(text, last + 1)) then last = last + 1 end
    n = n + 1
    list[n] = sub(native_format('%q', sub(text, first, last)), 2, -2)
    first = last + 1
  end
  list[n + 1] = '"'
  return concat(list)
end

-- What pcall of the conversion of argument `position` has given.
local function converted(position, ok, ...)
  if ok then return ... end
  local reason = match(without_place((...)), "^bad argument #%d+ to '[^']*' (.*)$")
  if reason then return refuse(position, 'format', reason) end
  return judged('format', false, ...)
end

local function format_slowly(changes, form, n, values)
  local texts, list, made, at, argument = {}, {}, 0, 1, 0
  while true do
    if made >= GATHERED then
      texts[#texts + 1] = concat(list, '', 1, made)
      made = 0
    end
    local start = find(form, '%', at, true)
    made = made + 1
    list[made] = sub(form, at, start and start - 1)
    if not start then
      texts[#texts + 1] = concat(list, '', 1, made)
      return concat(texts)
    end
    local conversion = sub(form, start, start + LONGEST - 1)
    local letter = match(conversion, '^' .. CONVERSION)
    local text
    if sub(conversion, 2, 2) == '%' then
      at, text = start + 2, '%'
    else
      local _, last = find(conversion, '^' .. CONVERSION)
      conversion = sub(conversion, 1, last)
      at, argument = start + #conversion, argument + 1
      local value = values[argument]
      local change = letter == 's' and textual or changes[letter]
      if argument > n then
        text = converted(argument + 1, pcall(native_format, conversion))
      elseif letter == 's' and conversion == '%s' and type(value) == 'string' and #value >= KEPT then
        text = value
      elseif letter == 'q' and type(value) == 'string' and #value > QUOTED then
        converted(argument + 1, pcall(native_format, conversion, ''))
        text = quoted(value)
      else
        if change then value = change(value) end
        text = converted(argument + 1, pcall(native_format, conversion, value))
      end
    end
    made = made + 1
    list[made] = text
  end
end

-- ---------------------------------------------------------------------- all at once
local LONG = {}

-- format with the arguments of some conversions changed: `changes` has a function for each letter,
-- which leaves a short argument that the native function takes as it is.
function K.format_with(changes)
  local known, count = {}, 0
  -- How many conversions a known form has, if these are few.
  local easy = {}
  -- Which letters stand where, {position = letter}, of those that need a look; false if none.
  local function plan_of(form)
    local size = #form
    if size > LONG_FORM then return LONG end
    local plan, position = false, 0
    for letter in gmatch(form, CONVERSION) do
      if letter ~= '%' then
        position = position + 1
        if letter == 's' or letter == 'q' or changes[letter] then
          plan = plan or {n = 0}
          plan[position], plan.n = letter, position
        end
      end
    end
    if size <= MAX_FORM then
      if count >= MAX_FORMS then known, easy, count = {}, {}, 0 end
      known[form], count = plan, count + 1
      if position > 0 and position <= FEW then easy[form] = position end
    end
    return plan
  end
  -- An argument as C gets it, and how many bytes it counts for.
  local function changed(letter, value)
    if not letter then return value, 0 end
    if letter == 's' then
      value = textual(value)
    elseif letter ~= 'q' then
      return changes[letter](value), 0
    end
    if type(value) ~= 'string' then return value, 0 end
    return value, letter == 'q' and #value * QUOTED_WEIGHT or #value
  end
  local function format_many(plan, form, n, ...)
    local values = {...}
    if plan == LONG then return format_slowly(changes, form, n, values) end
    local size = 0
    for i = 1, plan.n < n and plan.n or n do
      local bytes
      values[i], bytes = changed(plan[i], values[i])
      size = size + bytes
    end
    if size > LONG_TEXT then return format_slowly(changes, form, n, values) end
    return judged('format', pcall(native_format, form, unpack(values, 1, n)))
  end
  local function format_any(...)
    local form, value = ...
    local plan
    if type(form) == 'string' then
      plan = known[form]
      if plan == nil then plan = plan_of(form) end
    end
    if not plan then return (judged('format', pcall(native_format, ...))) end
    local n = select('#', ...) - 1
    if plan == LONG or n > 2 or n < 1 then return (format_many(plan, form, n, select(2, ...))) end
    -- One or two arguments, as most calls have, without a table of them.
    local first, size = changed(plan[1], value)
    if n == 1 then
      if size > LONG_TEXT then return (format_slowly(changes, form, 1, {value})) end
      return (judged('format', pcall(native_format, form, first)))
    end
    local _, _, other = ...
    local second, more = changed(plan[2], other)
    if size + more > LONG_TEXT then return (format_slowly(changes, form, 2, {value, other})) end
    return (judged('format', pcall(native_format, form, first, second)))
  end
  return function(...)
    local form, first, second, third = ...
    local n = easy[form]
    if n then
      local kind = type(first)
      local is_short = kind == 'number' or kind == 'string' and #first <= SHORT
      if is_short and n > 1 then
        kind = type(second)
        is_short = kind == 'number' or kind == 'string' and #second <= SHORT
        if is_short and n > 2 then
          kind = type(third)
          is_short = kind == 'number' or kind == 'string' and #third <= SHORT
        end
      end
      if is_short then
        local ok, text = pcall(native_format, form, first, second, third)
        if ok then return text end
      end
    end
    return (format_any(...))
  end
end

K.library.string.format = K.format_with({})
