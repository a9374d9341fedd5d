-- Ending a run (exit, redirect, exec), waiting (sleep), and what belongs to the request: ctx,
-- phase, null.

local K, host, A = ...

local select, type = select, type
local byte, char, find, format, match =
      string.byte, string.char, string.find, string.format, string.match
local S, raise = A.S, A.raise

local ERR, WARN = 4, 5      -- the host's levels

local function log_error(message) host.log(ERR, message) end

-- ---------------------------------------------------------------------- unsafe bytes in URIs
local PRINTABLE = {}
for code = 0, 255 do PRINTABLE[char(code)] = format('\\x%02X', code) end

local function printable(text) return A.pieces.replace(text, '[%c\127-\255"\\]', PRINTABLE) end

-- Refuses control bytes but TAB, as nginx does: `what` is "uri" or "redirect uri".
function A.check_safe_uri(uri, what, hint)
  A.check_field(uri, what)
  local at = A.pieces.find(uri, '[%z\1-\8\10-\31\127]')
  if not at then return end
  return raise(format('unsafe byte "0x%02x" in %s "%s"', byte(uri, at), what, printable(uri)) .. (hint or ''))
end

-- ---------------------------------------------------------------------- exit
-- Statuses that close the connection without an answer, also after the head.
A.SILENT = {[408] = true, [444] = true, [499] = true}

local function exit(status)
  local R = S.R
  status = A.check_number(status, 1, 'exit')
  status = status - status % 1
  if status == -2 or status == -4 then
    return raise("bad argument to 'ngx.exit': does not accept NGX_AGAIN or NGX_DONE")
  end
  if not (status <= 999) or (status < 0 and status ~= -1 and status ~= -5) then
    return raise("bad argument to 'ngx.exit': " .. A.number_text(status) .. ' is not a status')
  end
  if status >= 1 and status < 200 then
    log_error('attempt to exit with status ' .. A.number_text(status) .. ', answering 500')
  end
  if R.sent and status >= 300 and status ~= (R.status or 200) and not A.SILENT[status] then
    log_error('attempt to set status ' .. A.number_text(status) ..
              ' via ngx.exit after sending out the response status ' .. A.number_text(R.status or 200))
  end
  R.exit = status
  return K.finish()
end

-- ---------------------------------------------------------------------- redirect
local REDIRECTS = {[301] = true, [302] = true, [303] = true, [307] = true, [308] = true}

local function redirect_for(I)
  return function(...)
    local count = select('#', ...)
    if count < 1 or count > 2 then return raise('expecting one or two arguments') end
    local uri, status = ...
    uri = A.check_string(uri, 1, 'redirect')
    status = count == 1 and 302 or A.check_number(status, 2, 'redirect')
    status = status - status % 1
    if not REDIRECTS[status] then
      return raise('only ngx.HTTP_MOVED_TEMPORARILY, ngx.HTTP_MOVED_PERMANENTLY, ' ..
                   'ngx.HTTP_PERMANENT_REDIRECT, ngx.HTTP_SEE_OTHER, and ' ..
                   'ngx.HTTP_TEMPORARY_REDIRECT are allowed')
    end
    A.check_safe_uri(uri, 'redirect uri')
    local R = S.R
    if R.sent then return raise('attempt to call ngx.redirect after sending out the headers') end
    I.header['Location'] = uri
    -- What was printed and not yet sent makes room for the redirect's own page.
    R.out, R.n, R.size, R.printed = {}, 0, 0, false
    R.exit = status
    return K.finish()
  end
end

-- ---------------------------------------------------------------------- exec
-- The path of an internal redirect: decoded, and refused where it would leave the root, as nginx
-- does. It is not normalised.
local function safe_path(uri)
  local path = A.pieces.replace_escapes(uri, A.DECODED)
  if find(path, '\0', 1, true) or find(path .. '/', '/../', 1, true) or find(path, '^%.%./') then
    log_error('unsafe URI "' .. path .. '" was detected')
    return raise('unsafe uri')
  end
  return path
end

local function exec(...)
  local count = select('#', ...)
  if count < 1 or count > 2 then
    return raise('expecting one or two arguments, but got ' .. count)
  end
  local uri, args = ...
  uri = A.check_string(uri, 1, 'exec')
  if uri == '' then return raise('The uri argument is empty') end
  A.check_field(uri, 'uri')
  local text
  local kind = type(args)
  if kind == 'table' then
    text = A.encode_args(args)
  elseif kind == 'string' or kind == 'number' then
    text = A.text(args)
  elseif kind ~= 'nil' then
    return raise("bad argument #2 to 'exec' (string, number, or table expected, but got " .. kind .. ')')
  end
  if text then A.check_field(text, 'arguments') end
  local target, query = match(uri, '^([^?]*)%?(.*)$')
  target, text = target or uri, text or ''
  if query then text = text == '' and query or query .. '&' .. text end
  if byte(uri, 1) == 0x40 then
    -- A named location serves the request with the arguments it has.
    if text ~= '' then
      host.log(WARN, 'query strings ' .. text .. " ignored when exec'ing named location " .. target)
    end
    text = nil
  else
    target = safe_path(target)
  end
  local R = S.R
  if R.sent then return raise('attempt to call ngx.exec after sending out response headers') end
  R.jump, R.jump_args = target, text
  return K.finish()
end

-- Goes to another location from set_uri(uri, true).
function A.jump(uri, args)
  local R = S.R
  R.jump, R.jump_args = uri, args
  return K.finish()
end

-- ---------------------------------------------------------------------- sleep
local function sleep(...)
  local count = select('#', ...)
  if count ~= 1 then
    return raise('attempt to pass ' .. count .. ' arguments, but accepted 1')
  end
  local seconds = A.check_number((...), 1, 'sleep')
  -- Counted in milliseconds: less than one of them below 0 is 0.
  if not (seconds > -0.001) or seconds == 1 / 0 then
    return raise('invalid sleep duration "' .. A.number_text(seconds * 1000) .. '"')
  end
  A.wait('sleep', seconds > 0 and seconds or 0)
end

-- ---------------------------------------------------------------------- installation
local function install(I)
  local cd, ngx, properties, assignments = I.cd, I.ngx, I.properties, I.assignments
  local redirect = redirect_for(I)
  A.define(cd, ngx, 'exit', exit)
  A.define(cd, ngx, 'redirect', redirect)
  A.define(cd, ngx, 'exec', exec)
  A.define(cd, ngx, 'sleep', sleep)
  cd.req.exit = A.method(exit, cd.req, ngx.req)
  cd.req.sleep = A.method(sleep, cd.req, ngx.req)
  A.define(cd, ngx, 'get_phase', function() return 'content' end)
  cd.null, ngx.null = A.null, A.null

  function properties.ctx()
    local R = S.R
    local ctx = R.ctx
    if not ctx then
      ctx = {}
      R.ctx = ctx
    end
    return ctx
  end
  function assignments.ctx(value)
    if type(value) ~= 'table' then
      return raise('ctx should be a table while getting a ' .. type(value))
    end
    S.R.ctx = value
  end
  function properties.is_subrequest() return false end
end

return {install = install}
