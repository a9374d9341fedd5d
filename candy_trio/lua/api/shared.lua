-- cd.shared.NAME and candy.shared: dictionaries that all scripts of the server share.
--
-- The dictionary itself lives in Python; here are the arguments, as lua-resty-core checks them.

local K, host, A = ...

local gmatch, match, sub = string.gmatch, string.match, string.sub
local next, rawequal, select, setmetatable, tonumber, type =
      next, rawequal, select, setmetatable, tonumber, type
local raise = A.raise

local MAX_KEY = 65535        -- bytes: what nginx keeps a key's length in
local INT = 2147483648       -- one more than the largest int of C

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

-- OpenResty's list operations are older than the others: they convert numbers only.
local function list_key_of(key, name, candy)
  if not candy and key ~= nil then key = A.check_string(key, 1, name) end
  return key_of(key)
end

local function exptime_of(exptime)
  if not exptime then return 0 end
  local n = tonumber(exptime)
  if not n or n < 0 then return raise('bad "exptime" argument') end
  return n
end

local function truncated(n) return n < 0 and -(-n - -n % 1) or n - n % 1 end

-- Flags are an int of C: what does not fit becomes what x86 makes of it.
local function flags_of(flags, name)
  if not flags then return 0 end
  if flags == true then return 1 end
  local n = truncated(A.check_number(flags, 4, name))
  if n >= -INT and n < INT then return n end
  return -INT
end

-- The only argument of flush_expired and get_keys, an int, too, but cut to its lower half: what
-- is negative then is 0, "all". Candy's take nil for none.
local function count_of(candy, name, ...)
  local value = ...
  if value == nil and (candy or select('#', ...) == 0) then return nil end
  local n = A.check_number(value, 1, name)
  if not (n >= -2 ^ 63 and n < 2 ^ 63) then return 0 end
  n = truncated(n) % (2 * INT)
  return n < INT and n or 0
end

-- A large value may take the place of so many small ones that it takes several calls. Others see
-- what was there until it is done.
local AGAIN = 'again'
local function store_in_steps(call, dropped, ...)
  local ok, err, forcible
  repeat
    ok, err, forcible = call(...)
    dropped = dropped or forcible
  until ok ~= nil or err ~= AGAIN
  return ok, err, dropped
end

local STORABLE = {string = true, number = true, boolean = true, ['nil'] = true}

-- ---------------------------------------------------------------------- keys
local DEFAULT_MAX_KEYS, UNLIMITED = 1024, 1 / 0

-- Keys come as one text, "LENGTH:KEY" one after the other: as values they could be too many.
local function add_keys(keys, n, packed, max)
  local at = 1
  while at <= #packed and n < max do
    local length, start = match(packed, '^(%d+):()', at)
    n = n + 1
    at = start + length
    keys[n] = sub(packed, start, at - 1)
  end
  return n
end

-- ---------------------------------------------------------------------- operations
local function result(value, err)
  if err ~= nil then return value, err end
  return value
end

-- What the methods do, without the dictionary that they are called with. `calls` are the
-- operations of one dictionary in Python; `candy` selects Candy's view of it.
local function operations_of(calls, candy)
  local M = {}

  -- Candy always gives two: flags, 0 at least, or nil; OpenResty leaves out what is not there.
  local get = calls.get
  function M.get(key)
    if type(key) ~= 'string' or key == '' or #key > MAX_KEY then
      local err
      key, err = key_of(key)
      if not key then return nil, err end
    end
    local value, flags = get(key)
    if candy then return value, flags end
    if flags == nil or flags == 0 then return value end
    return value, flags
  end

  function M.get_stale(key)
    local err
    key, err = key_of(key)
    if not key then return nil, err end
    local value, flags, stale = calls.get_stale(key)
    if value == nil then
      if candy or flags ~= nil then return nil, flags end
      return nil
    end
    if flags == 0 and not candy then flags = nil end
    return value, flags, stale
  end

  local function storing(call, name)
    return function(key, value, exptime, flags)
      exptime = exptime_of(exptime)
      local err
      key, err = key_of(key)
      if not key then return nil, err end
      if not STORABLE[type(value)] then return nil, 'bad value type' end
      -- A call into Python costs by the number of its arguments.
      local ok, forcible
      if flags then
        flags = flags_of(flags, name)
        ok, err, forcible = call(key, value, exptime, flags)
      elseif exptime ~= 0 then
        ok, err, forcible = call(key, value, exptime)
      else
        ok, err, forcible = call(key, value)
      end
      if ok == nil and err == AGAIN then
        return store_in_steps(call, forcible, key, value, exptime, flags or 0)
      end
      return ok, err, forcible
    end
  end
  M.set, M.add = storing(calls.set, 'set'), storing(calls.add, 'add')
  M.replace = storing(calls.replace, 'replace')
  M.safe_set = storing(calls.safe_set, 'safe_set')
  M.safe_add = storing(calls.safe_add, 'safe_add')

  function M.delete(key) return M.set(key, nil) end

  local incr = candy and calls.incr_text or calls.incr
  function M.incr(key, value, init, init_ttl)
    local err
    key, err = key_of(key)
    if not key then return nil, err end
    if type(value) ~= 'number' then value = A.check_number(value, 2, 'incr') end
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
      if ttl < 0 then return raise('bad "init_ttl" argument') end
      if init == nil then return raise('must provide "init" when providing "init_ttl"') end
    end
    local new, problem, forcible
    if init == nil then
      new, problem = incr(key, value)
      if new == nil then return nil, problem end
      return new
    elseif ttl == 0 then
      new, problem, forcible = incr(key, value, init)
    else
      new, problem, forcible = incr(key, value, init, ttl)
    end
    if new == nil then return nil, problem end
    return new, nil, forcible
  end

  local function pushing(call, name)
    return function(key, value)
      local err
      key, err = list_key_of(key, name, candy)
      if not key then return nil, err end
      if type(value) ~= 'string' and type(value) ~= 'number' then return nil, 'bad value type' end
      return result(call(key, value))
    end
  end
  M.lpush, M.rpush = pushing(calls.lpush, 'lpush'), pushing(calls.rpush, 'rpush')

  local function of_list(call, name)
    return function(key)
      local err
      key, err = list_key_of(key, name, candy)
      if not key then return nil, err end
      return result(call(key))
    end
  end
  M.lpop, M.rpop = of_list(calls.lpop, 'lpop'), of_list(calls.rpop, 'rpop')
  M.llen = of_list(calls.llen, 'llen')

  function M.ttl(key)
    local err
    key, err = key_of(key)
    if not key then return nil, err end
    return result(calls.ttl(key))
  end

  function M.expire(key, exptime)
    local seconds = tonumber(exptime or nil)
    if not seconds then return raise('bad "exptime" argument') end
    local err
    key, err = key_of(key)
    if not key then return nil, err end
    return result(calls.expire(key, seconds))
  end

  function M.flush_all() calls.flush_all() end
  function M.flush_expired(...)
    local max = count_of(candy, 'flush_expired', ...) or 0
    local flushed = calls.flush_expired(max)
    if flushed then return flushed end
    local number, more, n = calls.list_keys(), true, 0
    flushed = 0
    while more and (max == 0 or flushed < max) do
      n, more = calls.flush_some(number, max == 0 and 0 or max - flushed)
      flushed = flushed + n
    end
    if more then calls.drop_keys(number) end
    return flushed
  end

  function M.get_keys(...)
    local max = count_of(candy, 'get_keys', ...)
    local packed, keys = calls.get_keys(max), {}
    if packed then
      add_keys(keys, 0, packed, UNLIMITED)
      return keys
    end
    max = max or DEFAULT_MAX_KEYS
    if max == 0 then max = UNLIMITED end
    local number, more, n = calls.list_keys(), true, 0
    while more and n < max do
      packed, more = calls.get_some_keys(number)
      n = add_keys(keys, n, packed, max)
    end
    if more then calls.drop_keys(number) end
    return keys
  end

  function M.capacity() return (calls.capacity()) end
  function M.free_space() return (calls.free_space()) end
  return M
end

-- ---------------------------------------------------------------------- views
-- The operations of each dictionary, by its table: a method that was taken from a dictionary
-- works on whichever it is called with (`local get = cd.shared.a.get`).
local owners = setmetatable({}, {__mode = 'k'})

local function bad_zone() return raise('bad "zone" argument') end

local function method(dict, name, f)
  return function(self, a, b, c, d)
    if self == dict then return f(a, b, c, d) end
    return ((owners[self] or bad_zone())[name])(a, b, c, d)
  end
end

local function without_self(f, _, ...) return f(...) end

-- Those that OpenResty has in C, which looks at how many arguments there are. Candy's view leaves
-- it at those that a push can't do without.
local COUNTED = {lpush = 3, rpush = 3, lpop = 2, rpop = 2, llen = 2}
local LISTING = {get_keys = true, flush_expired = true}

local function counted_method(name, candy)
  local least, most = COUNTED[name], COUNTED[name]
  if candy then
    if least == 2 then least = 0 end
    most = 1 / 0
  end
  return function(...)
    local count = select('#', ...)
    if count < least or count > most then
      return raise('expecting ' .. COUNTED[name] .. ' arguments, but only seen ' .. count)
    end
    return without_self((owners[(...)] or bad_zone())[name], ...)
  end
end

local function listing_method(name, candy)
  return function(...)
    local count, own = select('#', ...), owners[(...)]
    if not candy then
      if count ~= 1 and count ~= 2 then
        return raise('expecting 1 or 2 argument(s), but saw ' .. count)
      end
      if type((...)) ~= 'table' then return A.bad_argument(1, name, 'table', (...)) end
      if not own then return raise('bad user data for the ngx_shm_zone_t pointer') end
    end
    return without_self((own or bad_zone())[name], ...)
  end
end

local function checked(M, candy)
  local dict = {}
  for name, f in next, M do
    if COUNTED[name] then
      dict[name] = counted_method(name, candy)
    elseif LISTING[name] then
      dict[name] = listing_method(name, candy)
    else
      dict[name] = method(dict, name, f)
    end
  end
  owners[dict] = M
  return dict
end

-- candy.shared: its methods take both call forms. Candy's pages write
-- tonumber(candy.shared.get(key)), which flags that are not there must not break: get is OpenResty's.
local function with_self(f, self, _, ...) return f(self, ...) end

local function lenient(candy_dict, ngx_dict)
  local dict = {}
  for name, f in next, candy_dict do
    local self = candy_dict
    if name == 'get' then f, self = ngx_dict.get, ngx_dict end
    dict[name] = function(...)
      if rawequal((...), dict) then return with_self(f, self, ...) end
      return f(self, ...)
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
    cd.shared[name] = checked(operations_of(calls, true), true)
    ngx.shared[name] = checked(operations_of(calls, false), false)
    if name == 'candy' then I.candy.shared = lenient(cd.shared[name], ngx.shared[name]) end
  end
end

return {install = install}
