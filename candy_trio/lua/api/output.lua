-- cd.print, say, flush, eof, send_headers: the body of the response.
--
-- Output gathers in R.out and crosses into the server once, at the end. Past HAND_OVER bytes, or
-- at a flush, head and parts are handed over by a callback: it queues and never waits, so that
-- say works in every place, comparators and metamethods included. Only flush(true) waits.

local K, host, A, headers = ...

local next, rawequal, select, type = next, rawequal, select, type
local concat, running, traceback = table.concat, coroutine.running, debug.traceback
local sub = string.sub
local entries = K.entries
local join, SIZE = A.pieces.join, A.pieces.SIZE
local S, raise, number_text, null = A.S, A.raise, A.number_text, A.null

local HAND_OVER = 65536      -- bytes: what one write to a socket takes at most anyway
local MAX_NESTING = 1000     -- tables in tables: one that holds itself has no end, and an error below
                             -- a stack full of calls takes long to tell where it was raised

-- ---------------------------------------------------------------------- handing over
-- To HTTP/1.0 the head goes last, with the length of the whole: nothing leaves before the end.
local function holds_all(R)
  return R.http10 and R.route.http10_buffering and not (R.fields and R.fields['content-length'])
end

local function begin(R)
  local lines = headers.header_lines(R)
  R.sent, R.begun = true, true
  R.status = host.begin_response(R.status or 200, lines, R.declared_length or R.whole)
end

-- Whether the run may go on: what its client does not take counts as its memory.
local function give(R)
  if not R.begun then begin(R) end
  local out, n, size = R.out, R.n, R.size
  R.out, R.n, R.size = {}, 0, 0
  if size == 0 then return true end
  if size <= SIZE then return host.write(concat(out, '', 1, n)) end
  local goes_on = true
  for i = 1, n do
    local text = out[i]
    for first = 1, #text, SIZE do
      if goes_on then goes_on = host.write(sub(text, first, first + SIZE - 1)) end
    end
  end
  return goes_on
end

local function hand_over(R)
  if not give(R) then
    local where = traceback()
    -- In a coroutine of the script's, or of pcall on 5.1: the run's own thread comes last.
    if not entries[running()] then where = where .. '\n' .. K.trace(S.T) end
    R.overflow = where
    return K.finish()
  end
end

-- ---------------------------------------------------------------------- values as text
-- The length of an array, holes counted; nil for any other table.
local function array_length(t)
  local n = 0
  for key in next, t do
    if type(key) ~= 'number' or key < 1 or key % 1 ~= 0 then
      return nil
    end
    if key > n then n = key end
  end
  return n
end

-- The text of what is no table; nil for what can't be said at all.
local function scalar(value, kind)
  if kind == 'string' then return value end
  if kind == 'number' then return value == 0 and '0' or number_text(value) end      -- -0 as well
  if kind == 'nil' then return 'nil' end
  if kind == 'boolean' then return value and 'true' or 'false' end
  if rawequal(value, null) then return 'null' end
  return nil
end

local function flatten(out, n, t, position, name, depth)
  if depth > MAX_NESTING then
    return raise('bad argument #' .. position .. " to '" .. name .. "' (table nests too deep)")
  end
  local length = array_length(t)
  if not length then
    return raise('bad argument #' .. position .. " to '" .. name .. "' (non-array table found)")
  end
  for i = 1, length do
    local value = t[i]
    local kind = type(value)
    local text = scalar(value, kind)
    if text then
      n = n + 1
      out[n] = text
    elseif kind == 'table' then
      n = flatten(out, n, value, position, name, depth + 1)
    else
      return raise('bad argument #' .. position .. " to '" .. name ..
                   "' (bad data type " .. kind .. ' found)')
    end
  end
  return n
end

local function piece(value, position, name)
  local kind = type(value)
  local text = scalar(value, kind)
  if text then return text end
  if kind == 'table' then
    local out = {}
    return join(out, flatten(out, 0, value, position, name, 1))
  end
  return raise('bad argument #' .. position .. " to '" .. name ..
               "' (string, number, boolean, nil, ngx.null, or array table expected, but got " .. kind .. ')')
end

-- ---------------------------------------------------------------------- print and say
local function append(R, text)
  local n = R.n + 1
  R.out[n], R.n = text, n
  local size = R.size + #text
  R.size, R.printed = size, true
  if size >= HAND_OVER and not holds_all(R) then hand_over(R) end
end

local function append_all(R, name, ...)
  local count = select('#', ...)
  if count == 1 then
    return append(R, (piece((...), 1, name)))
  end
  local pieces = {...}
  for i = 1, count do pieces[i] = piece(pieces[i], i, name) end
  return append(R, join(pieces, count))
end

-- Whether this response has no body, whatever is said.
local function header_only(R) return R.head_only or R.status == 204 or R.status == 304 end

-- Why nothing more is taken: a response without a body counts as ended once it was begun.
local function refusal(R) return header_only(R) and 'header only' or 'seen eof' end

local function writer(own, other, freezes, name, newline)
  local function write(...)
    local R = S.R
    if R.eof then return nil, refusal(R) end
    local repeated = R.printed or R.sent
    append_all(R, name, ...)
    if newline then append(R, newline) end
    if freezes then
      -- Where all is held back the head may still change, but not by exit.
      if R.http10 and holds_all(R) then R.held = true else R.sent = true end
    end
    -- Counted all the same: a HEAD's Content-Length is that of its GET (RFC 9110 §9.3.2).
    if repeated and header_only(R) then return nil, 'header only' end
    return 1
  end
  local function without_first(_, ...) return write(...) end
  return function(...)
    local first = ...
    if rawequal(first, own) or rawequal(first, other) then return without_first(...) end
    return write(...)
  end
end

-- ---------------------------------------------------------------------- flush, eof, send_headers
local function flush(...)
  local count = select('#', ...)
  if count > 1 then
    return raise('attempt to pass ' .. count .. ' arguments, but accepted 0 or 1')
  end
  local wait = ...
  A.check_boolean(wait, 1, 'flush', count)
  local R = S.R
  if R.eof then return nil, refusal(R) end
  if not R.sent and not R.printed then return nil, 'nothing to flush' end
  if R.head_only then
    hand_over(R)
    return nil, 'header only'
  end
  if holds_all(R) then return nil, 'buffering' end
  hand_over(R)
  if wait and A.wait('flush') == false then return nil, 'client aborted' end
  return 1
end

local function eof(...)
  if select('#', ...) > 0 then return raise('no argument is expected') end
  local R = S.R
  if R.eof then return nil, 'seen eof' end
  if holds_all(R) and not R.begun then R.whole = R.size end
  hand_over(R)
  R.eof = true
  host.end_response()
  if R.printed and header_only(R) then return nil, 'seen eof' end
  return 1
end

local function send_headers()
  local R = S.R
  R.sent = true
  return 1
end

local function install(I)
  local cd, ngx = I.cd, I.ngx
  for _, area in next, {{cd, ngx}, {cd.req, ngx.req}} do
    local own, other = area[1], area[2]
    own.print = writer(own, other, false, 'print')
    own.say = writer(own, other, false, 'say', '\n')
  end
  ngx.print = writer(cd, ngx, true, 'print')
  ngx.say = writer(cd, ngx, true, 'say', '\n')
  A.define(cd, ngx, 'flush', flush)
  A.define(cd, ngx, 'eof', eof)
  A.define(cd, ngx, 'send_headers', send_headers)
  cd.req.flush = A.method(flush, cd.req, ngx.req)
  cd.req.eof = A.method(eof, cd.req, ngx.req)
end

return {install = install, give = give}
