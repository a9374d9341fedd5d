-- ngx.base64: base64 for URLs (RFC 4648 §5), without padding.

local K, host, A = ...

local type = type

local function encode_base64url(text)
  if type(text) ~= 'string' then return nil, 'must provide a string' end
  return A.encode_base64(text, true, true)
end

-- The text ends at the first "=", whatever follows.
local function decode_base64url(text)
  if type(text) ~= 'string' then return nil, 'must provide a string' end
  local decoded = A.decode_base64(text, 'url')
  if not decoded then return nil, 'invalid input' end
  return decoded
end

local M = {}

M['ngx.base64'] = function()
  return {version = A.core_version, encode_base64url = encode_base64url, decode_base64url = decode_base64url}
end

return M
