-- API keys: 401 without a good one, 403 where it does not reach.
--
-- In OpenResty this stands in access_by_lua; that phase comes with a later release.

local accounts = require "accounts"

-- The key is looked up by its digest, so nothing is compared byte by byte: how long a refusal
-- takes says nothing about how much of a guessed key was right.
local key = ngx.var.http_x_api_key
local account = key and accounts[ngx.encode_base64(ngx.sha1_bin(key))]

if not account then
  ngx.log(ngx.WARN, key and "unknown API key" or "no API key")    -- never log the key itself
  ngx.header["WWW-Authenticate"] = 'ApiKey realm="examples"'
  ngx.status = ngx.HTTP_UNAUTHORIZED
  ngx.say("Send a valid key in the X-API-Key header.")
  return ngx.exit(ngx.OK)
end

local method = ngx.req.get_method()
local reads = method == "GET" or method == "HEAD"
if not reads and not account.may_write then
  ngx.status = ngx.HTTP_FORBIDDEN
  ngx.say("The key of ", account.name, " only reads.")
  return ngx.exit(ngx.OK)
end

-- One visitor's answer must not come to another out of a cache between us and them.
ngx.header["Cache-Control"] = "private, no-store"
ngx.say(account.name, reads and " reads " or " writes ", ngx.var.uri)
