-- cd.var.

local K, host, A, headers = ...

local setmetatable, type = setmetatable, type
local byte, format, lower, sub = string.byte, string.format, string.lower, string.sub
local S, raise = A.S, A.raise

local MAX_NAME = 65536       -- bytes: no variable has a longer one, and no header

local function name_of(name)
  if type(name) == 'string' then return name end
  if type(name) == 'number' then return A.number_text(name) end
  return raise('bad variable name')
end

-- A number is a capture; a string of digits names no variable.
local function is_number_text(name)
  local first = byte(name, 1)
  return first and first >= 0x30 and first <= 0x39
end

-- Until the head is handed over, what there is of the response is here and not in the server.
local function of_response(R, name)
  if name == 'status' then
    return format('%03d', R.status or (R.sent and 200) or 0)
  end
  return headers.sent_variable(R, sub(name, 11))
end

local function new_var()
  return setmetatable({}, {
    __index = function(_, given)
      local name = name_of(given)
      if #name > MAX_NAME then return nil end
      name = lower(name)
      local R = S.R
      if not R.begun and (name == 'status' or sub(name, 1, 10) == 'sent_http_') then
        return of_response(R, name)
      end
      -- A body that is being made is here as well.
      if R.new_body and name == 'request_body' then
        return not R.new_in_file and A.pieces.join(R.new_body, R.new_count) or nil
      end
      if given == name and is_number_text(name) then return nil end
      return (host.get_variable(name))
    end,
    __newindex = function(_, name, value)
      if type(name) ~= 'string' then return raise('bad variable name') end
      if #name > MAX_NAME then name = sub(name, 1, MAX_NAME) end
      if value ~= nil then value = A.check_field(A.tostring(value), 'variable') end
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
