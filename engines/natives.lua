-- What the next files have in common: functions of ours in the place of Lua's own.
--
-- A C function can't be interrupted, nor can a script's function that it calls. So what may take
-- long is cut into pieces of at most 5 ms with Lua in between, and metamethods and callbacks are
-- called from Lua. What is short goes to C as ever.
--
-- Rules of these files:
-- * K.library holds, by library, what scripts get; a name that an engine lacks stays out of there
--   unless compat.lua asks for it.
-- * Same results and the same errors as the native function's, in its words: whatever it would
--   refuse is given to it, by K.native, and what it says gets the script's place.
-- * No state between calls: every line may be interrupted, and another run call the same function.

local K = ...

local match, sub = string.match, string.sub
local ceil, floor, math_type, tointeger = math.ceil, math.floor, math.type, math.tointeger
local getinfo, pcall, tonumber, type = debug.getinfo, pcall, tonumber, type
local S, raise, rethrow, without_place, out_of_memory, gates =
      K.S, K.raise, K.rethrow, K.without_place, K.out_of_memory, K.gates

local PIECE = 1048576         -- bytes that C may copy or change at a time: 1 to 5 ms
local MAX_NUMERAL = 1024      -- bytes that may stand for a number where an index is expected

K.library = {base = {}, string = {}, table = {}, os = {}, utf8 = {}}
K.piece = PIECE

-- ---------------------------------------------------------------------- errors
-- The name by which the script called the function of ours that is outermost now, and whether it
-- called it as a method; `name` where a tail call has hidden that.
local function called_as(name)
  local level, method = 3, false
  while true do
    local info = getinfo(level, 'Snf')
    if not info then return name, method end
    if not gates[info.func] and (info.what == 'C' or sub(info.short_src, 1, 6) ~= '[candy') then
      return name, method
    end
    name, method = info.name or name, info.namewhat == 'method'
    level = level + 1
  end
end

-- Raises "bad argument" with the reason in full, counting arguments as the script sees them.
local function refuse(position, name, reason)
  local shown, method = called_as(name)
  if method then
    position = position - 1
    if position == 0 then return raise("calling '" .. shown .. "' on bad self " .. reason) end
  end
  return raise('bad argument #' .. position .. " to '" .. shown .. "' " .. reason)
end

-- What pcall of a native function has given, as if the script had called that itself.
local function judged(name, ok, ...)
  if S.R.done then K.stop() end
  if ok then return ... end
  local message = without_place((...))
  if type(message) ~= 'string' then return rethrow(message) end
  local position, reason = match(message, "^bad argument #(%d+) to '[^']*' (.*)$")
  if position then return refuse(tonumber(position), name, reason) end
  return out_of_memory(message) and rethrow(message) or raise(message)
end

-- Calls `f`, which scripts call `name`.
function K.native(name, f, ...) return judged(name, pcall(f, ...)) end

K.judged, K.refuse = judged, refuse

-- ---------------------------------------------------------------------- gates
-- With the C extension, on 5.3 and newer, a function of ours may be behind a gate: a C function that
-- gives to the native one what that is sure to do within a few ms and without an error, and the rest to
-- ours. See _slicer.c, which knows the kinds by these numbers.
K.gate = {SHORT_TEXT = 0, REPEAT = 1, KNOWN_PATTERN = 2, KNOWN_FORM = 3, INSERT = 4, REMOVE = 5}

local gate = K.slicing.gate

-- What scripts get: `ours`, or a gate to it.
function K.gated(kind, native, ours, ...)
  if not gate then return ours end
  local f = gate(kind, native, ours, ...)
  gates[f] = true
  return f
end

-- ---------------------------------------------------------------------- values
-- The integer that a C function makes of an argument; nil where it refuses the value.
function K.whole(value)
  if type(value) == 'string' and #value <= MAX_NUMERAL then value = tonumber(value) end
  if type(value) ~= 'number' then return nil end
  if tointeger then return math_type(value) == 'integer' and value or tointeger(value) or nil end
  return value < 0 and ceil(value) or floor(value)
end

-- The string `list[1] .. ... .. list[n]`, of pieces that are long; the list is used up. One `..` of
-- many operands copies each once, table.concat up to three times.
function K.join(list, n)
  while n > 1 do
    local made = 0
    for i = 1, n, 16 do
      local text = list[i] .. (list[i + 1] or '') .. (list[i + 2] or '') .. (list[i + 3] or '') ..
        (list[i + 4] or '') .. (list[i + 5] or '') .. (list[i + 6] or '') .. (list[i + 7] or '') ..
        (list[i + 8] or '') .. (list[i + 9] or '') .. (list[i + 10] or '') .. (list[i + 11] or '') ..
        (list[i + 12] or '') .. (list[i + 13] or '') .. (list[i + 14] or '') .. (list[i + 15] or '')
      made = made + 1
      list[made] = text
    end
    for i = made + 1, n do list[i] = nil end
    n = made
  end
  return list[1] or ''
end
