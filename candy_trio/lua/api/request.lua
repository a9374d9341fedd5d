-- cd.req: method, URI, headers of the request.

local K, host, A = ...

local gmatch, gsub, lower = string.gmatch, string.gsub, string.lower
local find, match, sub = string.find, string.match, string.sub
local select, type = select, type
local S, raise = A.S, A.raise

-- ---------------------------------------------------------------------- method
local function set_method_for(names)
  return function(id)
    if type(id) ~= 'number' then return raise('bad method number') end
    local name = names[id - id % 1]
    if not name then return raise('unsupported HTTP method: ' .. A.number_text(id)) end
    host.set_method(name)
  end
end

-- ---------------------------------------------------------------------- URI
local function set_uri_for(splits_query, may_jump)
  return function(...)
    local count = select('#', ...)
    if count < 1 or count > 3 then
      return raise('expecting 1, 2 or 3 arguments but seen ' .. count)
    end
    local uri, jump, binary = ...
    uri = A.check_field(A.check_string(uri, 1, 'set_uri'), 'uri')
    if uri == '' then return raise('attempt to use zero-length uri') end
    A.check_boolean(jump, 2, 'set_uri', count)
    A.check_boolean(binary, 3, 'set_uri', count)
    if not binary then
      A.check_safe_uri(uri, 'uri', " (maybe you want to set the 'binary' argument?)")
    end
    if jump and not may_jump then
      return raise('API disabled in the context of content_by_lua*')
    end
    local args
    if splits_query then
      local path, query = match(uri, '^([^?]*)%?(.*)$')
      if path then uri = path end
      args = query or ''
    end
    if jump then
      if S.R.sent then return raise('attempt to jump after sending out response headers') end
      return A.jump(uri, args)
    end
    host.set_uri(uri, args)
  end
end

local function set_uri_args(...)
  local count = select('#', ...)
  if count ~= 1 then return raise('expecting 1 argument but seen ' .. count) end
  local args = ...
  local kind = type(args)
  if kind == 'table' then
    args = A.encode_args(args)
  elseif kind == 'number' then
    args = A.number_text(args)
  elseif kind == 'string' then
    args = A.pieces.replace(A.check_field(args, 'arguments'), '[%c ]', A.percent)
  else
    return raise("bad argument #1 to 'set_uri_args' (string, number, or table expected, but got " .. kind .. ')')
  end
  host.set_args(A.check_field(args, 'arguments'))
end

local function get_uri()
  return (host.get_uri())
end

-- ---------------------------------------------------------------------- headers
local function get_headers(max, raw)
  max = A.check_max(max, 1, 'get_headers')
  local result, count = {}, 0
  for name, value in gmatch(host.request_headers(), '([^\n:]*):([^\n]*)\n') do
    if count >= max then
      if not raw then A.set_metatable(result, S.R.isolate.header_lookup) end
      return result, 'truncated'
    end
    count = count + 1
    A.add_value(result, raw and name or lower(name), value)
  end
  if not raw then A.set_metatable(result, S.R.isolate.header_lookup) end
  return result
end

-- Fields of which a request has one: the last element of a table wins.
local SINGLE = {}
for name in gmatch('host connection if-modified-since if-unmodified-since if-match if-none-match ' ..
                   'user-agent referer content-length content-type range if-range transfer-encoding ' ..
                   'expect upgrade accept-encoding via authorization keep-alive x-real-ip depth ' ..
                   'destination overwrite date', '[^ ]+') do
  SINGLE[name] = true
end

-- A head that a script takes for sent has been judged by the conditions that the request had then.
local function before_change()
  if S.R.sent then host.keep_conditions() end
end

local TOO_MANY = 'too many request headers'

local function set_field(name, key, value)
  if key == 'content-length' and not A.is_length(value) or key == 'host' and not host.is_host(value) then
    return raise('failed to set header')
  end
  if host.set_header(name, value) == false then return raise(TOO_MANY) end
end

local function add_field(name, value)
  if host.add_header(name, value) == false then return raise(TOO_MANY) end
end

function A.set_request_header(name, value)
  if name == nil then return raise("bad 'name' argument: string expected, got nil") end
  before_change()
  name = A.header_name(A.tostring(name))
  local key = lower(name)
  if type(value) ~= 'table' then
    if value == nil or value == '' then
      host.set_header(name, nil)
      return
    end
    return set_field(name, key, A.header_value(A.tostring(value)))
  end
  local i, replaces = 1, true
  while value[i] ~= nil do
    local text = A.header_value(A.tostring(value[i]))
    if text ~= '' then
      if replaces or SINGLE[key] then set_field(name, key, text) else add_field(name, text) end
      replaces = false
    end
    i = i + 1
  end
  if replaces then host.set_header(name, nil) end
end

-- ngx.req.add_header of the module ngx.req.
function A.add_request_header(name, value)
  if name == nil then return raise("bad 'name' argument: string expected, got nil") end
  if value == nil then return raise("bad 'value' argument: string or table expected, got nil") end
  local values, last = {value}, 1
  if type(value) == 'table' then
    values, last = value, #value
    if last == 0 then return raise("bad 'value' argument: non-empty table expected") end
  end
  before_change()
  name = A.header_name(A.tostring(name))
  local key = lower(name)
  if SINGLE[key] then return set_field(name, key, A.header_value(A.tostring(values[last]))) end
  for i = 1, last do add_field(name, A.header_value(A.tostring(values[i]))) end
end

local function clear_header(name)
  if name == nil then return end
  before_change()
  host.set_header(A.check_field(A.tostring(name), 'header name'), nil)
end

-- Candy's: cd.req.clear_header("user_agent") means User-Agent.
local function clear_header_mapped(name)
  if name == nil then return end
  before_change()
  host.set_header((gsub(A.check_field(A.tostring(name), 'header name'), '_', '-')), nil)
end

-- ---------------------------------------------------------------------- the rest
local function raw_header(without_request_line)
  if without_request_line ~= nil and type(without_request_line) ~= 'boolean' then
    without_request_line = true
  end
  local head = host.raw_header()
  if not without_request_line then return head end
  local _, line_end = find(head, '\r\n', 1, true)
  return sub(head, line_end + 1)
end

local function install(I)
  local cd, ngx = I.cd, I.ngx
  cd.req, ngx.req = {}, {}
  local c, n = cd.req, ngx.req
  A.define(c, n, 'get_method', function() return (host.get_method()) end)
  A.define(c, n, 'set_method', set_method_for(A.methods.cd), set_method_for(A.methods.ngx))
  A.define(c, n, 'get_uri', get_uri)
  A.define(c, n, 'set_uri', set_uri_for(true, true), set_uri_for(false, false))
  A.define(c, n, 'set_uri_args', set_uri_args)
  A.define(c, n, 'get_headers', get_headers)
  A.define(c, n, 'set_header', A.set_request_header)
  A.define(c, n, 'clear_header', clear_header_mapped, clear_header)
  A.define(c, n, 'raw_header', raw_header)
  A.define(c, n, 'is_internal', function() return (host.is_internal()) end)
  A.define(c, n, 'start_time', function() return (host.start_time()) end)
  A.define(c, n, 'http_version', function() return (host.http_version()) end)
  cd.get_headers = A.method(get_headers, cd, ngx)
end

return {install = install}
