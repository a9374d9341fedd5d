-- require: the user's own modules under lua_package_path, and behind them those that come with the
-- server (lualib.lua), kept for each isolate.
--
-- A module's main chunk runs in the isolate's environment and may neither wait nor yield: whoever
-- requires the module next would find it half made. A sandboxed script reaches nothing outside
-- lua_package_path, whatever it does to its package table; a trusted one has package.cpath, loadlib
-- and searchers as well, and LuaJIT's own modules.
--
-- From the first module of the user's on, the scripts of an isolate share what it keeps, and take
-- turns (turns.py): the host is told before any of the module's code runs. What comes with the
-- server was written to be interrupted anywhere, and does not count.

local K, host, scripts, lualib = ...

local find, gmatch, gsub, next, rawget, setfenv, setmetatable, type =
      string.find, string.gmatch, string.gsub, next, rawget, setfenv, setmetatable, type
local native_cpath, native_loadlib, native_preload, native_require =
      package.cpath, package.loadlib, package.preload, require
local catch, raise, rethrow, bad_argument, S = K.catch, K.raise, K.rethrow, K.bad_argument, K.S
local running = K.coroutine.running
local compile_plain, without_shebang = scripts.compile_plain, scripts.without_shebang

local function finished(name, loaded, ...)
  local value = ...
  if value ~= nil then loaded[name] = value end
  if loaded[name] == nil then loaded[name] = true end
  return loaded[name]
end

-- R.loading holds the coroutines that are in the middle of a require: none of them may yield, and
-- the run may not wait. The host knows, too: from the moment it does until it is told of the end, no
-- other script of the isolate runs, or it would load the module a second time. Before that moment
-- one may have run, and have loaded it.
local function run(I, R, name, loaded, chunk, argument)
  host.loading(1)
  local value = rawget(loaded, name)
  if value ~= nil then
    host.loading(-1)
    return value
  end
  I.loading[name] = R
  local co, loading = running(), R.loading
  if not loading then
    loading = {}
    R.loading = loading
  end
  local outer = loading[co]
  loading[co] = true
  local function judge(ok, ...)
    local done, value = false, (...)
    if ok then done, value = catch(finished, name, loaded, ...) end
    loading[co], I.loading[name] = outer, nil
    host.loading(-1)
    if done then return value end
    return rethrow(value)
  end
  return judge(catch(chunk, name, argument))
end

-- The scripts of isolate I share the state of modules from now on. The host first: whoever finds
-- the mark relies on it.
local function sharing_begins(I)
  if not I.shares then
    host.sharing_begins()
    I.shares = true
  end
end

-- ---------------------------------------------------------------------- searchers
-- Each gives a loader and its argument, or a text that says where it looked.
local function preloaded(package)
  return function(name)
    local preload = package.preload
    local loader = type(preload) == 'table' and preload[name]
    if type(loader) == 'function' then return loader end
    return "\n\tno field package.preload['" .. name .. "']"
  end
end

local function chunk_of(source, name, shown, env)
  local chunk, err = compile_plain(without_shebang(source), '@' .. shown, env)
  if chunk then return chunk end
  return raise("error loading module '" .. name .. "' from file '" .. shown .. "':\n\t" .. err)
end

local function under_package_path(env)
  return function(name)
    local source, path, shown = host.find_module(name)
    if not source then return path end
    return chunk_of(source, name, shown, env), path
  end
end

-- The first file of the templates in `path`, as package.searchpath finds it, and its text.
local function search(name, path)
  local tried = ''
  for template in gmatch(path, '[^;]+') do
    local file = gsub(template, '%?', (gsub(gsub(name, '%.', '/'), '%%', '%%%%')))
    local text = host.read_file(file)
    if text then return file, text end
    tried = tried .. "\n\tno file '" .. file .. "'"
  end
  return nil, tried
end

-- What comes with the server; a file of the user's of that name goes first.
local function shipped(I)
  return function(name)
    local open = lualib.opener(name)
    if not open then return '' end
    local function loader() return open(I) end
    I.own_loaders[loader] = true
    return loader
  end
end

-- What a trusted script has put into package.path, and C modules.
local function trusted_searchers(env, package)
  local configured = package.path
  local function changed_path(name)
    if package.path == configured then return '' end
    local file, text = search(name, package.path)
    if not file then return text end
    return chunk_of(text, name, file, env), file
  end
  local function c_module(name)
    local file, tried = search(name, package.cpath)
    if not file then return tried end
    local loader, err = package.loadlib(file, 'luaopen_' .. gsub(gsub(name, '^[^-]*%-', ''), '%.', '_'))
    if loader then return loader, file end
    return raise("error loading module '" .. name .. "' from file '" .. file .. "':\n\t" .. err)
  end
  return changed_path, c_module
end

-- LuaJIT's own modules (ffi, jit.util, table.new ...) are made once for the VM.
local function add_native(I, preload)
  for name in next, native_preload do
    if not lualib.opener(name) then
      local function loader() return native_require(name) end
      preload[name], I.own_loaders[loader] = loader, true
    end
  end
end

-- ---------------------------------------------------------------------- require
-- Modules that OpenResty brings and this server will: whoever migrates should not search for them.
local function comes_later(name)
  return name == 'ndk' or find(name, '^resty%.') or find(name, '^ngx%.')
end

-- LuaJIT's, which scripts of OpenResty's require by habit.
local NOT_IN_THE_SANDBOX = {}
if K.is_jit then
  for name in next, native_preload do
    if not lualib.opener(name) then NOT_IN_THE_SANDBOX[name] = true end
  end
end

local function require_for(I, searchers)
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
    local tried = ''
    for i = 1, #searchers do
      local loader, argument = searchers[i](name)
      if type(loader) == 'function' then
        if not I.own_loaders[loader] then sharing_begins(I) end
        return run(I, R, name, loaded, loader, argument)
      end
      if type(loader) == 'string' then tried = tried .. loader end
    end
    if I.sandboxed and NOT_IN_THE_SANDBOX[name] then
      tried = '\n\tnot in the sandbox (lua_sandbox = false allows it)' .. tried
    end
    if comes_later(name) then tried = '\n\tcandy_trio does not have it yet' .. tried end
    return raise("module '" .. name .. "' not found:" .. tried)
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
  I.own_loaders = setmetatable({}, {__mode = 'k'})     -- of modules that come with the server
  local package = {
    loaded = loaded, preload = {}, path = host.package_path(), config = '/\n;\n?\n!\n-\n',
  }
  loaded.package, env.package = package, package
  local searchers = {preloaded(package), under_package_path(env), shipped(I)}
  if not I.sandboxed then
    package.cpath, package.loadlib = native_cpath, native_loadlib
    function package.searchpath(name, path)
      local file, tried = search(name, path)
      if file then return file end
      return nil, tried
    end
    searchers[4], searchers[5] = trusted_searchers(env, package)
    package[setfenv and 'loaders' or 'searchers'] = searchers
    if K.is_jit then add_native(I, package.preload) end
  end
  env.require = require_for(I, searchers)
end

return {install = install, sharing_begins = sharing_begins}
