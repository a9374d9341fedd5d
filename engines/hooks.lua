-- Limits where Lua's C interface can't be reached: a hook in Lua that raises once a step is past
-- what it was allowed. See slicer.py.
--
-- Rules of this file:
-- * A count hook belongs to one thread on PUC-Lua and to the VM on LuaJIT, whose compiled code has
--   none: so each thread gets one there, and here the compiler is off.
-- * It never raises on the main state, which is the server's.

local clock, INTERVAL, CLOSING = ...

local error, huge = error, math.huge
local sethook, running = debug.sethook, coroutine.running
local jit = jit

local allowed, late, unwound = huge, huge, false
local main = running()      -- nil on LuaJIT and 5.1

local check
function check()
  if clock() <= late or running() == main then return end
  unwound = true
  sethook(check, '', 1)     -- and at each instruction from now on, until the thread is dead
  error('script ran past its time limit')
end

local F = {}

function F.enter(co, closing)
  if unwound then
    unwound = false
    if jit then sethook(check, '', INTERVAL) end
  end
  local seconds = allowed
  if closing and seconds > CLOSING then seconds = CLOSING end
  late = clock() + seconds
end

function F.leave()
  late = huge
  return unwound
end

function F.expired()
  if clock() <= late then return false end
  unwound = true
  return true
end

function F.allow(seconds) allowed = seconds end

if jit then
  jit.off()
  jit.flush()
  sethook(check, '', INTERVAL)
else
  function F.born(co) sethook(co, check, '', INTERVAL) end
  -- What a run that is being unwound makes dies at its first instruction.
  function F.inner(co) sethook(co, check, '', unwound and 1 or INTERVAL) end
end

return F
