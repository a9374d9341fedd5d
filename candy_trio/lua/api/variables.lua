-- cd.var.

local K, host, A = ...

local setmetatable, type = setmetatable, type
local format, lower, sub = string.format, string.lower, string.sub
local S, raise = A.S, A.raise

local function name_of(name)
  if type(name) == 'string' then return name end
  if type(name) == 'number' then return A.number_text(name) end
  return raise('bad variable name')
end

-- Until the head is handed over, what there is of the response is here and not in the server.
local function of_response(I, name)
  local R = S.R
  if name == 'status' then
    return format('%03d', R.status or (R.sent and 200) or 0)
  end
  local value = I.header[sub(name, 11)]
  if type(value) == 'table' then return value[1] end
  return value
end

local function new_var(I)
  return setmetatable({}, {
    __index = function(_, name)
      name = lower(name_of(name))
      if not S.R.begun and (name == 'status' or sub(name, 1, 10) == 'sent_http_') then
        return of_response(I, name)
      end
      return (host.get_variable(name))
    end,
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
  local var = new_var(I)
  I.cd.var, I.ngx.var = var, var
end

return {install = install}
