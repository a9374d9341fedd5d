-- require: the user's own modules under lua_package_path, kept for each isolate.
--
-- A module's main chunk runs in the isolate's environment and may not wait: whoever requires
-- the module next would find it half made.

local K, host, scripts = ...

local error, rawget, select, type = error, rawget, select, type
local raise, bad_argument, S = K.raise, K.bad_argument, K.S
local compile_plain, without_shebang = scripts.compile_plain, scripts.without_shebang

local function finished(I, R, name, loaded, ...)
  R.loading = R.loading - 1
  I.loading[name] = nil
  local value = ...
  if value ~= nil then loaded[name] = value end
  if loaded[name] == nil then loaded[name] = true end
  return loaded[name]
end

local function failed(I, R, name, message)
  R.loading = R.loading - 1
  I.loading[name] = nil
  return error(message, 0)
end

local function run(I, R, name, loaded, chunk, argument)
  I.loading[name] = R
  R.loading = (R.loading or 0) + 1
  local function judge(ok, ...)
    if ok then return finished(I, R, name, loaded, ...) end
    return failed(I, R, name, ...)
  end
  return judge(K.catch(chunk, name, argument))
end

local function require_for(I, env, package)
  return function(name)
    if type(name) == 'number' then name = name .. '' end
    if type(name) ~= 'string' then return bad_argument(1, 'require', 'string', name) end
    local loaded = I.loaded
    local value = loaded[name]
    if value ~= nil then return value end
    local R = S.R
    -- The mark of a request that ended while it loaded is stale, its own is a loop.
    if I.loading[name] == R then
      return raise("loop or previous error loading module '" .. name .. "'")
    end
    local preload = package.preload
    local loader = type(preload) == 'table' and preload[name]
    if type(loader) == 'function' then
      return run(I, R, name, loaded, loader)
    end
    local source, path, shown = host.find_module(name)
    if not source then
      return raise("module '" .. name .. "' not found:\n\tno field package.preload['" .. name .. "']" ..
                   (path or ''))
    end
    local chunk, err = compile_plain(without_shebang(source), '@' .. shown, env)
    if not chunk then
      return raise("error loading module '" .. name .. "' from file '" .. shown .. "':\n\t" .. err)
    end
    return run(I, R, name, loaded, chunk, path)
  end
end

local LIBRARIES = {'string', 'table', 'math', 'os', 'coroutine', 'debug', 'bit', 'bit32', 'utf8', 'jit', 'io'}

local function install(env, I)
  local loaded = {_G = env}
  for i = 1, #LIBRARIES do
    local name = LIBRARIES[i]
    loaded[name] = env[name]
  end
  I.loaded, I.loading = loaded, {}
  local package = {
    loaded = loaded, preload = {}, path = host.package_path(), config = '/\n;\n?\n!\n-\n',
  }
  loaded.package, env.package = package, package
  env.require = require_for(I, env, package)
end

return {install = install}
