-- setfenv and getfenv for scripts. On 5.2 and newer a function's environment is its upvalue _ENV:
-- setfenv gives the function one of its own, so that functions beside it keep theirs, as on 5.1.
--
-- Rules of this file:
-- * No function of ours gives its environment away or gets another one, nor does a thread: what
--   asks for one is told of the request's globals.
-- * Ours are the chunks named "[candy ...]", which no script can name its own.

local K = ...

local rawequal, type = rawequal, type
local native_getfenv, native_setfenv = getfenv, setfenv
local getinfo, getupvalue, upvaluejoin = debug.getinfo, debug.getupvalue, debug.upvaluejoin
local floor, sub = math.floor, string.sub
local raise, bad_argument, S = K.raise, K.bad_argument, K.S

local OWN_GLOBALS = _G        -- the environment of our own functions: never a script's
local MAX_LEVEL = 1000000     -- more than any stack has

-- ---------------------------------------------------------------------- the environment of a function
-- environment_of(f) and set_environment(f, env) are told of functions of scripts alone; the first
-- gives nil, the second false, where there is none.
local environment_of, set_environment
if native_setfenv then
  environment_of = native_getfenv
  function set_environment(f, env)
    if rawequal(native_getfenv(f), OWN_GLOBALS) then return false end
    native_setfenv(f, env)
    return true
  end
else
  local function upvalue_of(f)
    local info = getinfo(f, 'Su')
    if info.what == 'C' or sub(info.short_src, 1, 6) == '[candy' then return nil end
    for i = 1, info.nups do
      local name, value = getupvalue(f, i)
      if name == '_ENV' then return i, value end
    end
    return 0      -- a function that uses no globals
  end
  function environment_of(f)
    local _, value = upvalue_of(f)
    return value
  end
  function set_environment(f, env)
    local i, value = upvalue_of(f)
    if not i or rawequal(value, OWN_GLOBALS) then return false end
    if i > 0 then upvaluejoin(f, i, function() return env end, 1) end
    return true
  end
end

-- ---------------------------------------------------------------------- for scripts
-- The function at a script's stack level: ours and this one do not count.
local function function_at(level, name)
  if type(level) ~= 'number' then return bad_argument(1, name, 'number', level) end
  local info = level >= 0 and level < MAX_LEVEL and getinfo(floor(level) + 2, 'f')
  if not info then return raise("bad argument #1 to '" .. name .. "' (invalid level)") end
  return info.func
end

local function script_getfenv(target)
  if target == nil then target = 1 end
  if target == 0 then return S.R.globals end
  local f = target
  if type(f) ~= 'function' then f = function_at(target, 'getfenv') end
  local env = f and environment_of(f)
  if env == nil or rawequal(env, OWN_GLOBALS) then return S.R.globals end
  return env
end

local function script_setfenv(target, env)
  if type(env) ~= 'table' then return bad_argument(2, 'setfenv', 'table', env) end
  local f = target
  if type(f) ~= 'function' and target ~= 0 then f = function_at(target, 'setfenv') end
  -- Whoever could set the environment of one of our functions, or of the thread, which the
  -- next request uses, would reach into other requests.
  if type(f) ~= 'function' or not set_environment(f, env) then
    return raise("'setfenv' cannot change environment of given object")
  end
  return f
end

return {getfenv = script_getfenv, setfenv = script_setfenv, set_environment = set_environment}
