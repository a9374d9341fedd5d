-- cd.log, ngx.log, print, candy.log.

local K, host, A = ...

local getinfo = debug.getinfo
local getmetatable, rawequal, rawget, select, tonumber, tostring, type =
      getmetatable, rawequal, rawget, select, tonumber, tostring, type
local concat, match, sub = table.concat, string.match, string.sub
local raise, number_text, null = A.raise, A.number_text, A.null

local MAX_LINE = 2048       -- bytes of one message, as nginx's error log cuts them
local NOTICE, INFO, DEBUG = 6, 7, 8
local THRESHOLD = host.log_threshold()

-- Whether the function at `level` of our caller is one of ours, or there is none.
local function is_ours(level)
  local info = getinfo(level + 1, 'S')
  return not info or sub(info.short_src, 1, 6) == '[candy'
end

-- "file.lua:12: fname(): " of the script's function that logs. Lua tells a function's name from the
-- code that calls it: where that is ours (the script itself, a coroutine) it has none. Where C or
-- nothing is left below us there is no place.
local function place()
  local level = 2
  while true do
    local info = getinfo(level, 'nSl')
    if not info or info.what == 'C' then return '[C]:-1: ' end
    if info.currentline > 0 and sub(info.short_src, 1, 6) ~= '[candy' then
      local where = match(info.source, '^@.-([^/]*)$') or info.short_src
      where = where .. ':' .. info.currentline .. ': '
      local name, kind = info.name, info.namewhat
      if not name or name == '?' or info.what == 'main' or kind == 'for iterator' or is_ours(level + 1) then
        return where
      end
      -- 5.3 and newer name a metamethod without its underscores.
      if kind == 'metamethod' and sub(name, 1, 2) ~= '__' then name = '__' .. name end
      return where .. name .. '(): '
    end
    level = level + 1
  end
end

local function text_of(value, position, function_name)
  local kind = type(value)
  if kind == 'string' then return value end
  if kind == 'number' then return value == 0 and '0' or number_text(value) end      -- -0 as well
  if kind == 'nil' or kind == 'boolean' then return tostring(value) end
  if rawequal(value, null) then return 'null' end
  local problem
  if kind == 'table' then
    local meta = getmetatable(value)
    -- Its name is what a traceback shows.
    local __tostring = type(meta) == 'table' and rawget(meta, '__tostring')
    if __tostring then
      local text = __tostring(value)
      if type(text) == 'string' then return text end
      if type(text) == 'number' then return number_text(text) end
      return ''
    end
    problem = 'expected table to have __tostring metamethod'
  else
    problem = 'string, number, boolean, or nil expected, got ' .. kind
  end
  return raise('bad argument #' .. position .. " to '" .. function_name .. "' (" .. problem .. ')')
end

local function write(function_name, level, ...)
  if level > THRESHOLD then return end
  local n, parts = select('#', ...), {...}
  local m, size = 0, 0        -- of what fits into a line; the rest is looked at for its mistakes
  for i = 1, n do
    local text = text_of(parts[i], i, function_name)
    if size < MAX_LINE then
      if #text > MAX_LINE then text = sub(text, 1, MAX_LINE) end
      m, size = m + 1, size + #text
      parts[m] = text
    end
  end
  local message = '[lua] ' .. place() .. concat(parts, '', 1, m)
  if #message > MAX_LINE then message = sub(message, 1, MAX_LINE) end
  host.log(level, message)
end

local function level_of(level, count)
  local n = type(level) ~= 'boolean' and tonumber(level)
  if not n then return A.bad_argument(1, 'log', 'number', level, count) end
  return n
end

local function log_ngx(...)
  local level = level_of((...), select('#', ...))
  if level > 0 then level = level - level % 1 end
  if not (level >= 0 and level <= DEBUG) then
    return raise("bad argument #1 to 'log' (bad log level: " .. number_text(level) .. ')')
  end
  return write('log', level, select(2, ...))
end

-- Candy's levels are bits; an unknown one logs at INFO.
local CANDY_LEVELS = {[1] = 0, [2] = 1, [4] = 2, [8] = 3, [16] = 4, [32] = 5, [64] = 6, [128] = 7, [255] = 8}

local function log_cd(...)
  local level = level_of((...), select('#', ...))
  return write('log', CANDY_LEVELS[level] or INFO, select(2, ...))
end

local function install(I, env)
  local cd, ngx = I.cd, I.ngx
  A.define(cd, ngx, 'log', log_cd, log_ngx)
  cd.req.log = A.method(log_cd, cd.req, ngx.req)
  I.candy.log = A.method(function(...) return write('log', INFO, ...) end, I.candy, I.candy)
  env.print = function(...) return write('print', NOTICE, ...) end
end

return {install = install}
