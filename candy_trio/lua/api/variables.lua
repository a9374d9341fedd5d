-- cd.var.

local K, host, A = ...

local setmetatable, tostring, type = setmetatable, tostring, type
local raise = A.raise

local function name_of(name)
  if type(name) == 'string' then return name end
  if type(name) == 'number' then return A.number_text(name) end
  return raise('bad variable name')
end

local function new_var()
  return setmetatable({}, {
    __index = function(_, name) return (host.get_variable(name_of(name))) end,
    __newindex = function(_, name, value)
      if type(name) ~= 'string' then return raise('bad variable name') end
      if value ~= nil then value = A.tostring(value) end
      local err = host.set_variable(name, value)
      if err then return raise(err) end
    end,
    __metatable = false,
  })
end

local function install(I)
  local var = new_var()
  I.cd.var, I.ngx.var = var, var
end

return {install = install}
