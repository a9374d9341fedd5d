-- Compiling: a script becomes a factory of closures, one closure a request over globals of its own.
--
-- A script is compiled twice: plain, for its syntax errors and so that no text can break out of
-- what is put around it, and once as the body of a function on the same first line. A fresh
-- closure over fresh globals keeps a LuaJIT trace usable for all requests, which loading the
-- text again would not; and setfenv on a closure that two requests share is wrong as soon as
-- they interleave.

local K, host = ...

local error, rawequal, rawget, select, setmetatable, type =
      error, rawequal, rawget, select, setmetatable, type
local native_load = loadstring or load
local native_getfenv, native_setfenv = getfenv, setfenv
local getinfo = debug.getinfo
local byte, concat, find, gsub, sub = string.byte, table.concat, string.find, string.gsub, string.sub
local raise, bad_argument, S = K.raise, K.bad_argument, K.S

local OWN_GLOBALS = _G        -- the environment of our own functions: never a script's
local HAS_ENV = native_setfenv == nil           -- 5.2 and newer
local SIGNATURE = 27                             -- first byte of compiled code

-- Text that Lua's loadfile accepts and load does not: a first line that starts with "#".
local function without_shebang(source)
  if byte(source, 1) == 0x23 then return (gsub(source, '^[^\n]*', '', 1)) end
  if sub(source, 1, 3) == '\239\187\191' then return sub(source, 4) end
  return source
end

local function is_bytecode(text) return byte(text, 1) == SIGNATURE end

-- load of text only, with the given globals.
local compile_plain
if HAS_ENV then
  function compile_plain(source, name, env) return native_load(source, name, 't', env) end
else
  function compile_plain(source, name, env)
    if is_bytecode(source) then return nil, 'attempt to load bytecode (text expected)' end
    local f, err = native_load(source, name)
    if not f then return nil, err end
    return native_setfenv(f, env)
  end
end

local factory_of
if HAS_ENV then
  function factory_of(source, name)
    local made = native_load('local _ENV = ... return function(...) ' .. source .. '\nend', name, 't')
    return made   -- called with the globals
  end
else
  function factory_of(source, name)
    -- 5.1 declares a hidden local `arg` in a vararg function that does not use `...`.
    local parameters = (not K.is_51 or find(source, '...', 1, true)) and '...' or ''
    local made = native_load('return function(' .. parameters .. ') ' .. source .. '\nend', name)
    if not made then return nil end
    return function(env) return native_setfenv(made(), env) end
  end
end

-- Gives a function(globals) → closure, or nil and Lua's message.
local function compile(source, name)
  source = without_shebang(source)
  local plain, err = compile_plain(source, name, {})
  if not plain then return nil, err end
  -- The wrapper takes one level of nesting: text at Lua's own limits is loaded for each request.
  return factory_of(source, name)
      or function(env) return compile_plain(source, name, env) end
end

-- ---------------------------------------------------------------------- load, loadstring
local function gathered(reader)
  local pieces, n = {}, 0
  while true do
    local piece = reader()
    if piece == nil or piece == '' then return concat(pieces, '', 1, n) end
    if type(piece) ~= 'string' then return nil, 'reader function must return a string' end
    n = n + 1
    pieces[n] = piece
  end
end

local function script_load(chunk, name, mode, ...)
  local text, err = chunk, nil
  if type(chunk) == 'function' then
    text, err = gathered(chunk)
    if not text then return nil, err end
    name = name or '=(load)'
  elseif type(chunk) ~= 'string' then
    return bad_argument(1, 'load', 'string', chunk)
  end
  if is_bytecode(text) or mode == 'b' then
    return nil, "attempt to load a " .. (is_bytecode(text) and 'binary' or 'text') ..
                " chunk (mode is '" .. (is_bytecode(text) and 't' or 'b') .. "')"
  end
  local env
  if select('#', ...) > 0 then env = ... else env = S.R.globals end
  return compile_plain(text, name or text, env)
end

local function script_loadstring(text, name)
  if type(text) ~= 'string' then return bad_argument(1, 'loadstring', 'string', text) end
  return script_load(text, name)
end

local function trusted_loadfile(path, mode, ...)
  local text, err = host.read_file(path)
  if not text then return nil, err end
  return script_load(without_shebang(text), '@' .. path, mode, ...)
end

local function trusted_dofile(path)
  local f, err = trusted_loadfile(path)
  if not f then return error(err, 0) end
  return f()
end

-- ---------------------------------------------------------------------- setfenv, getfenv (5.1)
local script_getfenv, script_setfenv
if not HAS_ENV then
  -- The function at a script's stack level: ours and this one do not count.
  local function function_at(level, name)
    if type(level) ~= 'number' or level < 0 then
      return raise("bad argument #1 to '" .. name .. "' (level must be non-negative)")
    end
    local info = getinfo(level + 2, 'f')
    if not info then return raise("bad argument #1 to '" .. name .. "' (invalid level)") end
    return info.func
  end

  local function visible(env)
    if rawequal(env, OWN_GLOBALS) then return S.R.globals end
    return env
  end

  function script_getfenv(target)
    if target == nil then target = 1 end
    if target == 0 then return S.R.globals end
    local f = target
    if type(f) ~= 'function' then f = function_at(target, 'getfenv') end
    if f == nil then return S.R.globals end
    local env = visible(native_getfenv(f))
    return env
  end

  function script_setfenv(target, env)
    if type(env) ~= 'table' then return bad_argument(2, 'setfenv', 'table', env) end
    local f = target
    if type(f) ~= 'function' and target ~= 0 then f = function_at(target, 'setfenv') end
    -- Whoever could set the environment of one of our functions, or of the thread, which the
    -- next request uses, would reach into other requests.
    if type(f) ~= 'function' or rawequal(native_getfenv(f), OWN_GLOBALS) then
      return raise("'setfenv' cannot change environment of given object")
    end
    local changed = native_setfenv(f, env)
    return changed
  end
end

local function install(env, I)
  env.load = script_load
  env.getfenv, env.setfenv = script_getfenv, script_setfenv
  if not HAS_ENV then env.loadstring = script_loadstring end
  if not I.sandboxed then env.loadfile, env.dofile = trusted_loadfile, trusted_dofile end
end

return {
  compile = compile, compile_plain = compile_plain, without_shebang = without_shebang,
  install = install,
}
