-- C functions that call Lua, for scripts: they recurse to a limit instead of the stack's end.
--
-- On LuaJIT each of them takes C stack without any limit; on 5.1 only the pattern matcher does.
-- The callback is counted, not the call: so the C function is tail-called, and its errors keep
-- the script's position.

local K = ...

local getmetatable, select, type = getmetatable, select, type
local S, raise, MAX_DEPTH = K.S, K.raise, K.max_depth

local MAX_PATTERN = 8192    -- bytes of a pattern on 5.1, whose matcher recurses once for each "?",
                            -- "*" or "-" without a limit: half a megabyte of C stack

local nested = {}

if K.is_jit then
  local native_gsub = string.gsub

  local function uncount(mark, ...)
    S.depth = mark
    return ...
  end
  local function counted(f)
    return function(...)
      local mark = S.depth
      if mark >= MAX_DEPTH then return raise('C stack overflow') end
      S.depth = mark + 1
      return uncount(mark, f(...))
    end
  end

  function nested.gsub(s, pattern, replacement, ...)
    local kind = type(replacement)
    if kind == 'function' then
      return native_gsub(s, pattern, counted(replacement), ...)
    elseif kind == 'table' and getmetatable(replacement) ~= nil then
      return native_gsub(s, pattern, counted(function(key) return replacement[key] end), ...)
    end
    return native_gsub(s, pattern, replacement, ...)
  end
end

if K.is_51 then
  -- Their names are what the native functions' errors tell.
  local find, match, gmatch, gsub = string.find, string.match, string.gmatch, string.gsub
  local function check(pattern)
    if type(pattern) == 'string' and #pattern > MAX_PATTERN then raise('pattern too complex') end
  end
  function nested.match(...)
    check((select(2, ...)))
    return match(...)
  end
  function nested.gmatch(...)
    check((select(2, ...)))
    return gmatch(...)
  end
  function nested.gsub(...)
    check((select(2, ...)))
    return gsub(...)
  end
  nested.gfind = nested.gmatch
  function nested.find(...)
    local _, pattern, _, plain = ...
    if not plain then check(pattern) end
    return find(...)
  end
end

K.nested = nested
