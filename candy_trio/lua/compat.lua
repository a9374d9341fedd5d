-- What scripts for OpenResty's LuaJIT rely on, where an engine lacks it or says it differently.
--
-- Rules of this file:
-- * Nothing that an engine has is taken away; where it would raise, it may answer as LuaJIT does.
-- * A function of ours in a native one's place costs time: only those that much code calls in the
--   way that differs. docs/lua-differences.md lists what is smoothed and what is not.

local K, host, lualib = ...

local next, tonumber, type = next, tonumber, type
local exp, floor, log, math_type, native_atan = math.exp, math.floor, math.log, math.type, math.atan
local gmatch, bad_argument = string.gmatch, K.bad_argument

local IS_53 = math_type ~= nil        -- or newer: integers beside floats

local function check_number(position, name, value)
  if type(value) == 'number' then return value end
  local n = type(value) == 'string' and tonumber(value)
  return n or bad_argument(position, name, 'number', value)
end

-- ---------------------------------------------------------------------- math
local M = {}

function M.pow(x, y) return check_number(1, 'pow', x) ^ check_number(2, 'pow', y) end
function M.log10(x) return log(check_number(1, 'log10', x), 10) end
function M.ldexp(m, e) return check_number(1, 'ldexp', m) * 2.0 ^ floor(check_number(2, 'ldexp', e)) end
function M.atan2(y, x) return native_atan(check_number(1, 'atan2', y), check_number(2, 'atan2', x)) end

function M.frexp(x)
  x = check_number(1, 'frexp', x) + 0.0
  if x == 0 or x ~= x or x == 1 / 0 or x == -1 / 0 then return x, 0 end
  local e = 0
  while x >= 1 or x <= -1 do x, e = x / 2, e + 1 end
  while x > -0.5 and x < 0.5 do x, e = x * 2, e - 1 end
  return x, e
end

function M.sinh(x)
  x = check_number(1, 'sinh', x)
  return (exp(x) - exp(-x)) / 2
end
function M.cosh(x)
  x = check_number(1, 'cosh', x)
  return (exp(x) + exp(-x)) / 2
end
function M.tanh(x)
  x = check_number(1, 'tanh', x)
  if x > 20 or x < -20 then return x > 0 and 1.0 or -1.0 end      -- to the last bit
  local a, b = exp(x), exp(-x)
  return (a - b) / (a + b)
end

-- 5.1 leaves the base out of account.
local function log_with_base(...)
  local x, base = ...
  if base == nil then return log(...) end
  return log(check_number(1, 'log', x)) / log(check_number(2, 'log', base))
end

-- ---------------------------------------------------------------------- string
local MIN_INTEGER = -2 ^ 63         -- what LuaJIT makes of a number that no integer can be

-- What LuaJIT's %d makes of a float: the integer towards zero.
local function whole(value)
  if math_type(value) == 'integer' then return value end
  local n = value
  if type(n) == 'string' then n = tonumber(n) end
  if math_type(n) ~= 'float' or n % 1 == 0 and n >= MIN_INTEGER and n < -MIN_INTEGER then return value end
  if not (n >= MIN_INTEGER and n < -MIN_INTEGER) then return MIN_INTEGER end
  return n < 0 and -floor(-n) or floor(n)
end

local TABLE = {}
for name in gmatch('getn maxn foreach foreachi move pack unpack', '%a+') do
  TABLE[name] = K.library.table[name]
end

-- What stands before an engine's own functions.
local STRING, MATH = {}, {}
if IS_53 then
  local changes = {}
  for letter in gmatch('diouxXc', '.') do changes[letter] = whole end
  STRING.format = K.format_with(changes)
end
if K.is_51 then MATH.log = log_with_base end

-- ---------------------------------------------------------------------- an isolate's libraries
local function add(library, functions)
  for name, f in next, functions do
    if library[name] == nil then library[name] = f end
  end
end

-- Completes the libraries in `env`.
local function fill(env, I)
  I.table = env.table
  add(env.table, TABLE)
  add(env.math, M)
  for name, f in next, STRING do env.string[name] = f end
  for name, f in next, MATH do env.math[name] = f end
  env.unpack = K.library.table.unpack
  env.bit = env.bit or lualib.opener('bit')(I)
  -- OpenResty's own modules require these two, which puts them into `table`.
  for _, name in next, {'table.new', 'table.clear'} do lualib.opener(name)(I) end
end

return {fill = fill}
