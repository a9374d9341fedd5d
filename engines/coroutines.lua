-- coroutine.* for scripts: our yields pass through their coroutines unseen, up to step().
--
-- A script's coroutine yields (YIELD, ...) when the script says so and (RETURN, ...) when its
-- function returns; anything else is an operation or an interruption on its way up to step().

local K = ...

local setmetatable, type = setmetatable, type
local native_create, yield, native_status, native_running =
      coroutine.create, coroutine.yield, coroutine.status, coroutine.running
local slicing, busy, caught = K.slicing, K.busy, K.caught
local resume, native_close = slicing.resume or coroutine.resume, slicing.close or coroutine.close
local native_isyieldable, expired, made = coroutine.isyieldable, slicing.expired, slicing.made or slicing.inner
local S, RETURN, YIELD, entries = K.S, K.RETURN, K.YIELD, K.entries
local stop, raise, rethrow, bad_argument = K.stop, K.raise, K.rethrow, K.bad_argument
local without_place = K.without_place
local IS_JIT, IS_51 = K.is_jit, K.is_51

local MAX_DEPTH = 190       -- nested C calls on LuaJIT, which has no limit of its own and would
                            -- overrun the C stack; PUC-Lua stops at 200, so scripts see the same

-- 5.1: our pcall's coroutine → the one that called pcall. Both weak: the caller's stack holds the
-- coroutine, so a strong value would keep its own key.
local disguise = setmetatable({}, {__mode = 'kv'})

local C = {}

local create = native_create
if made then
  function create(f)
    local co = native_create(f)
    made(co)
    return co
  end
end

local function as_is(f) return f end

-- Called as a result, f has no name: a traceback shows where it is, not what we call it.
local function body_of(f)
  return function(...) return RETURN, as_is(f)(...) end
end

local again

-- `mark` is the depth at the resumer, to be restored: an error skips every decrement.
local function after(co, mark, through, ok, tag, ...)
  S.depth = mark
  if S.R.done then stop() end
  if tag == RETURN and ok then return true, ... end
  if not ok then
    caught(tag)
    return false, without_place(tag, co)
  end
  if tag == YIELD and not through then return true, ... end
  if tag == nil then
    -- 5.5 lets a coroutine close itself: it has neither returned nor yielded.
    if native_status(co) == 'dead' then return true end
    -- Interrupted, and what resumed it is called by C: there is no way up.
    if native_isyieldable and not native_isyieldable() then
      if expired() then return rethrow('script ran past its time limit') end
      return again(co, through)
    end
  end
  busy[co] = native_running()
  return again(co, through, yield(tag, ...))
end

local function go(co, through, ...)
  local mark = S.depth
  if (IS_JIT or IS_51) and mark >= MAX_DEPTH then return false, 'C stack overflow' end
  S.depth = mark + 1
  return after(co, mark, through, resume(co, ...))
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
  -- In the main chunk of a module nothing yields: see require.
  local loading = S.R.loading
  if loading and loading[(C.running())] then
    return raise('attempt to yield across C-call boundary')
  end
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
  -- For the log: the traceback of the run that this error may end shows the caller only.
  if message ~= nil then K.note_death(message, co) end
  -- Only what died of the error: a coroutine that was not to be resumed goes on.
  if native_close and native_status(co) == 'dead' then native_close(co) end
  if type(message) == 'string' then return raise(message) end
  return rethrow(message)
end

function C.wrap(f)
  if type(f) ~= 'function' then bad_argument(1, 'wrap', 'function', f) end
  local co = create(body_of(f))
  return function(...)
    if busy[co] then return raise(NOT_SUSPENDED) end
    return unwrapped(co, go(co, false, ...))
  end
end

C.isyieldable = coroutine.isyieldable

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

K.coroutine, K.create, K.body_of, K.go, K.disguise, K.max_depth = C, create, body_of, go, disguise, MAX_DEPTH
