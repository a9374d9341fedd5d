-- cd.now, time, today, localtime, utctime, cookie_time, http_time, parse_http_time, update_time.

local K, host, A = ...

local floor, type = math.floor, type
local sub = string.sub
local S, raise = A.S, A.raise

local MAX_DATE = 1024       -- bytes

-- nginx caches the time for one turn of its event loop; a run sees the same value until it waits.
local function now()
  local t = S.now
  if not t then
    t = host.now()
    S.now = t
  end
  return t
end

local function update_time() S.now = nil end

local function seconds(value)
  if type(value) ~= 'number' then return raise('number argument only') end
  return value
end

local function install(I)
  local cd, ngx = I.cd, I.ngx
  A.define(cd, ngx, 'now', now)
  A.define(cd, ngx, 'time', function() return floor(now()) end)
  A.define(cd, ngx, 'today', function() return (host.today(now())) end)
  A.define(cd, ngx, 'localtime', function() return (host.localtime(now())) end)
  A.define(cd, ngx, 'utctime', function() return (host.utctime(now())) end)
  A.define(cd, ngx, 'cookie_time', function(t) return (host.cookie_time(seconds(t))) end)
  A.define(cd, ngx, 'http_time', function(t) return (host.http_time(seconds(t))) end)
  A.define(cd, ngx, 'parse_http_time', function(text)
    if type(text) ~= 'string' then return raise('string argument only') end
    -- The host passes over what follows a date; none begins with a day of this length.
    return (host.parse_http_time(sub(text, 1, MAX_DATE)))
  end)
  A.define(cd, ngx, 'update_time', update_time)
end

return {install = install}
