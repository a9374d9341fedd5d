-- The server's functions for texts: escapes, arguments, base64, hashes, and the bits of `bit`.
-- scripts alone: ngx is the server's

local h = 0
local function mix(text)
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
end

local last
for i = 1, 260 do
  local raw = ('\1 ä/?&=%+' .. i):rep(i % 6 + 1)
  local escaped = ngx.escape_uri(raw)
  mix(escaped)
  assert(ngx.unescape_uri(escaped) == raw)
  mix(ngx.encode_args({a = {i, 'x y', true}}))
  local args = ngx.decode_args('a=1&b=%20x&a=' .. i .. '&c&d=' .. ngx.escape_uri(raw))
  mix(args.a[1] .. args.a[2] .. args.b .. tostring(args.c) .. args.d)
  local encoded = ngx.encode_base64(raw)
  mix(encoded)
  assert(ngx.decode_base64(encoded) == raw)
  last = ngx.md5(raw)
  mix(last)
  mix(string.format('%d', ngx.crc32_short(raw) % 4294967296))
  mix(ngx.quote_sql_str("it's " .. i .. '\n'))
  mix(string.format('%d', bit.bxor(bit.lshift(i, 7), bit.band(i * 2654435, 0xffffff))))
  mix(bit.tohex(i * 40503))
  local copy = table.concat({ngx.HTTP_OK, ngx.ERR, tostring(ngx.null)}, ',')
  mix(copy)
  mix(ngx.http_time(i * 86400))
end

return string.format('%d %s', h, last)
