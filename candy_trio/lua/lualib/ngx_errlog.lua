-- ngx.errlog: writing to the error log as it is, and asking for its level. Capturing lines needs
-- lua_capture_error_log, which this server has not: what it needs answers as OpenResty without it.

local K, host, A = ...

local sub, type = string.sub, type
local raise = A.raise

local NO_CAPTURE = 'missing the capture error log patch for nginx'
local MAX_LEVEL = 8            -- DEBUG
local MAX_LINE = 2048          -- bytes of one message, as nginx's error log cuts them
local THRESHOLD = host.log_threshold()

-- Without "[lua]" and the place, which ngx.log puts before a message.
local function raw_log(level, message)
  if type(level) ~= 'number' then return raise("bad argument #1 to 'raw_log' (must be a number)") end
  if type(message) ~= 'string' then return raise("bad argument #2 to 'raw_log' (must be a string)") end
  if not (level > -1 and level < MAX_LEVEL + 1) then return raise('bad log level') end
  level = level < 0 and 0 or level - level % 1
  if level <= THRESHOLD then host.log(level, sub(message, 1, MAX_LINE)) end
end

local function get_sys_filter_level() return THRESHOLD end

local function set_filter_level(level)
  if not level then return nil, 'missing "level" argument' end
  return nil, NO_CAPTURE
end

-- With a `max` of 0 nothing is looked for, so nothing is missed.
local function get_logs(max, into)
  max = A.check_number(max or 10, 1, 'get_logs')
  if max >= 1 then return nil, NO_CAPTURE end
  return into or {}
end

local M = {}

M['ngx.errlog'] = function()
  return {
    version = A.core_version, raw_log = raw_log, get_sys_filter_level = get_sys_filter_level,
    set_filter_level = set_filter_level, get_logs = get_logs,
  }
end

return M
