-- cd.header, cd.status, cd.headers_sent, cd.resp: the head of the response.
--
-- The head lives in the record until it is handed over: R.fields maps the lower-case name to
-- {name as sent, value, ...}, R.names keeps their order. R.sent says that the head can no longer
-- be changed as far as the script can see; R.begun that the host has it.

local K, host, A = ...

local rawget, rawset, setmetatable, tonumber, type = rawget, rawset, setmetatable, tonumber, type
local byte, concat, find, format, gsub, lower = string.byte, table.concat, string.find, string.format, string.gsub, string.lower
local gmatch = string.gmatch
local S, raise = A.S, A.raise

-- Fields of which a response has one: the last element of a table wins.
local SINGLE = {
  ['content-type'] = true, ['content-length'] = true, ['content-encoding'] = true, location = true,
  server = true, date = true, ['last-modified'] = true, etag = true, expires = true,
  ['content-range'] = true, ['accept-ranges'] = true, connection = true, ['www-authenticate'] = true,
  refresh = true, ['transfer-encoding'] = true,
}
-- Framing is the server's: these never go out as the script wrote them.
local FRAMING = {['content-length'] = true, ['transfer-encoding'] = true, connection = true}
-- An error page has a type of its own, too.
local OF_PAGE = {['content-length'] = true, ['transfer-encoding'] = true, connection = true, ['content-type'] = true}
local NOTHING = {}

local MAX_LENGTH_DIGITS = 18      -- of a Content-Length: more than any file, and less than 2^63

local function hex(c) return format('%%%02X', byte(c)) end

local function safe_name(name)
  return (gsub(name, '[%c "(),/:;<=>?@%[\\%]{}\128-\255]', hex))
end

local function safe_value(value)
  if not find(value, '%c') then return value end
  return (gsub(value, '[%z\1-\8\10-\31\127]', hex))
end

local function key_of(R, name)
  name = A.tostring(name)
  if R.route.underscores then name = gsub(name, '_', '-') end
  return lower(name), name
end

-- ---------------------------------------------------------------------- writing
local function fields_of(R)
  local fields = R.fields
  if not fields then
    fields = {}
    R.fields, R.names = fields, {}
  end
  return fields
end

local function remove(R, key)
  local fields = R.fields
  if key == 'content-type' then
    fields, R.untyped = fields_of(R), true      -- the route's default goes as well
  end
  if fields then fields[key] = nil end
end

-- Elements up to the first nil; empty ones make no line.
local function add_values(field, values)
  local i, n = 1, 1
  while values[i] ~= nil do
    local value = safe_value(A.tostring(values[i]))
    if value ~= '' then
      n = n + 1
      field[n] = value
    end
    i = i + 1
  end
  return n
end

local function set(R, name, value)
  local key, shown = key_of(R, name)
  if value == nil or value == '' or key == '' then return remove(R, key) end
  local field
  if type(value) == 'table' then
    field = {safe_name(shown)}
    local n = add_values(field, value)
    if n == 1 then return remove(R, key) end
    if SINGLE[key] then field = {field[1], field[n]} end
  else
    field = {safe_name(shown), safe_value(A.tostring(value))}
  end
  if key == 'content-length' and (#field[2] > MAX_LENGTH_DIGITS or not find(field[2], '^%d+$')) then
    return raise('failed to set header')
  end
  local fields = fields_of(R)
  if fields[key] == nil then R.names[#R.names + 1] = key end
  if key == 'content-type' then field[1], R.untyped = 'Content-Type', nil end
  fields[key] = field
end

local function sent_error(what)
  return host.log(4, 'attempt to set ' .. what .. ' after sending out response headers')
end

local function new_header()
  return setmetatable({}, {
    __index = function(_, name)
      local R = S.R
      local field = R.fields and R.fields[(key_of(R, name))]
      if not field then
        if R.sent and not R.untyped and key_of(R, name) == 'content-type' then
          return R.route.default_type
        end
        return nil
      end
      if #field == 2 then return field[2] end
      local values = {}
      for i = 2, #field do values[i - 1] = field[i] end
      return values
    end,
    __newindex = function(_, name, value)
      local R = S.R
      if R.sent then return sent_error('ngx.header.HEADER') end
      return set(R, name, value)
    end,
    __metatable = false,
  })
end

-- Appends the fields but those that `hidden` names to out[1..n], each line with `colon` and `ending`.
local function append_fields(R, out, n, colon, ending, hidden)
  local fields, names, done = R.fields, R.names, {}
  for i = 1, #names do
    local key = names[i]
    local field = fields[key]
    -- A name that was removed and set again stands in the list twice.
    if field and not done[key] and not hidden[key] then
      done[key] = true
      for j = 2, #field do
        out[n + 1], out[n + 2], out[n + 3], out[n + 4] = field[1], colon, field[j], ending
        n = n + 4
      end
    end
  end
  return concat(out, '', 1, n)
end

-- ---------------------------------------------------------------------- the block for the host
-- Every line but those of framing; `page` leaves the type to an error page.
local function header_lines(R, page)
  local fields, status = R.fields, R.status
  -- What has no body has no type, unless the script says so.
  if (status == 204 or status == 304) and not (fields and fields['content-type']) then
    R.untyped = true
  end
  if not fields then return (page or R.untyped) and '' or R.route.default_lines end
  local length, connection = fields['content-length'], fields.connection
  R.declared_length = length and tonumber(length[2])
  if connection and lower(connection[2]) == 'close' then host.close_after_response() end
  if page then return append_fields(R, {}, 0, ': ', '\r\n', OF_PAGE) end
  local out, n = {}, 0
  if not fields['content-type'] and not R.untyped and R.route.default_type then
    out[1], n = R.route.default_lines, 1
  end
  return append_fields(R, out, n, ': ', '\r\n', FRAMING)
end

-- ---------------------------------------------------------------------- internal redirects
-- All lines as one text: the head as set so far goes on with the request, into another VM too.
local function dump(R)
  if not R.fields then return '' end
  return append_fields(R, {}, 0, ':', '\n', NOTHING)
end

-- Names and values are escaped already: neither holds a newline, nor a name a colon.
local function restore(R, status, lines, untyped)
  R.status, R.untyped = status, untyped or nil
  local fields, names = fields_of(R), R.names
  for name, value in gmatch(lines, '([^\n:]*):([^\n]*)\n') do
    local key = lower(name)
    local field = fields[key]
    if field then
      field[#field + 1] = value
    else
      names[#names + 1] = key
      fields[key] = {name, value}
    end
  end
end

-- ---------------------------------------------------------------------- status
local function status_number(value)
  local n = tonumber(value)
  if not n then return raise('bad status: number expected, got ' .. type(value)) end
  return n - n % 1
end

local function set_status(value)
  local R = S.R
  if R.sent then
    return sent_error('ngx.status')
  end
  local status = status_number(value)
  if status == 0 then
    R.status = nil
    return
  end
  -- One below 200 would be no final response (RFC 9110 §15.2): the client would wait for ever.
  if not (status >= 200 and status <= 999) then
    return raise('bad status: ' .. status .. ' (200 to 999)')
  end
  R.status = status
end

-- ---------------------------------------------------------------------- resp.get_headers
-- Finds User_Agent and user-agent alike in a table of headers.
local function find_header(t, name)
  if type(name) ~= 'string' then return nil end
  return rawget(t, (gsub(lower(name), '_', '-')))
end

local function get_headers(max, raw)
  local R = S.R
  max = A.check_max(max, 1, 'get_headers')
  local result, count = {}, 0
  local function put(key, shown, value)
    if count >= max then return false end
    count = count + 1
    A.add_value(result, raw and shown or key, value)
    return true
  end
  local fields, complete = R.fields or {}, true
  if not fields['content-type'] and R.sent and not R.untyped and R.route.default_type then
    complete = put('content-type', 'Content-Type', R.route.default_type)
  end
  local names, done = R.names or {}, {}
  for i = 1, #names do
    local key = names[i]
    local field = fields[key]
    if field and not done[key] then
      done[key] = true
      for j = 2, #field do
        if complete then complete = put(key, field[1], field[j]) end
      end
    end
  end
  if complete and not fields.connection then
    complete = put('connection', 'Connection', host.keeps_alive() and 'keep-alive' or 'close')
  end
  -- A head that a script believes sent says so, even if the host will know the length by then.
  if complete and R.sent and not R.http10 and not fields['content-length'] then
    complete = put('transfer-encoding', 'Transfer-Encoding', 'chunked')
  end
  if not raw then setmetatable(result, R.isolate.header_lookup) end
  if not complete then return result, 'truncated' end
  return result
end

-- ---------------------------------------------------------------------- installation
local function install(I)
  local cd, ngx = I.cd, I.ngx
  -- Scripts reach it by getmetatable, as in OpenResty: so each isolate has its own.
  I.header_lookup = {__index = find_header}
  I.header = new_header()
  cd.header, ngx.header = I.header, I.header
  cd.resp, ngx.resp = {}, {}
  A.define(cd.resp, ngx.resp, 'get_headers', get_headers)
  -- Candy's flat name sets a header of the response.
  cd.set_header = A.method(function(name, value) I.header[name] = value end, cd, ngx)

  I.properties = {}       -- what cd.X reads by a function
  I.assignments = {}      -- what cd.X = v calls
  local properties, assignments = I.properties, I.assignments
  properties.headers_sent = function() return S.R.sent == true end
  assignments.status = set_status

  local function view(t, unset_status)
    setmetatable(t, {
      __index = function(_, name)
        if name == 'status' then
          local R = S.R
          return R.status or (R.sent and 200) or unset_status
        end
        local read = properties[name]
        if read then return read() end
        return nil
      end,
      __newindex = function(own, name, value)
        local write = assignments[name]
        if write then return write(value) end
        rawset(own, name, value)
      end,
      __metatable = false,
    })
  end
  view(cd, 200)
  view(ngx, 0)
end

return {install = install, header_lines = header_lines, set = set, dump = dump, restore = restore}
