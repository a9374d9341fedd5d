-- What scripts for OpenResty's LuaJIT rely on, where an engine lacks it or says it differently.
--
-- Rules of this file:
-- * Nothing that an engine has is taken away; where it would raise, it may answer as LuaJIT does.
-- * A function of ours in a native one's place costs time: only those that much code calls in the
--   way that differs. docs/lua-differences.md lists what is smoothed and what is not.

local K, host, lualib = ...

local floor, log, next, pcall, select, tonumber, tostring, type =
      math.floor, math.log, next, pcall, select, tonumber, tostring, type
local exp, find, gmatch, gsub = math.exp, string.find, string.gmatch, string.gsub
local native_format, native_rep = string.format, string.rep
local math_type, native_atan, native_unpack = math.type, math.atan, unpack or table.unpack
local raise, rethrow, bad_argument, S = K.raise, K.rethrow, K.bad_argument, K.S

local IS_53 = math_type ~= nil        -- or newer: integers beside floats

local function check_table(name, value)
  if type(value) ~= 'table' then return bad_argument(1, name, 'table', value) end
  return value
end

local function check_number(position, name, value)
  if type(value) == 'number' then return value end
  local n = type(value) == 'string' and tonumber(value)
  return n or bad_argument(position, name, 'number', value)
end

-- ---------------------------------------------------------------------- table
local T = {}

function T.getn(t) return #check_table('getn', t) end

function T.maxn(t)
  local largest = 0
  for key in next, check_table('maxn', t) do
    if type(key) == 'number' and key > largest then largest = key end
  end
  return largest
end

T.foreach, T.foreachi = K.foreach, K.foreachi

-- The way round that overwrites nothing which is still to be read.
function T.move(from, first, last, target, into)
  check_table('move', from)
  first, last = check_number(2, 'move', first), check_number(3, 'move', last)
  target = check_number(4, 'move', target)
  if into == nil then into = from elseif type(into) ~= 'table' then bad_argument(5, 'move', 'table', into) end
  if target > last or target <= first or into ~= from then
    for i = 0, last - first do into[target + i] = from[first + i] end
  else
    for i = last - first, 0, -1 do into[target + i] = from[first + i] end
  end
  return into
end

function T.pack(...) return {n = select('#', ...), ...} end
T.unpack = native_unpack

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
local MAX_FORMS = 1000              -- remembered, then forgotten all at once: scripts have few
local MAX_FORM = 256                -- bytes of a form that is worth it
local MIN_INTEGER = -2 ^ 63         -- what LuaJIT makes of a number that no integer can be

-- A native function that one of ours calls names our line in its errors, and is itself called by
-- another name: they get the script's line, and the name that the script called.
local function judged(name, ok, ...)
  if S.R.done then K.stop() end
  if ok then return ... end
  local message = K.without_place((...))
  if type(message) ~= 'string' then return rethrow(message) end
  if find(message, '^bad argument') then
    return raise((gsub(message, "^(bad argument #%d+ to )'[^']*'", "%1'" .. name .. "'")))
  end
  return find(message, '^invalid ') and raise(message) or rethrow(message)
end

-- format with every argument of a conversion in `letters` passed through `change`.
local function format_with(letters, change)
  local known, count = {}, 0
  -- Which arguments those are, as {position = true}; false if none.
  local function positions_in(form)
    local found, position = false, 0
    for letter in gmatch(form, '%%[-+ #0]*%d*%.?%d*(.)') do
      if letter ~= '%' then
        position = position + 1
        if find(letters, letter, 1, true) then
          found = found or {}
          found[position] = true
        end
      end
    end
    if #form <= MAX_FORM then
      if count >= MAX_FORMS then known, count = {}, 0 end
      known[form], count = found, count + 1
    end
    return found
  end
  return function(...)
    local form, first = ...
    local positions
    if type(form) == 'string' then
      positions = known[form]
      if positions == nil then positions = positions_in(form) end
    end
    if not positions then return judged('format', pcall(native_format, ...)) end
    local n = select('#', ...) - 1
    if n == 1 then
      return judged('format', pcall(native_format, form, positions[1] and change(first) or first))
    end
    local values = {select(2, ...)}
    for i in next, positions do
      if i <= n then values[i] = change(values[i]) end
    end
    return judged('format', pcall(native_format, form, native_unpack(values, 1, n)))
  end
end

-- What LuaJIT's %d makes of a float: the integer towards zero.
local function whole(value)
  if math_type(value) == 'integer' then return value end
  local n = value
  if type(n) == 'string' then n = tonumber(n) end
  if math_type(n) ~= 'float' or n % 1 == 0 and n >= MIN_INTEGER and n < -MIN_INTEGER then return value end
  if not (n >= MIN_INTEGER and n < -MIN_INTEGER) then return MIN_INTEGER end
  return n < 0 and -floor(-n) or floor(n)
end

-- %s of 5.1 takes strings and numbers only.
local function textual(value)
  if type(value) == 'string' or type(value) == 'number' then return value end
  return tostring(value)
end

local function rep_with_separator(...)
  local text, n, separator = ...
  if separator == nil or separator == '' then return judged('rep', pcall(native_rep, ...)) end
  if type(text) ~= 'string' and type(text) ~= 'number' then return bad_argument(1, 'rep', 'string', text) end
  if type(separator) ~= 'string' and type(separator) ~= 'number' then
    return bad_argument(3, 'rep', 'string', separator)
  end
  n = check_number(2, 'rep', n)
  if n < 1 then return '' end
  return judged('rep', pcall(native_rep, text .. separator, n - 1)) .. text
end

-- What stands before an engine's own functions.
local STRING, MATH = {}, {}
if IS_53 then STRING.format = format_with('diouxXc', whole) end
if K.is_51 then
  STRING.format, STRING.rep = format_with('s', textual), rep_with_separator
  MATH.log = log_with_base
end

-- ---------------------------------------------------------------------- an isolate's libraries
local function add(library, functions)
  for name, f in next, functions do
    if library[name] == nil then library[name] = f end
  end
end

-- Completes the libraries in `env`.
local function fill(env, I)
  I.table = env.table
  add(env.table, T)
  add(env.math, M)
  for name, f in next, STRING do env.string[name] = f end
  for name, f in next, MATH do env.math[name] = f end
  env.unpack = native_unpack
  env.bit = env.bit or lualib.opener('bit')(I)
  -- OpenResty's own modules require these two, which puts them into `table`.
  for _, name in next, {'table.new', 'table.clear'} do lualib.opener(name)(I) end
end

return {fill = fill}
