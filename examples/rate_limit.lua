-- At most N requests of one address in each window of time.
--
-- The count is one `incr` with an initial value and a time to live: it reads, adds and creates in
-- one step. A `get`, a comparison and a `set` would let requests through that come in between.
--
-- A fixed window is the simplest limit. Its price: around the end of a window a client can make
-- twice N requests in a short time.

local limit = tonumber(cd.var.rate_limit)        -- both from `set` in the route's configuration
local window = tonumber(cd.var.rate_window)      -- seconds

local now = math.floor(cd.now())
local begun = now - now % window
local key = cd.var.remote_addr .. " " .. begun   -- a new window has a new key, the old one expires

local count, err = cd.shared.limits:incr(key, 1, 0, window)
if not count then
  -- Better to serve without a limit than not at all: that is a choice, yours may differ.
  cd.log(cd.ERR, "rate limit of ", key, ": ", err)
  count = 1
end

cd.header["X-RateLimit-Limit"] = limit
cd.header["X-RateLimit-Remaining"] = math.max(0, limit - count)
cd.header["X-RateLimit-Reset"] = begun + window

if count > limit then
  cd.status = cd.HTTP_TOO_MANY_REQUESTS
  cd.header["Retry-After"] = begun + window - now
  cd.say("Slow down: ", limit, " requests in ", window, " seconds are allowed.")
else
  cd.say("Request ", count, " of ", limit, ".")
end
