-- The constants of both projects: each view has its own project's values.

local K, host, A = ...

local next = next

-- ngx: bits; cd: Candy's numbering.
local METHODS = {
  {'GET', 2, 0}, {'HEAD', 4, 1}, {'POST', 8, 3}, {'PUT', 16, 2}, {'DELETE', 32, 4},
  {'MKCOL', 64, 6}, {'COPY', 128, 7}, {'MOVE', 256, 8}, {'OPTIONS', 512, 5},
  {'PROPFIND', 1024, 9}, {'PROPPATCH', 2048, 10}, {'LOCK', 4096, 11}, {'UNLOCK', 8192, 12},
  {'PATCH', 16384, 13}, {'TRACE', 32768, 14},
}

local NGX_LEVELS = {STDERR = 0, EMERG = 1, ALERT = 2, CRIT = 3, ERR = 4, WARN = 5, NOTICE = 6, INFO = 7, DEBUG = 8}
local CD_LEVELS = {STDERR = 1, EMERG = 2, ALERT = 4, CRIT = 8, ERR = 16, WARN = 32, NOTICE = 64, INFO = 128, DEBUG = 255}

local STATUSES = {
  HTTP_CONTINUE = 100, HTTP_SWITCHING_PROTOCOLS = 101,
  HTTP_OK = 200, HTTP_CREATED = 201, HTTP_ACCEPTED = 202, HTTP_NO_CONTENT = 204,
  HTTP_PARTIAL_CONTENT = 206,
  HTTP_SPECIAL_RESPONSE = 300, HTTP_MOVED_PERMANENTLY = 301, HTTP_MOVED_TEMPORARILY = 302,
  HTTP_SEE_OTHER = 303, HTTP_NOT_MODIFIED = 304, HTTP_TEMPORARY_REDIRECT = 307,
  HTTP_PERMANENT_REDIRECT = 308,
  HTTP_BAD_REQUEST = 400, HTTP_UNAUTHORIZED = 401, HTTP_PAYMENT_REQUIRED = 402,
  HTTP_FORBIDDEN = 403, HTTP_NOT_FOUND = 404, HTTP_NOT_ALLOWED = 405, HTTP_NOT_ACCEPTABLE = 406,
  HTTP_REQUEST_TIMEOUT = 408, HTTP_CONFLICT = 409, HTTP_GONE = 410, HTTP_UPGRADE_REQUIRED = 426,
  HTTP_TOO_MANY_REQUESTS = 429, HTTP_CLOSE = 444, HTTP_ILLEGAL = 451,
  HTTP_INTERNAL_SERVER_ERROR = 500, HTTP_METHOD_NOT_IMPLEMENTED = 501, HTTP_NOT_IMPLEMENTED = 501,
  HTTP_BAD_GATEWAY = 502, HTTP_SERVICE_UNAVAILABLE = 503, HTTP_GATEWAY_TIMEOUT = 504,
  HTTP_VERSION_NOT_SUPPORTED = 505, HTTP_INSUFFICIENT_STORAGE = 507,
}

local CORE = {OK = 0, ERROR = -1, AGAIN = -2, DONE = -4, DECLINED = -5}

A.methods = {cd = {}, ngx = {}}
for _, row in next, METHODS do
  A.methods.ngx[row[2]], A.methods.cd[row[3]] = row[1], row[1]
end

local function add_levels(t, levels)
  for name, value in next, levels do t[name], t['LOG_' .. name] = value, value end
end

local function install(I)
  local cd, ngx, candy = I.cd, I.ngx, I.candy
  for _, row in next, METHODS do
    local name = 'HTTP_' .. row[1]
    ngx[name], cd[name], candy[name] = row[2], row[3], row[3]
  end
  add_levels(cd, CD_LEVELS)
  add_levels(candy, CD_LEVELS)
  add_levels(ngx, NGX_LEVELS)
  for _, t in next, {cd, ngx} do
    for name, value in next, STATUSES do t[name] = value end
    for name, value in next, CORE do t[name] = value end
  end
  for name, value in next, STATUSES do candy[name] = value end
end

return {install = install}
