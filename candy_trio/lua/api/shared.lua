-- cd.shared.NAME and candy.shared: dictionaries that all scripts of the server share.
--
-- The dictionary itself lives in Python; here are the arguments, as lua-resty-core checks them.

local K, host, A = ...

local gmatch, match, sub = string.gmatch, string.match, string.sub
local next, rawequal, select, setmetatable, tonumber, type =
      next, rawequal, select, setmetatable, tonumber, type
local raise = A.raise

local MAX_KEY = 65535        -- bytes: what nginx keeps a key's length in

-- ---------------------------------------------------------------------- arguments
local function key_of(key)
  if type(key) ~= 'string' then
    if key == nil then return nil, 'nil key' end
    key = A.tostring(key)
  end
  if key == '' then return nil, 'empty key' end
  if #key > MAX_KEY then return nil, 'key too long' end
  return key
end

local function exptime_of(exptime)
  if exptime == nil then return 0 end
  local n = tonumber(exptime)
  if not n or not (n >= 0) then return raise('bad "exptime" argument') end
  return n
end

-- The only argument of flush_expired and get_keys; Candy's take nil for none.
local function count_of(candy, name, ...)
  local value = ...
  if value == nil and (candy or select('#', ...) == 0) then return nil end
  local n = A.check_number(value, 1, name)
  return n > 0 and n < 1 / 0 and n - n % 1 or 0
end

-- Flags are an int of C: what does not fit becomes what x86 makes of it.
local function flags_of(flags, name)
  if flags == nil then return 0 end
  local n = A.check_number(flags, 4, name)
  n = n < 0 and -(-n - -n % 1) or n - n % 1
  if n >= -2147483648 and n <= 2147483647 then return n end
  return -2147483648
end

local STORABLE = {string = true, number = true, boolean = true, ['nil'] = true}

-- ---------------------------------------------------------------------- methods
-- `calls` are the operations of one dictionary; `candy` selects Candy's view of it.
local function methods_of(calls, candy)
  local M = {}

  -- Candy always gives two: flags, 0 at least, or nil; OpenResty leaves out what is not there.
  local function found(value, flags)
    if candy then
      if value ~= nil then return value, flags or 0 end
      return nil, flags
    end
    if flags == nil or flags == 0 then return value end
    return value, flags
  end

  function M.get(_, key)
    local err
    if type(key) ~= 'string' then
      key, err = key_of(key)
      if not key then return nil, err end
    end
    return found(calls.get(key))
  end

  function M.get_stale(_, key)
    local err
    key, err = key_of(key)
    if not key then return nil, err end
    local value, flags, stale = calls.get_stale(key)
    if value == nil then return found(nil, flags) end
    if flags == 0 and not candy then flags = nil end
    return value, flags, stale
  end

  local function storing(call, name)
    return function(_, key, value, exptime, flags)
      local err
      key, err = key_of(key)
      if not key then return nil, err end
      if not STORABLE[type(value)] then return nil, 'bad value type' end
      return call(key, value, exptime_of(exptime), flags_of(flags, name))
    end
  end
  M.set, M.add = storing(calls.set, 'set'), storing(calls.add, 'add')
  M.replace = storing(calls.replace, 'replace')
  M.safe_set = storing(calls.safe_set, 'safe_set')
  M.safe_add = storing(calls.safe_add, 'safe_add')

  function M.delete(self, key) return M.set(self, key, nil) end

  function M.incr(_, key, value, init, init_ttl)
    local err
    key, err = key_of(key)
    if not key then return nil, err end
    value = A.check_number(value, 2, 'incr')
    init = init or nil           -- false is none, as in OpenResty
    if init then
      local n = tonumber(init)
      if not n then return raise('bad init arg: number expected, got ' .. type(init)) end
      init = n
    end
    local ttl = 0
    if init_ttl ~= nil then
      ttl = tonumber(init_ttl)
      if not ttl then
        return raise('bad init_ttl arg: number expected, got ' .. type(init_ttl))
      end
      if not (ttl >= 0) then return raise('bad "init_ttl" argument') end
      if init == nil then return raise('must provide "init" when providing "init_ttl"') end
    end
    local result, problem, forcible = calls.incr(key, value, init, ttl, candy)
    if result == nil then return nil, problem end
    if init == nil then return result end
    return result, nil, forcible
  end

  local function result(value, err)
    if err ~= nil then return value, err end
    return value
  end

  local function pushing(call)
    return function(...)
      local count = select('#', ...)
      if count < 3 then
        return raise('expecting 3 arguments, but only seen ' .. count)
      end
      local _, key, value = ...
      local err
      key, err = key_of(key)
      if not key then return nil, err end
      if type(value) ~= 'string' and type(value) ~= 'number' then return nil, 'bad value type' end
      return result(call(key, value))
    end
  end
  M.lpush, M.rpush = pushing(calls.lpush), pushing(calls.rpush)

  local function of_key(call)
    return function(_, key)
      local err
      key, err = key_of(key)
      if not key then return nil, err end
      return result(call(key))
    end
  end
  M.lpop, M.rpop, M.llen, M.ttl = of_key(calls.lpop), of_key(calls.rpop), of_key(calls.llen), of_key(calls.ttl)

  function M.expire(_, key, exptime)
    local seconds = tonumber(exptime)
    if not seconds or seconds ~= seconds then return raise('bad "exptime" argument') end
    local err
    key, err = key_of(key)
    if not key then return nil, err end
    return result(calls.expire(key, seconds))
  end

  function M.flush_all() calls.flush_all() end
  function M.flush_expired(_, ...)
    return (calls.flush_expired(count_of(candy, 'flush_expired', ...) or 0))
  end

  -- Keys come as one text, "LENGTH:KEY" one after the other: as values they could be too many.
  function M.get_keys(_, ...)
    local packed = calls.get_keys(count_of(candy, 'get_keys', ...))
    local keys, n, at = {}, 0, 1
    while at <= #packed do
      local length, start = match(packed, '^(%d+):()', at)
      n = n + 1
      at = start + length
      keys[n] = sub(packed, start, at - 1)
    end
    return keys
  end

  function M.capacity() return (calls.capacity()) end
  function M.free_space() return (calls.free_space()) end
  return M
end

-- ---------------------------------------------------------------------- views
-- The methods of each dictionary, by its table: one that was taken from a dictionary works on
-- whichever it is called with (`local get = cd.shared.a.get`).
local owners = setmetatable({}, {__mode = 'k'})

local function checked(M)
  local dict = {}
  for name in next, M do
    dict[name] = function(self, ...)
      local own = owners[self]
      if not own then return raise('bad "zone" argument') end
      return own[name](self, ...)
    end
  end
  owners[dict] = M
  return dict
end

-- candy.shared: its methods take both call forms. Candy's pages write
-- tonumber(candy.shared.get(key)), which flags that are not there must not break: get is OpenResty's.
local function lenient(M, get)
  local dict = {}
  for name, f in next, M do
    if name == 'get' then f = get end
    dict[name] = function(...)
      if rawequal((...), dict) then return f(...) end
      return f(dict, ...)
    end
  end
  return dict
end

local names = {}
for name in gmatch(host.shared_names(), '[^\n]+') do names[#names + 1] = name end

local function install(I)
  local cd, ngx = I.cd, I.ngx
  cd.shared, ngx.shared = {}, {}
  for i = 1, #names do
    local name, calls = names[i], host['shared ' .. names[i]]
    local candy_methods, ngx_methods = methods_of(calls, true), methods_of(calls, false)
    cd.shared[name], ngx.shared[name] = checked(candy_methods), checked(ngx_methods)
    if name == 'candy' then I.candy.shared = lenient(candy_methods, ngx_methods.get) end
  end
end

return {install = install}
