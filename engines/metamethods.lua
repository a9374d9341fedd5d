-- C functions that call a metamethod, which could not be interrupted there: here Lua calls it.

local K = ...

local getmetatable = debug.getmetatable
local native_ipairs, native_pairs, native_tostring, native_time = ipairs, pairs, tostring, os.time
local rawget, select, type = rawget, select, type
local raise, native = K.raise, K.native

local IS_52 = _VERSION == 'Lua 5.2'
local IS_53 = math.type ~= nil        -- or newer
local IS_54 = IS_53 and _VERSION ~= 'Lua 5.3'

local B = K.library.base

-- ---------------------------------------------------------------------- tostring
-- LuaJIT's leaves its own frame before it calls.
if not K.is_jit then
  local function described(...)
    if select('#', ...) == 0 then return raise("bad argument #1 to 'tostring' (value expected)") end
    local value = ...
    local meta = getmetatable(value)
    local describe = meta and rawget(meta, '__tostring')
    if describe == nil then return native_tostring(value) end
    local text = describe(value)
    local kind = type(text)
    if kind == 'number' and not K.is_51 then return native_tostring(text) end
    if IS_53 and kind ~= 'string' then return raise("'__tostring' must return a string") end
    return text
  end

  function B.tostring(...)
    local value = ...
    if value == nil or type(value) == 'table' then return (described(...)) end
    return native_tostring(value)
  end
end

-- ---------------------------------------------------------------------- pairs, ipairs
local function pairs_by(name, event, native_f)
  return function(...)
    local t = ...
    local meta = getmetatable(t)
    local iterate = meta and rawget(meta, event)
    if iterate ~= nil then
      local f, state, control = iterate(t)
      return f, state, control
    end
    if type(t) == 'table' then return native_f(t) end
    return native(name, native_f, ...)
  end
end

-- Those of 5.4 and newer can be interrupted; LuaJIT and 5.1 have no such metamethod.
if IS_52 or IS_53 and not IS_54 then B.pairs = pairs_by('pairs', '__pairs', native_pairs) end
if IS_52 then B.ipairs = pairs_by('ipairs', '__ipairs', native_ipairs) end

if IS_53 then
  local function following(t, i)
    i = i + 1
    local value = t[i]
    if value ~= nil then return i, value end
  end

  function B.ipairs(...)
    local t = ...
    if t ~= nil and getmetatable(t) ~= nil then return following, t, 0 end
    if type(t) == 'table' then return native_ipairs(t) end
    return native('ipairs', native_ipairs, ...)
  end
end

-- ---------------------------------------------------------------------- os.time
local FIELDS = {'year', 'month', 'day', 'hour', 'min', 'sec', 'isdst'}
local SET_FIELDS = {'year', 'month', 'day', 'hour', 'min', 'sec', 'yday', 'wday', 'isdst'}

local function time_of_fields(t)
  local plain = {}
  for i = 1, #FIELDS do
    local name = FIELDS[i]
    plain[name] = t[name]
  end
  local time = native('time', native_time, plain)
  -- From 5.3 on the fields are brought into their ranges.
  if IS_53 then
    for i = 1, #SET_FIELDS do
      local name = SET_FIELDS[i]
      t[name] = plain[name]
    end
  end
  return time
end

function K.library.os.time(...)
  local t = ...
  if t == nil then return native_time() end
  if type(t) == 'table' and getmetatable(t) ~= nil then return (time_of_fields(t)) end
  return native('time', native_time, ...)
end
