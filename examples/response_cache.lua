-- A cache in front of something slow, where an answer is computed once however many ask for it.
--
-- * A fresh answer comes from the cache (HIT).
-- * Without one, the request that gets the lock computes it (MISS). `add` is the lock: it creates
--   the key or says "exists", in one step, so there is exactly one winner.
-- * The others take the old answer if there is one (STALE), else they wait for the new one (WAIT).
-- * The lock has a time to live, and the route's lua_time_limit is shorter: whoever held it has
--   ended by the time somebody else can get it, even by an error.

local arguments = require "arguments"

local FRESH = 10          -- seconds an answer is good for
local KEEP = 600          -- seconds it may be served while a new one is computed
local LOCK = 8            -- seconds; more than lua_time_limit of this route
local WAIT = 4            -- seconds that a request waits for another one's answer
local LOOK = 0.02         -- seconds between two looks

-- The key is made of what the answer depends on and of nothing else: with the whole query string
-- anybody could fill the cache with ?x=1, ?x=2, ... Only cities that exist get in.
local CITIES = {oslo = "Oslo", lima = "Lima", hanoi = "Hanoi"}

local cache = ngx.shared.cache
local city = arguments.text(ngx.req.get_uri_args(), "city"):lower()
if not CITIES[city] then
  ngx.status = ngx.HTTP_NOT_FOUND
  ngx.say("Ask for ?city=Oslo, Lima or Hanoi.")
  return
end
local body_key, fresh_key, lock_key = "body " .. city, "fresh " .. city, "lock " .. city

local function compute()
  ngx.sleep(0.2)          -- stands for a slow database
  local number = ngx.shared.cache:incr("computed", 1, 0)
  return "Weather in " .. CITIES[city] .. ": report number " .. number .. "\n"
end

-- The answer first and the mark of its freshness after it: who sees the mark finds the answer.
local function compute_and_store()
  local body = compute()
  local ok, err = cache:set(body_key, body, KEEP)
  if ok then ok, err = cache:set(fresh_key, true, FRESH) end
  if not ok then ngx.log(ngx.ERR, "cache: ", err) end
  return body
end

local function answer(body, how)
  ngx.header["X-Cache"] = how
  ngx.print(body)
end

local function fresh()
  return cache:get(fresh_key) and cache:get(body_key)
end

local body = fresh()
if body then return answer(body, "HIT") end

local won, err = cache:add(lock_key, true, LOCK)
if won then
  -- An error in compute must not leave the lock behind: the next request may have more luck.
  local ok, result = pcall(compute_and_store)
  cache:delete(lock_key)
  if not ok then error(result, 0) end
  return answer(result, "MISS")
end
if err ~= "exists" then ngx.log(ngx.ERR, "lock: ", err) end

body = cache:get(body_key)
if body then return answer(body, "STALE") end

local deadline = ngx.now() + WAIT
while ngx.now() < deadline do
  ngx.sleep(LOOK)         -- waits in the server; others are served meanwhile
  body = fresh()
  if body then return answer(body, "WAIT") end
end
ngx.header["Retry-After"] = 1
ngx.exit(ngx.HTTP_SERVICE_UNAVAILABLE)
