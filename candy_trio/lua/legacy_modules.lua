-- module and package.seeall: how modules were written before Lua 5.2, on every engine.
--
-- The names that module defines go into the isolate's globals, where the files that require loads
-- live: a script sees them, they do not die with its request, and no other isolate has them.

local K, environments, modules = ...

local find, getinfo, getmetatable, rawget, rawset, select, setmetatable, sub, type =
      string.find, debug.getinfo, getmetatable, rawget, rawset, select, setmetatable, string.sub, type
local raise, bad_argument = K.raise, K.bad_argument
local sharing_begins = modules.sharing_begins

-- The table `name` ("a.b.c") below `t`, made where there is none; nil if something else is in its way.
local function table_at(t, name)
  local from = 1
  while true do
    local dot = find(name, '.', from, true)
    local key = sub(name, from, dot and dot - 1)
    local value = rawget(t, key)
    if value == nil then
      value = {}
      rawset(t, key, value)
    elseif type(value) ~= 'table' then
      return nil
    end
    if not dot then return value end
    t, from = value, dot + 1
  end
end

-- All of `name` up to its last dot, that included.
local function package_of(name)
  local _, last = find(name, '^.*%.')
  return sub(name, 1, last or 0)
end

local function module_for(env, I)
  local loaded = I.loaded
  return function(...)
    local name = ...
    if type(name) == 'number' then name = name .. '' end
    if type(name) ~= 'string' then
      return bad_argument(1, 'module', 'string', name, select('#', ...))
    end
    sharing_begins(I)
    local module = loaded[name]
    if type(module) ~= 'table' then
      module = table_at(env, name)
      if not module then return raise("name conflict for module '" .. name .. "'") end
      loaded[name] = module
    end
    if module._NAME == nil then
      module._M, module._NAME, module._PACKAGE = module, name, package_of(name)
    end
    local caller = getinfo(2, 'f')
    if not caller or not environments.set_environment(caller.func, module) then
      return raise("'module' not called from a Lua function")
    end
    for i = 2, select('#', ...) do
      local option = select(i, ...)
      if type(option) == 'function' then option(module) end
    end
  end
end

local function seeall_for(env)
  return function(...)
    local module = ...
    if type(module) ~= 'table' then
      return bad_argument(1, 'seeall', 'table', module, select('#', ...))
    end
    local meta = getmetatable(module)
    if meta == nil then
      setmetatable(module, {__index = env})
    elseif type(meta) == 'table' then
      meta.__index = env
    else
      return raise('cannot change a protected metatable')
    end
  end
end

-- Of an isolate that require was installed into.
local function install(env, I)
  env.module, env.package.seeall = module_for(env, I), seeall_for(env)
end

return {install = install}
