-- cd.log, ngx.log, print, candy.log.

local K, host, A = ...

local getinfo = debug.getinfo
local getmetatable, rawequal, rawget, select, tostring, type = getmetatable, rawequal, rawget, select, tostring, type
local concat, match, sub = table.concat, string.match, string.sub
local S, raise, number_text, null = A.S, A.raise, A.number_text, A.null

local MAX_LINE = 2048       -- bytes of one message, as nginx's error log cuts them
local NOTICE, INFO = 6, 7
local THRESHOLD = host.log_threshold()

-- "file.lua:12: fname(): " of the script's function that logs.
local function place()
  local level = 2
  while true do
    local info = getinfo(level, 'nSl')
    if not info then return '' end
    if info.what == 'C' then return '[C]:-1: ' end
    if info.currentline > 0 and sub(info.short_src, 1, 6) ~= '[candy' then
      local name = match(info.short_src, '([^/]*)$')
      -- The script itself is a function only because of our factory: a main chunk to its reader.
      local in_main = info.what == 'main' or info.linedefined <= 1 and info.name == nil
      local caller = ''
      if not in_main and info.name then caller = info.name .. '(): ' end
      return name .. ':' .. info.currentline .. ': ' .. caller
    end
    level = level + 1
  end
end

local function text_of(value)
  local kind = type(value)
  if kind == 'string' then return value end
  if kind == 'number' then return number_text(value) end
  if kind == 'nil' or kind == 'boolean' then return tostring(value) end
  if rawequal(value, null) then return 'null' end
  if kind == 'table' then
    local meta = getmetatable(value)
    if type(meta) ~= 'table' or rawget(meta, '__tostring') == nil then
      return raise("bad argument #1 to 'log' (expected table to have __tostring metamethod)")
    end
    return tostring(value)
  end
  return raise("bad argument #1 to 'log' (string, number, boolean, or nil expected, got " .. kind .. ')')
end

local function write(level, ...)
  if level > THRESHOLD then return end
  local n = select('#', ...)
  local parts = {...}
  for i = 1, n do parts[i] = text_of(parts[i]) end
  local message = '[lua] ' .. place() .. concat(parts, '', 1, n)
  if #message > MAX_LINE then message = sub(message, 1, MAX_LINE) end
  host.log(level, message)
end

local function log_ngx(...)
  local level = ...
  if type(level) ~= 'number' and not (type(level) == 'string' and tonumber(level)) then
    return A.bad_argument(1, 'log', 'number', level, select('#', ...))
  end
  level = tonumber(level)
  level = level - level % 1
  if level < 0 or level > 8 then
    return raise("bad argument #1 to 'log' (bad log level: " .. number_text(level) .. ')')
  end
  return write(level, select(2, ...))
end

-- Candy's levels are bits; an unknown one logs at INFO.
local CANDY_LEVELS = {[1] = 0, [2] = 1, [4] = 2, [8] = 3, [16] = 4, [32] = 5, [64] = 6, [128] = 7, [255] = 8}

local function log_cd(...)
  local level = ...
  if type(level) ~= 'number' then
    return A.bad_argument(1, 'log', 'number', level, select('#', ...))
  end
  return write(CANDY_LEVELS[level] or INFO, select(2, ...))
end

local function install(I, env)
  local cd, ngx = I.cd, I.ngx
  A.define(cd, ngx, 'log', log_cd, log_ngx)
  cd.req.log = A.method(log_cd, cd.req, ngx.req)
  I.candy.log = A.method(function(...) return write(INFO, ...) end, I.candy, I.candy)
  env.print = function(...) return write(NOTICE, ...) end
end

return {install = install}
