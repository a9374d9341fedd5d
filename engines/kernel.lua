-- The kernel: what every VM runs first. Runs under numbers, how they start, wait and end.
-- coroutines.lua, protected.lua, natives.lua and those behind it add what scripts get in the place of
-- Lua's own functions.
--
-- Rules of this file:
-- * It knows Lua alone: no request, no HTTP. What a run belongs to is its *record*, a table
--   that others fill; the kernel only knows done, exhausted, now, strings, traces, died, loading.
-- * The host calls step() on the main state, which can't yield and so is never interrupted.
-- * There is no pcall of ours around scripts: coroutine.resume delivers any error value whole
--   and leaves the dead thread for its traceback.
-- * record.done means: this run has ended itself (exit, redirect). Whoever finds it set, stops:
--   by a yield that is never resumed or, where nothing can yield, by the error that the
--   attempt raises. Every function here that catches errors looks at it first.
-- * Tags are functions, because comparing a function with anything never calls a metamethod.
-- * What a script catches names no place of ours: Lua puts "[candy kernel.lua]:12:" before an
--   error that a C function raised when one of our frames called it.
-- * A run may be interrupted between any two instructions of Lua, ours included, and other runs go
--   on meanwhile. So what a function here needs of S it reads once, and what runs share changes by
--   one store. step() is not interrupted: enter() and leave() say where a run begins and ends.
-- * Whoever catches an error that says that memory has run out ends the run: see caught().
-- * Common subset of 5.1 and 5.5; engine differences stand at the top.

local slicing = ...         -- see slicer.py

-- What one step of a collection works through: a MB of garbage, a millisecond. 5.5 counts bytes.
local STEP_SIZE = _VERSION == 'Lua 5.5' and 1048576 or 1024
local MAX_POOLED = 64       -- idle threads kept for reuse: as many as requests usually overlap

local error, next, pcall, rawequal, setmetatable, tostring, type =
      error, next, pcall, rawequal, setmetatable, tostring, type
local create, native_resume, native_running, yield =
      coroutine.create, coroutine.resume, coroutine.running, coroutine.yield
local native_close, native_isyieldable = coroutine.close, coroutine.isyieldable
local collectgarbage = collectgarbage
local traceback, getinfo = debug.traceback, debug.getinfo
local getmetatable_of_string = debug.getmetatable or getmetatable
local find, sub = string.find, string.sub

local IS_JIT = type(jit) == 'table'
local IS_53 = _VERSION == 'Lua 5.3'
local IS_51 = _VERSION == 'Lua 5.1' and not IS_JIT   -- nothing can yield through its pcall

local enter, leave, born = slicing.enter, slicing.leave, slicing.born
local close = slicing.close or native_close

-- What step() answers with; engines/lupa_vm.py has the same numbers.
local YIELDED, RETURNED, FAILED, PREEMPTED, UNWOUND = 1, 2, 3, 4, 5
local NO_MEMORY = 'not enough memory'       -- what Lua raises
local NO_BUFFER = 'not enough memory for buffer allocation'     -- 5.3's strings, behind a position

-- Lua looks at a stack from its top: 5.1 for each level, so that a traceback takes a time by the
-- square of the depth, the others dozens of times to the end. So of a deep one the top alone is told,
-- and where no line of a script is in that, its end.
local DEEP, TOP, END = IS_51 and 1000 or 10000, 12, 3
local TOO_DEEP = 'stack traceback:\n\t...'
local native_traceback = traceback

local function told(info)
  local text = '\n\t' .. info.short_src .. ':'
  if info.currentline > 0 then text = text .. info.currentline .. ':' end
  local kind = info.namewhat
  if kind ~= '' then
    if IS_51 or kind == 'global' then kind = 'function' end
    return text .. ' in ' .. kind .. " '" .. info.name .. "'"
  end
  if info.what == 'main' then return text .. ' in main chunk' end
  if info.what == 'C' or info.what == 'tail' then return text .. ' ?' end
  return text .. ' in function <' .. info.short_src .. ':' .. info.linedefined .. '>'
end

-- Of `co`, or of who calls; and whether a line of a script is in it.
local function told_from(co, first, last)
  local text, shown = '', false
  for level = first, last do
    local info
    if co then info = getinfo(co, level, 'nSl') else info = getinfo(level + 1, 'nSl') end
    if not info then break end
    text = text .. told(info)
    shown = shown or info.currentline > 0 and sub(info.short_src, 1, 6) ~= '[candy'
  end
  return text, shown
end

local function end_of(co)
  local last, beyond = DEEP, DEEP * 2
  while getinfo(co, beyond, 'l') do last, beyond = beyond, beyond * 2 end
  while beyond - last > 1 do
    local between = last + (beyond - last - (beyond - last) % 2) / 2
    if getinfo(co, between, 'l') then last = between else beyond = between end
  end
  return (told_from(co, last - END + 1, last))
end

local function deep_traceback(co)
  if not getinfo(co, DEEP, 'l') then return native_traceback(co) end
  local text, shown = told_from(co, 0, TOP)
  return 'stack traceback:' .. text .. '\n\t...' .. (shown and '' or end_of(co))
end

if not IS_JIT then               -- whose stacks are short
  -- As debug.traceback: (thread [, message [, level]]) or (message, level). Without a message it gives
  -- nil where getinfo refuses a thread, which has no room left on its stack, or no memory for more.
  function traceback(co, message, level)
    if type(co) ~= 'thread' then
      level = message + 1
      if not getinfo(DEEP, 'l') then return native_traceback(co, level) end
      return co .. '\nstack traceback:' .. (told_from(nil, level, level + TOP)) .. '\n\t...'
    end
    if message then return native_traceback(co, message, level) end
    local ok, text = pcall(deep_traceback, co)
    return ok and text or nil
  end
end

local function RETURN() end      -- yielded by a thread or coroutine whose function has returned
local function YIELD() end       -- yielded by coroutine.yield of a script
local function STOP() end        -- yielded by a run that has ended itself

-- ---------------------------------------------------------------------- state
local S = {
  R = {},                        -- the record of the run that executes now
  T = 0,                         -- its number
  depth = 0,                     -- C calls that are nested now, see coroutines.lua
  now = nil,                     -- the time it has read, until it is resumed again
  finish = function() end,       -- set by the host's Lua: what a run that ended itself answers with
}

local threads, records = {}, {}                       -- by run number
-- By run number: whether a hook has suspended it, on 5.3. That Lua then keeps something else in the
-- place of the function that stands there, and whoever looks at it (a traceback, getinfo) crashes.
local at_hook = {}
local pool, pooled = {}, 0
local entries = setmetatable({}, {__mode = 'k'})      -- threads of runs: never a script's to resume

local WEAK = {__mode = 'kv'}

-- Coroutines that the host has suspended while a script believes that they run → who resumed them.
-- Both weak: the resumer's stack holds the coroutine, so a strong value would keep its own key.
local busy = setmetatable({}, WEAK)

-- C functions that stand in the place of ours, see gates.lua: on the stack they are what ours are.
local gates = {}

local string_meta = getmetatable_of_string('')
local strings = string                                -- the table that ("x"):method() looks in

-- The string metatable is one for the whole VM; each isolate sees its own string table in it.
local function use_strings(wanted)
  if wanted ~= strings then
    strings = wanted
    string_meta.__index = wanted
  end
end

-- Gives the run that executes now its record.
local function adopt(record)
  S.R, records[S.T] = record, record
  use_strings(record.strings)
end

-- Never returns: ends the run from any depth.
local function stop()
  while true do yield(STOP) end
end

-- ---------------------------------------------------------------------- threads
-- No function of ours stands between the two: its frame would keep the answer of the last run for
-- as long as the thread is idle.
local function work(f, a, b, c, d, e, g)
  while true do
    f, a, b, c, d, e, g = yield(RETURN, f(a, b, c, d, e, g))
  end
end

local function forget(id)
  threads[id], records[id], at_hook[id] = nil, nil, nil
end

-- "file.lua:12: " of the script's function that called ours, in the dead thread `co`; else "".
local function place_in(co)
  local level, within = 0, false
  while true do
    local info = getinfo(co, level, 'Slf')
    if not info then return '' end
    if sub(info.short_src, 1, 6) == '[candy' then
      within = true
    elseif info.currentline > 0 then
      return info.short_src .. ':' .. info.currentline .. ': '
    elseif info.what == 'C' and within and not gates[info.func] then
      return ''
    end
    level = level + 1
  end
end

-- An error value as a script or a log may see it; `co` is the thread that died of it, if one did.
local function without_place(value, co)
  if type(value) == 'string' and sub(value, 1, 7) == '[candy ' then
    local _, place_end = find(value, '^%[candy [^%]]*%]:%d+: ')
    if place_end then return (co and place_in(co) or '') .. sub(value, place_end + 1) end
  end
  return value
end

local function out_of_memory(message)
  return message == NO_MEMORY
      or IS_53 and type(message) == 'string' and sub(message, -#NO_BUFFER) == NO_BUFFER
end

local function describe(value, co)
  local kind = type(value)
  if out_of_memory(value) then return NO_MEMORY end
  if kind == 'string' then return without_place(value, co) end
  if kind == 'number' then return tostring(value) end
  return nil
end

-- Whether `message` is `inner` as it went on: a string may have got a place before it.
local function is_of(message, inner)
  if type(message) == 'string' and type(inner) == 'string' then return find(message, inner, 1, true) end
  return rawequal(message, inner)
end

-- The traceback of `co`, which dies of `message`; before it, innermost first, those of the
-- coroutines that this error came out of. Each handed it on to the one that had called it: what
-- was caught in between, and raised again by chance in the same words, has another caller.
local function traceback_through(R, co, message)
  local text, died = traceback(co) or out_of_memory(message) and native_traceback(co) or TOO_DEEP, R.died
  if died and died.caller == co and is_of(message, died.message) then
    return died.text .. '\n' .. text
  end
  return text
end

-- Keeps, for the traceback of the run, where a coroutine died whose error goes on into its caller.
-- Weak: the record of the last run stays, and is not to keep a thread that was dropped.
local function note_death(message, co)
  local R = S.R
  local died = {message = message, text = traceback_through(R, co, message), caller = (native_running())}
  R.died = setmetatable(died, WEAK)
end

-- The traceback of a run that is suspended or was unwound, the innermost coroutine's first, which
-- is left out where 5.3 cannot tell it.
local function traceback_within(co, interrupted)
  local text, inner = '', co
  while inner do
    local outer = inner
    inner = nil
    for below, resumer in next, busy do
      if resumer == outer then
        inner = below
        break
      end
    end
    if inner or not (IS_53 and interrupted) then
      text = (traceback(outer) or native_traceback(outer)) .. (text == '' and '' or '\n' .. text)
    end
  end
  return text
end

-- Variables marked <close> are still open in a thread that died. They are the script's code, and
-- nothing can interrupt it there: so it has a short time.
local function close_variables(co)
  local closer = create(close)
  if born then born(closer) end
  enter(closer, true)
  native_resume(closer, co)
  leave()
end

local function answer(id, co, ok, tag, ...)
  if leave() then
    local text = traceback_within(co, ok and tag == nil)
    forget(id)
    return UNWOUND, text
  end
  if tag == RETURN then
    forget(id)
    if pooled < MAX_POOLED then
      pool[pooled + 1] = co           -- first: this may find no memory
      pooled = pooled + 1
    end
    return RETURNED, ...
  end
  local R = S.R
  if R.done then
    -- Whoever has no memory left for this asks for the traceback again: so it comes first.
    local text = R.exhausted and traceback_within(co, ok and tag == nil)
    forget(id)
    if text then return FAILED, NO_MEMORY, text end
    return RETURNED, S.finish(R)
  end
  if not ok then
    local text, message = traceback_through(R, co, tag), describe(tag, co)
    if close then close_variables(co) end
    forget(id)
    return FAILED, message, text
  end
  if tag == nil then
    at_hook[id], R.now = IS_53 or nil, S.now      -- the script has not waited: its time stands still
    return PREEMPTED
  end
  if R.now then R.now = nil end
  if tag == YIELD then return YIELDED, 'yield' end
  return YIELDED, tag, ...
end

-- Goes on with run `id`. Called by the host on the main state.
local function step(id, ...)
  local co = threads[id]
  local R = records[id]
  S.R, S.T, S.now, S.depth = R, id, R.now, 0
  at_hook[id] = nil
  local wanted = R.strings
  if wanted ~= strings and wanted then use_strings(wanted) end
  enter(co)
  return answer(id, co, native_resume(co, ...))
end

-- Begins run `id` and takes its first step.
local function start(id, f, a, b, c, d, e, g)
  local co
  if pooled > 0 then
    co = pool[pooled]
    pool[pooled] = nil
    pooled = pooled - 1
  else
    co = create(work)
    entries[co] = true
    if born then born(co) end
  end
  threads[id], records[id] = co, {}
  return step(id, f, a, b, c, d, e, g)
end

-- Whoever catches `message` for a script asks here first. Where memory has run out the run is
-- over: a script that went on would run out of it again and again.
local function caught(message)
  if out_of_memory(message) then
    local R = S.R
    -- Either may find no memory for a new field, and raise again: `done` alone would be an answer.
    R.exhausted = true
    R.done = true
    stop()
  end
end

-- ---------------------------------------------------------------------- positions of errors
-- Raises `message` at the place where the script called us. The level is searched, not counted:
-- 5.1 counts tail calls as levels, and our functions call each other. What says that memory has run
-- out (a callback found no room for its answer) ends the run, as it does when Lua itself says so.
local function raise(message)
  caught(message)
  local level = 2
  while true do
    local info = getinfo(level, 'Slf')
    if not info then break end
    if info.what == 'C' and not gates[info.func] then break end
    if info.currentline > 0 and sub(info.short_src, 1, 6) ~= '[candy' then
      message = info.short_src .. ':' .. info.currentline .. ': ' .. message
      break
    end
    level = level + 1
  end
  error(message, 0)
end

-- Raises what has been caught. Tracebacks leave out the `error` of this file alone.
local function rethrow(value) error(value, 0) end

local function bad_argument(position, name, expected, value, count)
  local got = type(value)
  if count and position > count then got = 'no value' end
  return raise("bad argument #" .. position .. " to '" .. name .. "' (" .. expected ..
               ' expected, got ' .. got .. ')')
end

-- ---------------------------------------------------------------------- waiting
-- Asks the host for an operation and gives back what it answers. Where nothing can yield
-- (a sort comparator, a metamethod on 5.1) Lua raises; every engine says it the same way here.
local function wait(op, ...)
  if native_isyieldable and not native_isyieldable() then
    return raise('attempt to yield across C-call boundary')
  end
  return yield(op, ...)
end

-- Ends the run that executes now; S.finish(record) becomes its answer.
local function finish()
  S.R.done = true
  return stop()
end

-- Whether `co` is the thread of another run, or idle: nothing that a script may look at.
local function is_foreign(co)
  return entries[co] and threads[S.T] ~= co
end

-- For the log line of a limit.
local function trace(id)
  local co = threads[id]
  return co and traceback_within(co, at_hook[id]) or ''
end

-- How far the heap grows before a collection begins, in percent of what the last one left. What is ours
-- makes a collection dearer than it is where a script is alone: so there are fewer. On LuaJIT and 5.5
-- it makes no difference.
if not IS_JIT and _VERSION ~= 'Lua 5.5' then collectgarbage('setpause', 250) end

local function collect_step() return collectgarbage('step', STEP_SIZE) end

return {
  S = S, trace = trace, collect_step = collect_step,
  start = start, step = step, drop = forget,
  note_death = note_death, RETURN = RETURN, YIELD = YIELD, entries = entries, is_foreign = is_foreign,
  without_place = without_place,
  out_of_memory = out_of_memory, traceback = traceback,
  wait = wait, finish = finish, stop = stop, caught = caught, busy = busy, slicing = slicing, gates = gates,
  WEAK = WEAK,
  adopt = adopt, use_strings = use_strings,
  raise = raise, rethrow = rethrow, bad_argument = bad_argument,
  is_jit = IS_JIT, is_51 = IS_51, is_52 = _VERSION == 'Lua 5.2',
}
