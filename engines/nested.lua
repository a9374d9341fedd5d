-- C functions that call Lua, for scripts: they recurse to a limit instead of the stack's end.
--
-- On LuaJIT each of them takes C stack without any limit. The callback is counted, not the call: so
-- the C function is tail-called, and its errors keep the script's position.

local K = ...

local getmetatable, next, rawget, select, tostring, type = getmetatable, next, rawget, select, tostring, type
local unpack = table.unpack or unpack
local S, raise, bad_argument, MAX_DEPTH = K.S, K.raise, K.bad_argument, K.max_depth

local nested = {}

-- table.foreach and foreachi: C functions with the same trouble on LuaJIT, and gone from newer Luas.
local function check_each(name, t, f)
  if type(t) ~= 'table' then bad_argument(1, name, 'table', t) end
  if type(f) ~= 'function' then bad_argument(2, name, 'function', f) end
end

function K.foreach(t, f)
  check_each('foreach', t, f)
  for key, value in next, t do
    local result = f(key, value)
    if result ~= nil then return result end
  end
end

function K.foreachi(t, f)
  check_each('foreachi', t, f)
  for i = 1, #t do
    local result = f(i, t[i])
    if result ~= nil then return result end
  end
end

if K.is_jit then
  local native_sort, native_format = table.sort, string.format

  local function uncount(mark, ...)
    S.depth = mark
    return ...
  end
  local function counted(f)
    return function(...)
      local mark = S.depth
      if mark >= MAX_DEPTH then return raise('C stack overflow') end
      S.depth = mark + 1
      return uncount(mark, f(...))
    end
  end

  local function less(a, b) return a < b end

  function nested.sort(t, ...)
    local compare = ...
    if type(compare) == 'function' then return native_sort(t, counted(compare)) end
    if compare == nil and type(t) == 'table' then
      for i = 1, #t do
        local kind = type(rawget(t, i))
        if kind ~= 'number' and kind ~= 'string' then    -- a metamethod may compare it
          return native_sort(t, counted(less))
        end
      end
    end
    return native_sort(t, ...)
  end

  -- format calls __tostring from C; tostring itself does not. Which metamethods there are can't be
  -- asked, because __metatable may hide them.
  local function textual(value)
    if type(value) == 'table' and getmetatable(value) ~= nil then return tostring(value) end
    return value
  end
  local function format_any(form, ...)
    local n, values = select('#', ...), {...}
    for i = 1, n do values[i] = textual(values[i]) end
    return native_format(form, unpack(values, 1, n))
  end
  -- By number of arguments, since format tells a nil from an argument that is not there.
  function nested.format(form, ...)
    local n = select('#', ...)
    if n == 1 then
      local a = ...
      if type(a) ~= 'table' then return native_format(form, a) end
    elseif n == 2 then
      local a, b = ...
      if type(a) ~= 'table' and type(b) ~= 'table' then return native_format(form, a, b) end
    elseif n == 0 then
      return native_format(form)
    end
    return format_any(form, ...)
  end

  -- os.time reads its table's fields through __index from C.
  local native_time = os.time
  function nested.time(...)
    local t = ...
    if type(t) ~= 'table' or getmetatable(t) == nil then return native_time(...) end
    return native_time({
      year = t.year, month = t.month, day = t.day, hour = t.hour, min = t.min, sec = t.sec,
      isdst = t.isdst,
    })
  end

  nested.foreach, nested.foreachi = K.foreach, K.foreachi
end

K.nested = nested
