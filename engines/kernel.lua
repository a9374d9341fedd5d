-- The kernel: what every VM runs first. Threads under numbers, and the versions of pcall,
-- xpcall and the coroutine functions that scripts get.
--
-- Rules of this file:
-- * It knows Lua alone: no request, no HTTP. What a run belongs to is its *record*, a table
--   that others fill; the kernel only knows record.done and record.strings.
-- * The host calls step() on the main state, which can't yield and so is never interrupted.
-- * There is no pcall of ours around scripts: coroutine.resume delivers any error value whole
--   and leaves the dead thread for its traceback.
-- * record.done means: this run has ended itself (exit, redirect). Whoever finds it set, stops:
--   by a yield that is never resumed or, where nothing can yield, by the error that the
--   attempt raises. Every function here that catches errors looks at it first.
-- * Tags are functions, because comparing a function with anything never calls a metamethod.
-- * What a script catches names no place of ours: Lua puts "[candy kernel.lua]:12:" before an
--   error that a C function raised when one of our frames called it.
-- * Common subset of 5.1 and 5.5; engine differences stand at the top.

local MAX_POOLED = 64       -- idle threads kept for reuse: as many as requests usually overlap
local MAX_DEPTH = 190       -- nested C calls on LuaJIT, which has no limit of its own and would
                            -- overrun the C stack; PUC-Lua stops at 200, so scripts see the same
local MAX_PATTERN = 8192    -- bytes of a pattern on 5.1, whose matcher recurses once for each "?",
                            -- "*" or "-" without a limit: half a megabyte of C stack

local assert, error, getmetatable, next, rawequal, rawget, select, tostring, type =
      assert, error, getmetatable, next, rawequal, rawget, select, tostring, type
local native_pcall, native_xpcall = pcall, xpcall
local create, native_resume, yield, native_status, native_running =
      coroutine.create, coroutine.resume, coroutine.yield, coroutine.status, coroutine.running
local native_close, native_isyieldable = coroutine.close, coroutine.isyieldable
local traceback, getinfo = debug.traceback, debug.getinfo
local getmetatable_of_string = debug.getmetatable or getmetatable
local unpack, find, sub = table.unpack or unpack, string.find, string.sub
local setmetatable = setmetatable

local IS_JIT = type(jit) == 'table'
local IS_51 = _VERSION == 'Lua 5.1' and not IS_JIT   -- nothing can yield through its pcall

-- What step() answers with; engines/lupa_vm.py has the same numbers.
local YIELDED, RETURNED, FAILED, PREEMPTED = 1, 2, 3, 4

local function RETURN() end      -- yielded by a thread or coroutine whose function has returned
local function YIELD() end       -- yielded by coroutine.yield of a script
local function STOP() end        -- yielded by a run that has ended itself

-- ---------------------------------------------------------------------- state
local S = {
  R = {},                        -- the record of the run that executes now
  T = 0,                         -- its number
  now = nil,                     -- the time it has read, until it is resumed again
  finish = function() end,       -- set by the host's Lua: what a run that ended itself answers with
}

local threads, records = {}, {}                       -- by run number
local pool, pooled = {}, 0
local entries = setmetatable({}, {__mode = 'k'})      -- threads of runs: never a script's to resume
local busy = setmetatable({}, {__mode = 'k'})         -- suspended by the host, while a script believes they run
local disguise = setmetatable({}, {__mode = 'k'})     -- 5.1: our pcall's coroutine → the one that called pcall

local string_meta = getmetatable_of_string('')
local strings = string                                -- the table that ("x"):method() looks in
local depth = 0                                       -- C calls that are nested now (LuaJIT)

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
local function finished(...) return yield(RETURN, ...) end

local function work(f, a, b, c, d, e, g)
  while true do
    f, a, b, c, d, e, g = finished(f(a, b, c, d, e, g))
  end
end

local function forget(id)
  threads[id], records[id] = nil, nil
end

-- An error value as a script or a log may see it.
local function without_place(value)
  if type(value) == 'string' and sub(value, 1, 7) == '[candy ' then
    local _, place_end = find(value, '^%[candy [^%]]*%]:%d+: ')
    if place_end then return sub(value, place_end + 1) end
  end
  return value
end

local function describe(value)
  local kind = type(value)
  if kind == 'string' then return without_place(value) end
  if kind == 'number' then return tostring(value) end
  return nil
end

local function answer(id, co, ok, tag, ...)
  if tag == RETURN then
    forget(id)
    if pooled < MAX_POOLED then
      pooled = pooled + 1
      pool[pooled] = co
    end
    return RETURNED, ...
  end
  local R = S.R
  if R.done then
    forget(id)
    return RETURNED, S.finish(R)
  end
  if not ok then
    local text = traceback(co)
    forget(id)
    -- Variables marked <close> are still open in a thread that died: close them in a thread
    -- of their own, for the main state is never interrupted and they are the script's code.
    if native_close then native_resume(create(native_close), co) end
    return FAILED, describe(tag), text
  end
  if tag == nil then return PREEMPTED end
  if tag == YIELD then return YIELDED, 'yield' end
  return YIELDED, tag, ...
end

-- Goes on with run `id`. Called by the host on the main state.
local function step(id, ...)
  local co = threads[id]
  local R = records[id]
  S.R, S.T, S.now, depth = R, id, nil, 0
  local wanted = R.strings
  if wanted ~= strings and wanted then use_strings(wanted) end
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
  end
  threads[id], records[id] = co, {}
  return step(id, f, a, b, c, d, e, g)
end

-- ---------------------------------------------------------------------- positions of errors
-- Raises `message` at the place where the script called us. The level is searched, not counted:
-- 5.1 counts tail calls as levels, and our functions call each other.
local function raise(message)
  local level = 2
  while true do
    local info = getinfo(level, 'Sl')
    if not info then break end
    if info.what == 'C' then break end
    if info.currentline > 0 and sub(info.short_src, 1, 6) ~= '[candy' then
      message = info.short_src .. ':' .. info.currentline .. ': ' .. message
      break
    end
    level = level + 1
  end
  error(message, 0)
end

local function bad_argument(position, name, expected, value, count)
  local got = type(value)
  if count and position > count then got = 'no value' end
  return raise("bad argument #" .. position .. " to '" .. name .. "' (" .. expected ..
               ' expected, got ' .. got .. ')')
end

-- ---------------------------------------------------------------------- coroutines of scripts
-- A script's coroutine yields (YIELD, ...) when the script says so and (RETURN, ...) when its
-- function returns; anything else is an operation or an interruption on its way up to step().
local C = {}

local function body_of(f)
  return function(...) return RETURN, f(...) end
end

local again

-- `mark` is the depth at the resumer, to be restored: an error skips every decrement.
local function after(co, mark, through, ok, tag, ...)
  depth = mark
  if S.R.done then stop() end
  if tag == RETURN and ok then return true, ... end
  if not ok then return false, without_place(tag) end
  if tag == YIELD and not through then return true, ... end
  -- 5.5 lets a coroutine close itself: it has neither returned nor yielded.
  if tag == nil and native_status(co) == 'dead' then return true end
  busy[co] = true
  return again(co, through, yield(tag, ...))
end

local function go(co, through, ...)
  local mark = depth
  if IS_JIT and mark >= MAX_DEPTH then return false, 'C stack overflow' end
  depth = mark + 1
  return after(co, mark, through, native_resume(co, ...))
end

function again(co, through, ...)
  busy[co] = nil
  return go(co, through, ...)
end

local NOT_SUSPENDED = 'cannot resume non-suspended coroutine'

function C.create(f)
  if type(f) ~= 'function' then bad_argument(1, 'create', 'function', f) end
  return create(body_of(f))
end

function C.resume(co, ...)
  if type(co) ~= 'thread' then bad_argument(1, 'resume', 'coroutine', co) end
  if busy[co] or entries[co] then return false, NOT_SUSPENDED end
  return go(co, false, ...)
end

function C.yield(...)
  return yield(YIELD, ...)
end

function C.status(co)
  if type(co) ~= 'thread' then bad_argument(1, 'status', 'coroutine', co) end
  if busy[co] then return 'normal' end
  local status = native_status(co)
  if status == 'suspended' and entries[co] then return 'normal' end
  if IS_51 and status == 'normal' and co == C.running() then return 'running' end
  return status
end

-- 5.1 runs pcall in a coroutine of ours, which the script must not notice.
function C.running()
  local co, main = native_running()
  while disguise[co] do co = disguise[co] end
  if IS_51 then return co end
  return co, main
end

local function unwrapped(co, ok, ...)
  if ok then return ... end
  local message = ...
  -- Only what died of the error: a coroutine that was not to be resumed goes on.
  if native_close and native_status(co) == 'dead' then native_close(co) end
  if type(message) == 'string' then return raise(message) end
  return error(message, 0)
end

function C.wrap(f)
  if type(f) ~= 'function' then bad_argument(1, 'wrap', 'function', f) end
  local co = create(body_of(f))
  return function(...)
    if busy[co] then return raise(NOT_SUSPENDED) end
    return unwrapped(co, go(co, false, ...))
  end
end

C.isyieldable = native_isyieldable

local function closed(...)
  if S.R.done then stop() end
  return ...
end

if native_close then
  function C.close(co)
    if type(co) ~= 'thread' then bad_argument(1, 'close', 'coroutine', co) end
    if busy[co] or entries[co] then return raise('cannot close a normal coroutine') end
    return closed(native_close(co))
  end
end

-- ---------------------------------------------------------------------- pcall and xpcall
local P = {}

local function caught(mark, ok, ...)
  depth = mark
  if S.R.done then stop() end
  if ok then return true, ... end
  return false, without_place((...))
end

if IS_51 then
  -- Nothing can yield through 5.1's own pcall, so the function runs in a coroutine of its own;
  -- `through` lets a coroutine.yield of the script pass as well.
  local function protected(f, ...)
    local co = create(body_of(f))
    disguise[co] = native_running()
    return co, go(co, true, ...)
  end
  local function callable(f)
    if type(f) == 'function' then return f end
    return function(...) return f(...) end
  end
  local function second(_, ...) return ... end
  function P.pcall(...)
    if select('#', ...) == 0 then return raise("bad argument #1 to 'pcall' (value expected)") end
    local f = ...
    return second(protected(callable(f), select(2, ...)))
  end
  function P.catch(f, ...)
    local function judged(co, ok, ...)
      if ok then return true, ... end
      return false, ..., traceback(co)
    end
    return judged(protected(callable(f), ...))
  end
else
  function P.pcall(...)
    return caught(depth, native_pcall(...))
  end
  -- Runs inside Lua's error handling, where no hook fires: so it is ours and short. The
  -- script's handler runs after unwinding, with the traceback that was taken here.
  local CAUGHT = {}
  local function capture(value)
    return {[CAUGHT] = true, value = value, trace = traceback('', 2)}
  end
  local function judged(mark, ok, ...)
    depth = mark
    if S.R.done then stop() end
    if ok then return true, ... end
    local e = ...
    if type(e) == 'table' and rawget(e, CAUGHT) then return false, without_place(e.value), e.trace end
    return false, without_place(e), nil     -- no memory or no stack left for the handler
  end
  function P.catch(f, ...)
    return judged(depth, native_xpcall(f, capture, ...))
  end
end

local function handled(R, outer, ok, ...)
  R.traceback = outer
  if ok then return false, ... end
  return false, (...)
end

local function judge(handler, ok, ...)
  if ok then return true, ... end
  local value, trace = ...
  local R = S.R
  local outer = R.traceback
  R.traceback = trace
  return handled(R, outer, P.pcall(handler, value))
end

function P.xpcall(f, handler, ...)
  if type(handler) ~= 'function' then bad_argument(2, 'xpcall', 'function', handler) end
  return judge(handler, P.catch(f, ...))
end

-- ---------------------------------------------------------------------- C functions that call Lua
-- On LuaJIT each of them takes C stack without any limit; on 5.1 only the pattern matcher does. The callback is counted, not the
-- call: so the C function is tail-called, and its errors keep the script's position.
local nested = {}

if IS_JIT then
  local native_gsub, native_sort, native_format = string.gsub, table.sort, string.format

  local function uncount(mark, ...)
    depth = mark
    return ...
  end
  local function counted(f)
    return function(...)
      local mark = depth
      if mark >= MAX_DEPTH then return raise('C stack overflow') end
      depth = mark + 1
      return uncount(mark, f(...))
    end
  end

  function nested.gsub(s, pattern, replacement, ...)
    local kind = type(replacement)
    if kind == 'function' then
      return native_gsub(s, pattern, counted(replacement), ...)
    elseif kind == 'table' and getmetatable(replacement) ~= nil then
      return native_gsub(s, pattern, counted(function(key) return replacement[key] end), ...)
    end
    return native_gsub(s, pattern, replacement, ...)
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

  function nested.foreach(t, f)
    for key, value in next, t do
      local result = f(key, value)
      if result ~= nil then return result end
    end
  end
  function nested.foreachi(t, f)
    for i = 1, #t do
      local result = f(i, t[i])
      if result ~= nil then return result end
    end
  end
end

if IS_51 then
  local function matching(native)
    return function(subject, pattern, ...)
      if type(pattern) == 'string' and #pattern > MAX_PATTERN then
        return raise('pattern too complex')
      end
      return native(subject, pattern, ...)
    end
  end
  nested.match, nested.gmatch, nested.gsub = matching(string.match), matching(string.gmatch), matching(string.gsub)
  nested.gfind = nested.gmatch
  local native_find = string.find
  function nested.find(subject, pattern, init, plain)
    if not plain and type(pattern) == 'string' and #pattern > MAX_PATTERN then
      return raise('pattern too complex')
    end
    return native_find(subject, pattern, init, plain)
  end
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

-- The traceback of a run that is suspended, for the log line of a limit.
local function trace(id)
  local co = threads[id]
  return co and traceback(co) or ''
end

return {
  S = S, trace = trace,
  start = start, step = step, drop = forget,
  coroutine = C, pcall = P.pcall, xpcall = P.xpcall, catch = P.catch, nested = nested,
  wait = wait, finish = finish, stop = stop,
  adopt = adopt, use_strings = use_strings,
  raise = raise, bad_argument = bad_argument,
  is_jit = IS_JIT, is_51 = IS_51,
}
