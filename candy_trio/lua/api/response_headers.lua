-- cd.header, cd.status, cd.headers_sent, cd.resp: the head of the response.
--
-- The head lives in the record until it is handed over: R.fields maps the lower-case name to
-- {name as sent, value, ...}, R.names keeps their order. R.sent says that the head can no longer
-- be changed as far as the script can see; R.begun that the host has it.

local K, host, A = ...

local next, rawget, rawset, setmetatable, tonumber, type = next, rawget, rawset, setmetatable, tonumber, type
local concat = table.concat
local gmatch, gsub, lower, sub = string.gmatch, string.gsub, string.lower, string.sub
local S, raise = A.S, A.raise

-- Fields of which a response has one: the last element of a table wins.
local SINGLE = {
  ['content-type'] = true, ['content-length'] = true, ['content-encoding'] = true, location = true,
  server = true, date = true, ['last-modified'] = true, etag = true, expires = true,
  ['content-range'] = true, ['accept-ranges'] = true, ['www-authenticate'] = true, refresh = true,
}
-- Framing is the server's: these never go out as the script wrote them.
local FRAMING = {['content-length'] = true, ['transfer-encoding'] = true, connection = true}
-- An error page has a type of its own, too, and what tells of the content that it stands for goes.
local OF_PAGE = {
  ['content-length'] = true, ['transfer-encoding'] = true, connection = true,
  ['content-type'] = true, ['last-modified'] = true, etag = true, ['accept-ranges'] = true,
}
-- A 204 has no type, whatever the script says.
local NO_CONTENT = {
  ['content-length'] = true, ['transfer-encoding'] = true, connection = true, ['content-type'] = true,
}
-- What the server adds by itself: a line without a value tells it not to.
local ADDED = {server = 'Server', date = 'Date'}
local NOTHING = {}

local function key_of(R, name)
  name = A.check_field(A.tostring(name), 'header name')
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

local MAX_HEAD = 2 ^ 18       -- bytes of all fields: nobody takes as many
local LINE = 32               -- bytes that a line counts for beside its name and value

-- Counts a field that is to take the place of `old`.
local function weigh(R, old, field)
  local weight = 0
  for i = 2, #field do weight = weight + #field[1] + #field[i] + LINE end
  local total = (R.head_size or 0) + weight - (old and old.weight or 0)
  if total > MAX_HEAD then return raise('response headers of more than 262144 bytes') end
  field.weight, R.head_size = weight, total
end

local function remove(R, key)
  local fields = R.fields
  local old = fields and fields[key]
  if old and old.weight then R.head_size = R.head_size - old.weight end
  if key == 'content-type' then
    fields, R.untyped = fields_of(R), true      -- the route's default goes as well
  elseif ADDED[key] then
    fields, R.omits = fields_of(R), R.omits or {}
    R.omits[key] = true
  end
  if fields then fields[key] = nil end
end

-- Elements up to the first nil; empty ones make no line, and take back those before them where
-- there can be one only.
local function add_values(field, values, single)
  local i, n = 1, #field
  while values[i] ~= nil do
    local value = A.header_value(A.tostring(values[i]))
    if single then n = 1 end
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
  local old = R.fields and R.fields[key]
  local field = {old and old[1] or A.header_name(shown)}      -- the spelling of the first who set it
  if type(value) == 'table' then
    if add_values(field, value, SINGLE[key]) == 1 then return remove(R, key) end
  else
    field[2] = A.header_value(A.tostring(value))
  end
  if key == 'content-length' and not A.is_length(field[2]) then
    return raise('failed to set header')
  end
  local fields = fields_of(R)
  weigh(R, old, field)
  if not old then R.names[#R.names + 1] = key end
  if key == 'content-type' then
    field[1], R.untyped = 'Content-Type', nil
  elseif ADDED[key] and R.omits then
    R.omits[key] = nil
  end
  fields[key] = field
end

local function sent_error(what)
  return host.log(4, 'attempt to set ' .. what .. ' after sending out response headers')
end

-- nginx keeps the time of a Last-Modified and not its text.
local function as_date(text)
  local time = host.parse_http_time(text)
  return time and (host.http_time(time))
end

-- ngx.resp.add_header of the module ngx.resp: a field that may stand only once is replaced.
function A.add_response_header(name, value)
  local R = S.R
  if R.sent then return sent_error('ngx.header.HEADER') end
  if value == nil then return raise('invalid header value') end
  local key = key_of(R, name)
  local field = R.fields and R.fields[key]
  if not field or SINGLE[key] then
    if type(value) == 'table' and value[1] == nil then return end
    return set(R, name, value)
  end
  local longer = {}
  for i = 1, #field do longer[i] = field[i] end
  add_values(longer, type(value) == 'table' and value or {value})
  weigh(R, field, longer)
  R.fields[key] = longer
end

local function new_header()
  return setmetatable({}, {
    __index = function(_, name)
      local R = S.R
      local key = key_of(R, name)
      local field = R.fields and R.fields[key]
      if not field then
        if key == 'content-type' and R.sent and not R.untyped then return R.route.default_type end
        return nil
      end
      if #field == 2 then
        if key == 'last-modified' then return as_date(field[2]) end
        return field[2]
      end
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
  for key in next, R.omits or NOTHING do
    out[n + 1], out[n + 2], out[n + 3] = ADDED[key], sub(colon, 1, 1), ending
    n = n + 3
  end
  return concat(out, '', 1, n)
end

-- ---------------------------------------------------------------------- the variables of a head not yet sent
-- Of these nginx joins the lines; of others it knows the first.
local JOINED = {['cache-control'] = true, link = true}

-- $sent_http_NAME, nil where there is none.
local function sent_variable(R, name)
  local key = lower((gsub(name, '_', '-')))
  if key == 'connection' then return host.keeps_alive() and 'keep-alive' or 'close' end
  if key == 'keep-alive' then return nil end
  local field = R.fields and R.fields[key]
  if key == 'transfer-encoding' then
    local chunked = R.sent and not R.http10 and not (R.fields and R.fields['content-length'])
    return chunked and 'chunked' or nil
  end
  if field then return JOINED[key] and concat(field, ', ', 2) or field[2] end
  if key == 'content-type' and R.sent and not R.untyped then return R.route.default_type end
  return nil
end

-- ---------------------------------------------------------------------- the block for the host
-- Every line but those of framing; `page` leaves the type to an error page.
local function header_lines(R, page)
  local fields, status = R.fields, R.status
  local untyped = R.untyped or status == 204 or status == 304
  if not fields then return (page or untyped) and '' or R.route.default_lines end
  local length, connection = fields['content-length'], fields.connection
  R.declared_length = length and tonumber(length[2])
  for i = 2, connection and #connection or 0 do
    if lower(connection[i]) == 'close' then host.close_after_response() end
  end
  if page or status == 204 then
    return append_fields(R, {}, 0, ': ', '\r\n', page and OF_PAGE or NO_CONTENT)
  end
  local out, n = {}, 0
  if not fields['content-type'] and not untyped and R.route.default_type then
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
    if value == '' then
      remove(R, key)
    elseif field then
      field[#field + 1] = value
    else
      names[#names + 1] = key
      fields[key] = {name, value}
    end
  end
  R.head_size = 0
  for _, field in next, fields do weigh(R, nil, field) end
end

-- ---------------------------------------------------------------------- status
local function status_number(value)
  local n = tonumber(value)
  if not n then return raise('bad status: number expected, got ' .. type(value)) end
  return n - n % 1
end

local function set_status(value)
  local R = S.R
  local status = status_number(value)
  if R.sent then return sent_error('ngx.status') end
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

-- Fields that are no lines of a script's own are counted and always there, in lower case even where
-- names are raw; of the script's own at least one is, a Connection beside the server's. Unlike
-- elsewhere a negative max is no limit.
local function get_headers(max, raw)
  local R = S.R
  max = type(max) == 'number' and max < 0 and 1 / 0 or A.check_max(max, 1, 'get_headers')
  local result, total = {}, 0
  local fields = R.fields or NOTHING
  local content_type = fields['content-type']
  content_type = content_type and content_type[2] or R.sent and not R.untyped and R.route.default_type
  if content_type then
    total = total + 1
    result['content-type'] = content_type
  end
  total = total + 1
  result.connection = host.keeps_alive() and 'keep-alive' or 'close'
  -- A head that a script believes sent says so, even if the host will know the length by then.
  if R.sent and not R.http10 and not fields['content-length'] then
    total = total + 1
    result['transfer-encoding'] = 'chunked'
  end
  local room = max - total
  if room < 1 then room = 1 end
  local names, done = R.names or NOTHING, {['content-type'] = true}
  for i = 1, #names do
    local key = names[i]
    local field = fields[key]
    if field and not done[key] then
      done[key] = true
      for j = 2, #field do
        total, room = total + 1, room - 1
        if room >= 0 then A.add_value(result, raw and field[1] or key, field[j]) end
      end
    end
  end
  if not raw then A.set_metatable(result, R.isolate.header_lookup) end
  if total > max then return result, 'truncated' end
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

return {
  install = install, header_lines = header_lines, dump = dump, restore = restore,
  sent_variable = sent_variable,
}
