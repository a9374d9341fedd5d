-- pcall and xpcall for scripts: they stop a run that has ended itself, and what they catch names
-- no place of ours.

local K = ...

local find, rawget, select, setmetatable, sub, type, unpack =
      string.find, rawget, select, setmetatable, string.sub, type, unpack
local pcall, native_xpcall = pcall, xpcall      -- pcall names itself in its errors
local create, native_running, traceback = K.create, coroutine.running, K.traceback
local S, body_of, go, disguise = K.S, K.body_of, K.go, K.disguise
local stop, raise, rethrow, bad_argument, without_place =
      K.stop, K.raise, K.rethrow, K.bad_argument, K.without_place
local ends_run, out_of_memory, MAX_DEPTH, WEAK = K.caught, K.out_of_memory, K.max_depth, K.WEAK
local running = K.coroutine.running

local P = {}

-- At the end of LuaJIT's stack there is no room for a hook: Lua raises in its place, and a script that
-- catches that and goes on there is never ended. So such an error goes on to where there is room.
local leave_the_end
if K.is_jit then
  local NOTHING, ROOM = {}, 500      -- slots: a hook takes 21, the rest is for what is called before it
  function leave_the_end(message)
    if type(message) ~= 'string' then return end
    if sub(message, -14) ~= 'stack overflow' and message ~= 'error in error handling' then return end
    if not pcall(unpack, NOTHING, 1, ROOM) then return rethrow(message) end
  end
end

local function caught(mark, ok, ...)
  S.depth = mark
  if S.R.done then stop() end
  if ok then return true, ... end
  ends_run((...))
  if leave_the_end then leave_the_end((...)) end
  return false, without_place((...))
end

if K.is_51 then
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
  local function frames(text)
    local _, heading_end = find(text, 'stack traceback:\n', 1, true)
    return heading_end and '\n' .. sub(text, heading_end + 1) or ''
  end
  -- Of the thread that died and of those below it, which the script takes for one.
  local function whole_traceback(co)
    local text, below = traceback(co) .. frames(traceback('', 2)), native_running()
    while disguise[below] do
      below = disguise[below]
      text = text .. frames(traceback(below))
    end
    return text
  end
  function P.catch(f, ...)
    local function judged(co, ok, ...)
      if ok then return true, ... end
      return false, ..., whole_traceback(co)
    end
    return judged(protected(callable(f), ...))
  end
else
  -- Nested pcalls are counted where a script could hide at the end of the stack. After an error 5.2
  -- counts nested C calls anew, with the stack as deep as it was: what goes on recursing after each
  -- would get so deep that leaving it takes minutes. On LuaJIT no hook has the room to run there; it
  -- counts a sixteenth, so that some 3,000 may be nested. A hook in Lua (hooks.lua) is a nested C call.
  local WEIGHT = K.is_jit and 1 / 16 or (K.is_52 or K.slicing.inner) and 1
  function P.pcall(...)
    local mark = S.depth
    if WEIGHT then
      if mark >= MAX_DEPTH then return false, 'C stack overflow' end
      S.depth = mark + WEIGHT
    end
    return caught(mark, pcall(...))
  end
  -- Runs inside Lua's error handling, where no hook fires: so it is ours and short. The
  -- script's handler runs after unwinding, with the traceback that was taken here.
  local CAUGHT = {}
  local function capture(value)
    -- There is no memory to tell where it ran out.
    if out_of_memory(value) then return value end
    return {[CAUGHT] = true, value = value, trace = traceback('', 2)}
  end
  local function judged(mark, ok, ...)
    S.depth = mark
    if S.R.done then stop() end
    if ok then return true, ... end
    local e = ...
    ends_run(e)
    local ours = type(e) == 'table' and rawget(e, CAUGHT)
    if leave_the_end then leave_the_end(ours and e.value or e) end
    if ours then return false, without_place(e.value), e.trace end
    return false, without_place(e), nil     -- no memory or no stack left for the handler
  end
  function P.catch(f, ...)
    local mark = S.depth
    if WEIGHT then
      if mark >= MAX_DEPTH then return false, 'C stack overflow' end
      S.depth = mark + WEIGHT
    end
    return judged(mark, native_xpcall(f, capture, ...))
  end
end

-- A handler may wait, and another coroutine of the run go on meanwhile: so what debug.traceback
-- tells of in it is kept by coroutine.
local function handled(traces, co, outer, ok, ...)
  traces[co] = outer
  if ok then return false, (...) end
  return false, 'error in error handling'
end

local function judge(handler, ok, ...)
  if ok then return true, ... end
  local value, trace = ...
  local R, co = S.R, running()
  local traces = R.traces
  if not traces then
    traces = setmetatable({}, WEAK)     -- a run that is dropped in a handler leaves its thread there
    R.traces = traces
  end
  local outer = traces[co]
  traces[co] = trace
  return handled(traces, co, outer, P.pcall(handler, value))
end

local function checked_xpcall(f, handler, ...)
  return judge(handler, P.catch(f, ...))
end

function P.xpcall(...)
  local count = select('#', ...)
  if count == 0 then return raise("bad argument #1 to 'xpcall' (value expected)") end
  local _, handler = ...
  if type(handler) ~= 'function' then return bad_argument(2, 'xpcall', 'function', handler, count) end
  return checked_xpcall(...)
end

K.pcall, K.xpcall, K.catch = P.pcall, P.xpcall, P.catch
