-- Base64 of one text, both ways.

local batch = require "batch"

-- This nginx may be older than decode_base64mime: then it is what RFC 2045 says, with its strict one.
local mime = ngx.decode_base64mime or function(text)
  return ngx.decode_base64((string.gsub(text, "[^%w+/=]", "")))
end

batch.answer(function(text)
  return ngx.encode_base64(text), ngx.encode_base64(text, true), ngx.encode_base64(text, false),
    ngx.decode_base64(text) or "not base64", mime(text) or "not base64"
end)
