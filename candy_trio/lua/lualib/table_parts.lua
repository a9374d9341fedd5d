-- table.new, table.clear, table.nkeys, table.isempty, table.isarray, table.clone: what OpenResty's
-- LuaJIT adds to Lua's tables, one module for each function. None of them looks at metatables.

local K, host, A = ...

local next, select, tonumber, type = next, select, tonumber, type
local native_require, native_preload = require, package.preload
local bad_argument = A.bad_argument

local MAX_SLOTS = 2 ^ 26        -- of the array part and of the hash part, in LuaJIT: more overflow
local MAX_AHEAD = 2 ^ 20        -- what is made at once, 8 and 24 MB: the sizes are a hint

local function check_table(name, ...)
  local t = ...
  if type(t) == 'table' then return t end
  return bad_argument(1, name, 'table', t, select('#', ...))
end

-- ---------------------------------------------------------------------- new, clear
local native_new, native_clear
if K.is_jit then
  native_new = native_preload['table.new'] and native_require('table.new')
  native_clear = native_preload['table.clear'] and native_require('table.clear')
end

local function check_size(position, count, value)
  local n = type(value) ~= 'boolean' and tonumber(value)
  if not n then return bad_argument(position, 'new', 'number', value, count) end
  return n
end

-- PUC-Lua has no way to give the hint.
local function new(...)
  local count = select('#', ...)
  local array, hash = ...
  array, hash = check_size(1, count, array), check_size(2, count, hash)
  if array > MAX_SLOTS or hash > MAX_SLOTS or hash <= -1 then return K.rethrow('table overflow') end
  if not native_new then return {} end
  return native_new(array < MAX_AHEAD and array or MAX_AHEAD, hash < MAX_AHEAD and hash or MAX_AHEAD)
end

local function clear(...)
  local t = check_table('clear', ...)
  if native_clear then return native_clear(t) end
  for key in next, t do t[key] = nil end
end

-- ---------------------------------------------------------------------- looking at keys
local function nkeys(...)
  local n = 0
  for _ in next, check_table('nkeys', ...) do n = n + 1 end
  return n
end

local function isempty(...) return next(check_table('isempty', ...)) == nil end

-- Any whole number is a key of an array, as in OpenResty.
local function isarray(...)
  for key in next, check_table('isarray', ...) do
    if type(key) ~= 'number' or key % 1 ~= 0 then return false end
  end
  return true
end

-- Shallow, and without the metatable.
local function clone(...)
  local copy = {}
  for key, value in next, check_table('clone', ...) do copy[key] = value end
  return copy
end

local M = {}
local functions = {new = new, clear = clear, nkeys = nkeys, isempty = isempty, isarray = isarray, clone = clone}

-- Whoever requires one finds it in its own `table`, too, as on LuaJIT.
for name, f in next, functions do
  M['table.' .. name] = function(I)
    I.table[name] = f
    return f
  end
end

return M
