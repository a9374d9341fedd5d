-- The libraries a script sees: copies made for each isolate, so that what its scripts do to
-- `string`, `table` or any other library is not seen by another's.
--
-- Rules of this file:
-- * A list of what is allowed, never of what is forbidden: what a new Lua version adds stays
--   out until it is named here.
-- * No function handed out here gives access to the VM's own globals, to its registry, or to
--   a function of ours by way of an environment.
-- * sandbox = false gives back what OpenResty's scripts have, but for what would defeat limits.

local K, host, scripts, modules, legacy_modules, compat, finalizers, A = ...

local getmetatable, ipairs, next, rawget, select, setmetatable, type =
      getmetatable, ipairs, next, rawget, select, setmetatable, type
local math_type, tonumber = math.type, tonumber
local native_collectgarbage, native_getmetatable = collectgarbage, debug.getmetatable
local running = coroutine.running
local find, floor, sub = string.find, math.floor, string.sub
local raise, traceback_of, S = K.raise, K.traceback, K.S

local STEP_LIMIT = 100     -- KB that collectgarbage("step") may work through: under 1 ms

local BASE = {
  'assert', 'error', 'getmetatable', 'ipairs', 'next', 'pairs', 'rawequal', 'rawget', 'rawlen',
  'rawset', 'select', 'tonumber', 'tostring', 'type', '_VERSION',
}
local STRING = {
  'byte', 'char', 'find', 'format', 'gmatch', 'gsub', 'len', 'lower', 'match', 'rep', 'reverse',
  'sub', 'upper', 'pack', 'packsize', 'unpack', 'gfind',
}
local TABLE = {
  'concat', 'insert', 'maxn', 'move', 'pack', 'remove', 'sort', 'unpack', 'foreach', 'foreachi',
  'getn',
}
local OS = {'clock', 'date', 'difftime', 'time'}
local SANDBOXED_JIT = {'arch', 'os', 'version', 'version_num'}
local TRUSTED_OS = {
  'clock', 'date', 'difftime', 'execute', 'exit', 'getenv', 'remove', 'rename', 'setlocale', 'time',
  'tmpname',
}
-- sethook would take the place of the hooks that enforce limits.
local TRUSTED_DEBUG = {
  'getfenv', 'gethook', 'getinfo', 'getlocal', 'getmetatable', 'getregistry', 'getupvalue', 'getuservalue',
  'setfenv', 'setlocal', 'setmetatable', 'setupvalue', 'setuservalue', 'upvalueid', 'upvaluejoin',
}

local function pick(from, names)
  local copy = {}
  for _, name in ipairs(names) do copy[name] = from[name] end
  return copy
end

local function copy_of(from)
  local copy = {}
  for key, value in next, from do copy[key] = value end
  return copy
end

-- Every native table is copied once, while nobody else has run.
local natives = {
  string = copy_of(string), table = copy_of(table), math = copy_of(math), os = copy_of(os),
  debug = copy_of(debug), bit = bit and copy_of(bit), bit32 = bit32 and copy_of(bit32),
  utf8 = utf8 and copy_of(utf8), io = copy_of(io), jit = jit and copy_of(jit),
}
local native_globals = copy_of(_G)

-- What would defeat limits is not for trusted scripts either, and debug.getregistry leads to the
-- originals: they go.
debug.sethook, collectgarbage, xpcall = nil, nil, nil
if jit then package.preload['jit.profile'] = nil end

local function overlay(into, replacements)
  for name, f in next, replacements do
    if into[name] ~= nil then into[name] = f end
  end
  return into
end

-- ---------------------------------------------------------------------- replaced functions
-- What the native function would say, which would name our line.
local function check_setmetatable(t, meta)
  if type(t) ~= 'table' then return K.bad_argument(1, 'setmetatable', 'table', t) end
  if meta ~= nil and type(meta) ~= 'table' then
    return raise("bad argument #2 to 'setmetatable' (nil or table expected)")
  end
  local old = native_getmetatable(t)
  if old and rawget(old, '__metatable') ~= nil then return raise('cannot change a protected metatable') end
end

local function sandboxed_setmetatable(t, meta)
  -- All that most calls need; LuaJIT compiles it, which it does not debug.getmetatable.
  if type(meta) ~= 'table' or type(t) ~= 'table' or getmetatable(t) ~= nil then check_setmetatable(t, meta) end
  if type(meta) == 'table' and rawget(meta, '__gc') ~= nil then A.refuse_finalizer(meta) end
  return setmetatable(t, meta)
end

local function sandboxed_collectgarbage(option, argument)
  if option == 'count' then return native_collectgarbage('count') end
  if option == 'step' then
    -- A negative step would put the next collection off instead, for as long as one likes.
    local size = type(argument) == 'number' and argument or 0
    if not (size >= 0) then size = 0 end
    return native_collectgarbage('step', size < STEP_LIMIT and floor(size) or STEP_LIMIT)
  end
  return raise("collectgarbage offers sandboxed scripts only \"count\" and \"step\"" ..
               " (lua_sandbox = false allows the rest)")
end

local function trusted_collectgarbage(finalize)
  local function finalized(...)
    finalize()
    return ...
  end
  return function(option, ...)
    if option == 'stop' then
      return raise('collectgarbage("stop") is not available: it would defeat lua_memory_limit')
    end
    return finalized(native_collectgarbage(option or 'collect', ...))
  end
end

-- The metatable of a proxy can get a finalizer at any time, and nothing could end a loop in it.
local function trusted_newproxy(with_metatable)
  if with_metatable then return raise('newproxy(true) is not available: its __gc would defeat lua_cpu_limit') end
  return native_globals.newproxy()
end

local MAX_LEVEL = 1000000   -- more than any stack has
local NO_FRAMES = 'stack traceback:'

local function raise_bad_level(thread, level)
  return K.bad_argument(thread and 3 or 2, 'traceback', 'number', level)
end

-- debug.traceback([thread,] [message [, level]]); inside an xpcall handler it tells of the error
-- that is being handled, since handlers run after unwinding.
local function traceback(first, ...)
  local thread, message, level
  if type(first) == 'thread' then
    thread, message, level = first, ...
  else
    message, level = first, ...
  end
  if message ~= nil and type(message) ~= 'string' and type(message) ~= 'number' then return message end
  if level ~= nil then
    if type(level) ~= 'number' then return raise_bad_level(thread, level) end
    -- No engine takes a level that is not a small whole number; none is this deep.
    level = level > -1 and level < MAX_LEVEL and floor(level) or MAX_LEVEL
  end
  local text
  if thread and K.is_foreign(thread) then
    text = NO_FRAMES
  elseif thread and thread ~= running() then
    text = traceback_of(thread, '', level or 0)
  else
    local traces = S.R.traces
    text = traces and traces[(K.coroutine.running())] or traceback_of('', (level or 1) + 1)
  end
  local _, heading_end = find(text, 'stack traceback:', 1, true)
  local frames = host.clean_traceback(sub(text, heading_end + 2))
  text = frames == '' and NO_FRAMES or NO_FRAMES .. '\n' .. frames
  if message == nil then return text end
  return message .. '\n' .. text
end

-- ---------------------------------------------------------------------- random numbers
-- The native generator has one state for the VM, on 5.1 to 5.3 for the process: whoever seeds it
-- knows the tokens that other routes' scripts make of it. So it is seeded here, once, and an isolate
-- that calls randomseed gets a generator of its own: L'Ecuyer's of 1988, whose products stay exact
-- in doubles, so that a seed means the same numbers on every engine.
local M1, A1, M2, A2 = 2147483563, 40014, 2147483399, 40692
local native_random = math.random
local SEED_RANGE = 2 ^ 31        -- what every engine's randomseed takes

math.randomseed(floor((host.now() * 1000003 + host.pid()) % SEED_RANGE))

local function generator(seed)
  local a, b = seed % (M1 - 1) + 1, floor(seed / M1) % (M2 - 1) + 1
  local function draw()
    a, b = a * A1 % M1, b * A2 % M2
    return (a - b) % (M1 - 1)
  end
  for _ = 1, 10 do draw() end    -- so that seeds next to each other begin apart
  return function() return (draw() * M1 + draw()) / ((M1 - 1) * M1) end
end

-- The bounds that random was called with, as whole numbers: LuaJIT takes fractions, too. Errors of
-- the native function would name no place of the script's.
local function bounds(count, low, high)
  if count > 2 then return raise("wrong number of arguments") end
  if type(low) ~= 'number' then low = tonumber(low) or K.bad_argument(1, 'random', 'number', low) end
  if count == 1 then
    low, high = 1, low
  elseif type(high) ~= 'number' then
    high = tonumber(high) or K.bad_argument(2, 'random', 'number', high)
  end
  low, high = floor(low), floor(high)
  if not (low <= high) then return raise("bad argument #" .. count .. " to 'random' (interval is empty)") end
  return low, high
end

local function math_library()
  local library = copy_of(natives.math)
  local fraction
  function library.random(...)
    if K.is_jit and not fraction then return native_random(...) end
    local count = select('#', ...)
    if count == 0 then return (fraction or native_random)() end
    -- 5.4 and newer: all bits of an integer at random.
    if not fraction and count == 1 and math_type and (...) == 0 then return native_random(0) end
    local low, high = bounds(count, ...)
    if fraction then return low + floor(fraction() * (high - low + 1)) end
    return native_random(low, high)
  end
  function library.randomseed(seed)
    if seed == nil then        -- 5.4 and newer: back to what nobody can guess
      fraction = nil
      return
    end
    if type(seed) ~= 'number' then return K.bad_argument(1, 'randomseed', 'number', seed) end
    if not (seed > -1e15 and seed < 1e15) then seed = 0 end
    fraction = generator(floor(seed))
  end
  return library
end

-- ---------------------------------------------------------------------- one isolate's libraries
local function coroutines() return copy_of(K.coroutine) end

local function debug_library(sandboxed)
  local library = sandboxed and {} or pick(natives.debug, TRUSTED_DEBUG)
  library.traceback = traceback
  return library
end

local function jit_library(sandboxed)
  if not natives.jit then return nil end
  if sandboxed then return pick(natives.jit, SANDBOXED_JIT) end
  return copy_of(natives.jit)
end

-- Fills and returns `env`, the globals of a new isolate; `I` is the isolate.
local function fill(env, I)
  local sandboxed = I.sandboxed
  for _, name in ipairs(BASE) do env[name] = K.library.base[name] or native_globals[name] end
  env._G = env
  env.pcall, env.xpcall = K.pcall, K.xpcall
  if sandboxed then
    env.setmetatable, env.collectgarbage = sandboxed_setmetatable, sandboxed_collectgarbage
  else
    env.setmetatable, I.finalize, I.ended = finalizers.queue()
    env.collectgarbage = trusted_collectgarbage(I.finalize)
  end
  if native_globals.gcinfo then env.gcinfo = native_globals.gcinfo end

  env.string = overlay(pick(natives.string, STRING), K.library.string)
  env.table = overlay(pick(natives.table, TABLE), K.library.table)
  env.math = math_library()
  env.os = overlay(pick(natives.os, sandboxed and OS or TRUSTED_OS), K.library.os)
  env.coroutine = coroutines()
  env.debug = debug_library(sandboxed)
  env.jit = jit_library(sandboxed)
  env.bit = natives.bit and copy_of(natives.bit)
  env.bit32 = natives.bit32 and copy_of(natives.bit32)
  env.utf8 = natives.utf8 and overlay(copy_of(natives.utf8), K.library.utf8)
  if not sandboxed then
    env.io = copy_of(natives.io)
    env.newproxy = native_globals.newproxy and trusted_newproxy
    env.string.dump = natives.string.dump
  end
  compat.fill(env, I)
  scripts.install(env, I)
  modules.install(env, I)
  legacy_modules.install(env, I)
  return env
end

-- ("x"):method() finds the isolate's own string table; nobody may look behind it.
local string_meta = (debug.getmetatable or getmetatable)('')
string_meta.__metatable = false

return {fill = fill, copy_of = copy_of}
