-- What every area of the API is made with: call forms, arguments, numbers as text, waiting.

local K, host = ...

local getmetatable, math_type, next, rawequal, rawget, setmetatable, tonumber, tostring, type =
      getmetatable, math.type, next, rawequal, rawget, setmetatable, tonumber, tostring, type
local debug_setmetatable, upvalueid, newproxy = debug.setmetatable, debug.upvalueid, newproxy
local char, find, format = string.char, string.find, string.format
local raise, S = K.raise, K.S

local A = {
  K = K, host = host, S = S, raise = raise, bad_argument = K.bad_argument,
  core_version = '0.1.25',      -- of the lua-resty-core that the API was compared with
}

-- ---------------------------------------------------------------------- call forms
local function without_first(f, _, ...) return f(...) end

-- cd.req.get_method() and cd.req:get_method() are one: a first argument that is the function's
-- own table, in either view, is dropped.
function A.method(f, own, other)
  return function(...)
    local first = ...
    if rawequal(first, own) or rawequal(first, other) then return without_first(f, ...) end
    return f(...)
  end
end

-- Puts f into both views' tables of one area; `ngx_f` where OpenResty's differs.
function A.define(cd_table, ngx_table, name, f, ngx_f)
  cd_table[name] = A.method(f, cd_table, ngx_table)
  ngx_table[name] = A.method(ngx_f or f, cd_table, ngx_table)
end

-- ---------------------------------------------------------------------- metatables
-- A finalizer runs inside the collector: nothing can interrupt it, and the request that executes
-- then may be anybody's.
function A.refuse_finalizer(meta)
  if rawget(meta, '__gc') ~= nil and S.R.isolate.sandboxed then
    return raise("'__gc' is not available to sandboxed scripts (lua_sandbox = false allows it)")
  end
end

-- setmetatable for a metatable that scripts can get at, and change.
function A.set_metatable(t, meta)
  A.refuse_finalizer(meta)
  return setmetatable(t, meta)
end

-- ---------------------------------------------------------------------- null
-- One value for the whole VM: a userdata, as in OpenResty, that says "userdata: NULL".
local meta = {__tostring = function() return 'userdata: NULL' end, __metatable = false}
if newproxy then
  A.null = newproxy(true)
  local own = getmetatable(A.null)
  own.__tostring, own.__metatable = meta.__tostring, false
else
  -- 5.2 and newer: any light userdata; their metatable is one for all, and nobody has others.
  A.null = upvalueid(function() return meta end, 1)
  debug_setmetatable(A.null, meta)
end

-- ---------------------------------------------------------------------- numbers and text
-- As LuaJIT prints them, on every engine; integers of 5.3 and newer in full.
local function number_text(n)
  if math_type and math_type(n) == 'integer' then return format('%d', n) end
  return format('%.14g', n)
end
if K.is_jit then number_text = tostring end
A.number_text = number_text

-- What OpenResty's string functions make of an argument that is not a string.
function A.text(value)
  local kind = type(value)
  if kind == 'string' then return value end
  if kind == 'nil' then return '' end
  return A.tostring(value)
end

-- The text of a header value or shared-dictionary key: nil is the caller's affair. LuaJIT and 5.1
-- let a __tostring return anything.
function A.tostring(value)
  if type(value) == 'number' then return number_text(value) end
  local text = tostring(value)
  if type(text) ~= 'string' then return raise("'tostring' must return a string") end
  return text
end

-- Each byte as a percent escape.
A.percent = {}
for code = 0, 255 do A.percent[char(code)] = format('%%%02X', code) end

-- A field of a head, or the arguments of a request, with more bytes than this is a mistake: nobody
-- takes it, and whatever looks at it would keep the server busy.
local MAX_FIELD = 2 ^ 16
function A.check_field(text, what)
  if #text > MAX_FIELD then return raise(what .. ' of more than ' .. format('%d', MAX_FIELD) .. ' bytes') end
  return text
end

-- A header field's name and value without what would end them, or the line.
function A.header_name(name)
  A.check_field(name, 'header name')
  return A.pieces.replace(name, '[%c "(),/:;<=>?@%[\\%]{}\128-\255]', A.percent)
end
function A.header_value(value)
  A.check_field(value, 'header value')
  return A.pieces.replace(value, '[%z\1-\8\10-\31\127]', A.percent)
end

-- Argument `position` as a string, as luaL_checkstring takes it.
function A.check_string(value, position, name)
  if type(value) == 'string' then return value end
  if type(value) == 'number' then return number_text(value) end
  return K.bad_argument(position, name, 'string', value)
end

function A.check_number(value, position, name)
  local n = tonumber(value)
  if n and type(value) ~= 'boolean' then return n end
  return K.bad_argument(position, name, 'number', value)
end

-- The `max` of get_headers and its like: absent or negative is 100, 0 is unlimited.
local DEFAULT_MAX = 100
function A.check_max(value, position, name)
  if value == nil then return DEFAULT_MAX end
  local n = A.check_number(value, position, name)
  if n < 0 then return DEFAULT_MAX end
  if n < 1 then return 1 / 0 end
  return n - n % 1
end

-- Whether a Content-Length may say so: no more digits than of any file, and of less than 2^63.
function A.is_length(text)
  return #text <= 18 and find(text, '^%d+$') ~= nil
end

-- An optional argument that is a boolean where it is given at all: nil, too, is a wrong one.
function A.check_boolean(value, position, name, count)
  if position <= count and type(value) ~= 'boolean' then
    return K.bad_argument(position, name, 'boolean', value)
  end
end

-- Adds a value to a table whose repeated keys become arrays.
function A.add_value(t, key, value)
  local old = t[key]
  if old == nil then
    t[key] = value
  elseif type(old) == 'table' then
    old[#old + 1] = value
  else
    t[key] = {old, value}
  end
end

-- ---------------------------------------------------------------------- waiting
-- A module's main chunk may not wait: whoever requires it next would find it half made.
function A.wait(op, ...)
  local loading = S.R.loading
  if loading and next(loading) ~= nil then
    return raise('attempt to yield across C-call boundary')
  end
  return K.wait(op, ...)
end

return A
