-- Escaping, arguments, base64, hashes.

local K, host, A = ...

local next, select, type = next, select, type
local char, find, format, sub = string.char, string.find, string.format, string.sub
local raise, pieces = A.raise, A.pieces
local replace, join, SIZE = pieces.replace, pieces.join, pieces.SIZE

-- ---------------------------------------------------------------------- percent escapes
local PERCENT, DECODED = A.percent, {}
for i = 0, 255 do
  local high, low = (i - i % 16) / 16, i % 16
  for _, form in next, {'%x%x', '%X%X', '%x%X', '%X%x'} do
    DECODED[format(form, high, low)] = char(i)
  end
end

-- What each type of escape_uri escapes; nginx's ngx_escape_uri types, in its order.
local ESCAPED = {
  [0] = '[%c #%%?\127-\255]',
  '[%c #%%?+\127-\255]',
  "[^%w%-._~!'()*]",
  '[%c "#%%\'\127-\255]',
  '[%c "\'\127-\255]',
  '[%z\1-\32%%]',
  '[%z\1-\32%%]',
}
local COMPONENT = 2
local CANDY_COMPONENT = '[^%w%-._~]'      -- Candy escapes !'()* as well

local function escape_uri_for(component)
  return function(text, kind)
    text = A.text(text)
    if kind == nil or kind == COMPONENT then return replace(text, component, PERCENT) end
    if type(kind) ~= 'number' then return raise('"type" is not a number') end
    local class = ESCAPED[kind]
    if not class then return raise('"type" ' .. A.number_text(kind) .. ' out of range') end
    return replace(text, class, PERCENT)
  end
end

-- A broken escape stays as it is; "+" is a space.
local PLUS = {['+'] = ' '}
local function unescape(text)
  if find(text, '+', 1, true) then text = replace(text, '+', PLUS) end
  if find(text, '%', 1, true) then text = pieces.replace_escapes(text, DECODED) end
  return text
end
A.DECODED = DECODED

local function unescape_uri(text) return unescape(A.text(text)) end

-- ---------------------------------------------------------------------- arguments
local DEFAULT_MAX, UNLIMITED = 100, 1 / 0

local function escape_component(text) return replace(text, ESCAPED[COMPONENT], PERCENT) end

local function encode_pair(out, key, value)
  local kind = type(value)
  if kind == 'string' then
    out[#out + 1] = key .. '=' .. escape_component(value)
  elseif kind == 'number' then
    out[#out + 1] = key .. '=' .. escape_component(A.number_text(value))
  elseif value == true then
    out[#out + 1] = key
  elseif value ~= false then
    return raise('attempt to use ' .. kind .. ' as query arg value')
  end
end

-- All values of a table: those of the list in order, whatever else is in it after them.
local function encode_all(out, key, values)
  local n = 0
  while values[n + 1] ~= nil do
    n = n + 1
    encode_pair(out, key, values[n])
  end
  for at, value in next, values do
    local listed = type(at) == 'number' and at >= 1 and at <= n and at % 1 == 0
    if not listed then encode_pair(out, key, value) end
  end
end

local function encode_args_for(takes_numbers)
  return function(...)
    if select('#', ...) ~= 1 then
      return raise('expecting 1 argument but seen ' .. select('#', ...))
    end
    local args = ...
    if type(args) ~= 'table' then return A.bad_argument(1, 'encode_args', 'table', args) end
    local out = {}
    for name, value in next, args do
      local key = name
      if takes_numbers and type(key) == 'number' then key = A.number_text(key) end
      if type(key) ~= 'string' then
        return raise('attempt to use a non-string key in the "args" option table')
      end
      key = escape_component(key)
      if type(value) == 'table' then
        encode_all(out, key, value)
      else
        encode_pair(out, key, value)
      end
    end
    return join(out, #out, '&')
  end
end
A.encode_args = encode_args_for(false)

-- The arguments of `text` in a table, at most max of them. A nameless one is dropped; whether it
-- counts says `counts_all`: in a query it does not, but too many in all are "truncated" still.
local function parse_args(text, max, counts_all, result)
  result = result or {}
  if max < 1 / 0 then max = max - max % 1 end
  local at, count, segments, length = 1, 0, 0, #text
  local equals = 0          -- the next one, however far away: looked for once
  while at <= length do
    local stop = find(text, '&', at, true)
    local segment_end = (stop or length + 1) - 1
    if equals < at then equals = find(text, '=', at, true) or length + 1 end
    local key, value
    if equals <= segment_end then
      key, value = sub(text, at, equals - 1), unescape(sub(text, equals + 1, segment_end))
    else
      key, value = sub(text, at, segment_end), true
    end
    segments = segments + 1
    if key ~= '' then A.add_value(result, unescape(key), value) end
    if key ~= '' or counts_all then count = count + 1 end
    if not stop then break end
    if count == max then return result, 'truncated' end
    at = stop + 1
  end
  if counts_all then return result end
  if at > length then segments = segments + 1 end      -- behind a last "&" there is one as well
  if segments > max then return result, 'truncated' end
  return result
end
A.parse_args = parse_args

local function decode_args_for(takes_nil)
  return function(...)
    local count = select('#', ...)
    if count < 1 or count > 2 then
      return raise('expecting 1 or 2 arguments but seen ' .. count)
    end
    local text, max = ...
    text = A.check_string(text, 1, 'decode_args')
    if max == nil and (count == 1 or takes_nil) then return parse_args(text, DEFAULT_MAX, true) end
    -- Unlike elsewhere, a negative max is no limit, as in OpenResty.
    max = A.check_number(max, 2, 'decode_args')
    return parse_args(text, max > 0 and max or UNLIMITED, true)
  end
end

local function emptied(t)
  for key in next, t do t[key] = nil end
  return t
end

local function get_uri_args(max, into)
  max = A.check_max(max, 1, 'get_uri_args')
  return parse_args(host.get_args(), max, false, type(into) == 'table' and emptied(into) or nil)
end

-- ---------------------------------------------------------------------- base64
-- A callback that has no room for its result, or fails, answers nil and why.
local function callback_text(text, err)
  if err then return raise(err) end
  return text
end

-- `no_padding` and `url` as the host takes them: nil or true.
local function encode_whole(text, no_padding, url)
  if #text <= SIZE then return callback_text(host.encode_base64(text, no_padding, url)) end
  local out, n = {}, 0
  for first = 1, #text, SIZE do
    n = n + 1
    out[n] = callback_text(host.encode_base64(sub(text, first, first + SIZE - 1), no_padding, url))
  end
  return join(out, n)
end
A.encode_base64 = encode_whole

-- What `text` means, nil if it is not base64: of kind "" (RFC 4648), "url" or "mime".
local function decode_whole(text, kind)
  if #text <= SIZE then
    local decoded, err = host.decode_base64(text, kind)
    return callback_text(decoded, err)
  end
  local out, n, rest = {}, 0, ''
  for first = 1, #text, SIZE do
    local decoded, ended
    decoded, rest, ended = host.decode_base64_piece(rest, sub(text, first, first + SIZE - 1), kind)
    if not decoded then return callback_text(decoded, rest) end
    n = n + 1
    out[n] = decoded
    if ended then break end
  end
  local last = host.decode_base64(rest, '')
  if not last then return nil end
  out[n + 1] = last
  return join(out, n + 1)
end
A.decode_base64 = decode_whole

local function encode_base64(text, no_padding)
  if no_padding ~= nil and type(no_padding) ~= 'boolean' then
    return raise('bad no_padding: boolean expected, got ' .. type(no_padding))
  end
  return encode_whole(A.text(text), no_padding or nil)
end

local function decoder(kind)
  return function(text)
    if type(text) ~= 'string' then return raise('string argument only') end
    return decode_whole(text, kind)
  end
end

-- ---------------------------------------------------------------------- hashes
-- The host keeps the state of a hash with the run, under a number, from one piece to the next.
local function hash_in_pieces(kind, key, text)
  local number = host.hash_begin(kind, key)
  for first = 1, #text, SIZE do host.hash_add(number, sub(text, first, first + SIZE - 1)) end
  return (host.hash_end(number))
end

local function hash(kind)
  local whole = host[kind]
  return function(text)
    text = A.text(text)
    if #text <= SIZE then return (whole(text)) end
    return hash_in_pieces(kind, nil, text)
  end
end

local function crc32(text)
  text = A.text(text)
  if #text <= SIZE then return (host.crc32(text)) end
  local sum = 0
  for first = 1, #text, SIZE do sum = host.crc32(sub(text, first, first + SIZE - 1), sum) end
  return sum
end

local HMAC_BLOCK = 64         -- bytes of SHA-1's: a longer key is as good as its hash (RFC 2104)
local sha1_bin = hash('sha1_bin')

local function hmac_sha1(...)
  local count = select('#', ...)
  if count ~= 2 then return raise('expecting 2 arguments, but got ' .. count) end
  local key, text = ...
  key, text = A.check_string(key, 1, 'hmac_sha1'), A.check_string(text, 2, 'hmac_sha1')
  if #key > HMAC_BLOCK then key = sha1_bin(key) end
  if #text <= SIZE then return (host.hmac_sha1(key, text)) end
  return hash_in_pieces('hmac_sha1', key, text)
end

local SQL = {
  ['\0'] = '\\0', ['\n'] = '\\n', ['\r'] = '\\r', ['\b'] = '\\b', ['\t'] = '\\t', ['\26'] = '\\Z',
  ['\\'] = '\\\\', ["'"] = "\\'", ['"'] = '\\"',
}
local function quote_sql_str(...)
  if select('#', ...) ~= 1 then return raise('expecting one argument') end
  local text = A.check_string((...), 1, 'quote_sql_str')
  return "'" .. replace(text, '[%z\n\r\b\t\26\\\'"]', SQL) .. "'"
end

-- ---------------------------------------------------------------------- installation
local function install(I)
  local cd, ngx = I.cd, I.ngx
  local candy_escape, ngx_escape = escape_uri_for(CANDY_COMPONENT), escape_uri_for(ESCAPED[COMPONENT])
  A.define(cd, ngx, 'escape_uri', candy_escape, ngx_escape)
  A.define(cd, ngx, 'unescape_uri', unescape_uri)
  A.define(cd, ngx, 'encode_args', encode_args_for(true), A.encode_args)
  A.define(cd, ngx, 'decode_args', decode_args_for(true), decode_args_for(false))
  A.define(cd, ngx, 'encode_base64', encode_base64)
  A.define(cd, ngx, 'decode_base64', decoder(''))
  A.define(cd, ngx, 'decode_base64mime', decoder('mime'))
  A.define(cd, ngx, 'md5', hash('md5'))
  A.define(cd, ngx, 'md5_bin', hash('md5_bin'))
  A.define(cd, ngx, 'sha1_bin', sha1_bin)
  A.define(cd, ngx, 'crc32_short', crc32)
  A.define(cd, ngx, 'crc32_long', crc32)
  A.define(cd, ngx, 'hmac_sha1', hmac_sha1)
  A.define(cd, ngx, 'quote_sql_str', quote_sql_str)
  A.define(cd.req, ngx.req, 'get_uri_args', get_uri_args)
  cd.get_uri_args = A.method(get_uri_args, cd, ngx)
  -- Candy offers these on cd.req as well.
  for _, name in next, {'escape_uri', 'unescape_uri', 'encode_args', 'decode_args', 'encode_base64',
                        'decode_base64', 'crc32_short', 'crc32_long', 'hmac_sha1', 'md5', 'md5_bin',
                        'sha1_bin'} do
    local f = cd[name]
    cd.req[name] = A.method(f, cd.req, ngx.req)
  end
end

return {install = install}
