-- gsub for scripts, see patterns.lua.

local K = ...

local P, S, plain_find, strings, raise = K.patterns, K.search, K.plain_find, K.library.string, K.raise
local as_text, checked, pass = P.as_text, P.checked, P.pass
local plan_of, search, note_gsub, quick, UNFINISHED =
      S.plan_of, S.search, S.note_gsub, S.quick, S.UNFINISHED
local byte, find, sub = string.byte, string.find, string.sub
local native_gsub = string.gsub
local concat, floor, huge = table.concat, math.floor, math.huge
local getmetatable, next, pcall, select, tonumber, type =
      debug.getmetatable or getmetatable, next, pcall, select, tonumber, type

-- What engines differ in.
local NO_EMPTY_AFTER = P.NO_EMPTY_AFTER              -- a match, there is no empty one right there
local IS_STRICT = not pcall(native_gsub, 'a', 'a', '%x')        -- with what follows a "%"
local NAMES_INDEX = math.type ~= nil                 -- of a capture that there is not

local MAX_OUTPUT = 2 ^ 20   -- bytes that a native gsub may put in
local MAX_VALUES = 16       -- of a table that are looked at before a native gsub gets it
local MAX_VALUE = 64        -- bytes of each
local MAX_PIECES = 512      -- of the result before they are put together
local MAX_COUNT = 2 ^ 31    -- of matches to replace: what every engine takes

local PERCENT, ZERO, NINE = byte('%09', 1, -1)

-- How many matches `n` lets gsub replace; the native function has taken it already.
local function most(n)
  if n == nil then return huge end
  if type(n) == 'number' and n % 1 == 0 and n >= 0 and n < MAX_COUNT then return n end
  local _, count = native_gsub('a', '', '', n)
  if count < 2 then return count end
  n = tonumber(n)
  return n >= 2 and n < MAX_COUNT and floor(n) or huge
end

-- ---------------------------------------------------------------------- replacements
-- Whether native gsub may have this replacement for a subject of `size` bytes: what it puts in is
-- bounded, it calls nothing, and raises nothing with a pattern of so many captures.
local function is_short(replacement, size, captures)
  local kind = type(replacement)
  if kind == 'string' then
    local top = quick.replacement[replacement]
    return top and (top <= captures or top == 1) and size * #replacement <= MAX_OUTPUT
  end
  if kind ~= 'table' or getmetatable(replacement) ~= nil or size * MAX_VALUE > MAX_OUTPUT then return false end
  local count, key, value = 0, next(replacement)
  while key ~= nil do
    count = count + 1
    if count > MAX_VALUES or type(value) ~= 'string' or #value > MAX_VALUE then return false end
    key, value = next(replacement, key)
  end
  return true
end

-- A replacement's parts: text, numbers of captures, and tables with the message of an error.
local function parts_of(replacement)
  local parts, at = {}, 1
  while true do
    local percent = plain_find(replacement, '%', at)
    if not percent then break end
    if percent > at then parts[#parts + 1] = sub(replacement, at, percent - 1) end
    local code = byte(replacement, percent + 1)
    if code and code >= ZERO and code <= NINE then
      parts[#parts + 1] = code - ZERO
    elseif IS_STRICT and code ~= PERCENT then
      parts[#parts + 1] = {"invalid use of '%' in replacement string"}
    else
      parts[#parts + 1] = code and sub(replacement, percent + 1, percent + 1) or '\0'
    end
    at = percent + 2
  end
  parts[#parts + 1] = sub(replacement, at)
  return parts
end

-- Notes the highest capture that a replacement names, if nothing is wrong with it.
local function note_replacement(replacement)
  local parts, top = parts_of(replacement), 0
  for k = 1, #parts do
    local part = parts[k]
    if type(part) == 'table' then return end
    if type(part) == 'number' and part > top then top = part end
  end
  S.make_room(1)
  quick.replacement[replacement] = top
end

local function finished(capture)
  if capture == UNFINISHED then return raise('unfinished capture') end
  return capture
end

local function expanded(parts, whole, ...)
  local texts, count = {}, select('#', ...)
  for k = 1, #parts do
    local part = parts[k]
    local kind = type(part)
    if kind == 'table' then return raise(part[1]) end
    if kind == 'number' then
      if part == 0 or part == 1 and count == 0 then
        part = whole
      elseif part > count then
        return raise('invalid capture index' .. (NAMES_INDEX and ' %' .. part or ''))
      else
        part = finished((select(part, ...)))
      end
    end
    texts[k] = part
  end
  return concat(texts)
end

-- ---------------------------------------------------------------------- one match
-- What find gave becomes first, last and the value that the replacement has for it; no value where
-- the match is empty and at `stop`, where there is none.
local function by_function(s, f, stop, first, last, capture, ...)
  if not first or first > last and first == stop then return first, last end
  if capture == nil then return first, last, (f(sub(s, first, last))) end
  return first, last, (f(capture, ...))
end

-- The same with captures that may have no end.
local function by_function_checked(s, f, stop, first, last, ...)
  if first and not (first > last and first == stop) then
    for k = 1, select('#', ...) do finished((select(k, ...))) end
  end
  return by_function(s, f, stop, first, last, ...)
end

local function by_table(s, t, stop, first, last, capture)
  if not first or first > last and first == stop then return first, last end
  if capture == nil then return first, last, t[sub(s, first, last)] end
  return first, last, t[finished(capture)]
end

local function by_parts(s, parts, stop, first, last, ...)
  if not first or first > last and first == stop then return first, last end
  return first, last, expanded(parts, sub(s, first, last), ...)
end

-- ---------------------------------------------------------------------- all matches
-- `value_of` is one of the functions above, `look` is find or search, and `what` what that takes.
local function replace(s, value_of, replacement, n, look, what, once)
  local at, size, stop = 1, #s, nil
  local count, kept = 0, 1                -- `kept`: from here on nothing is in `out` yet
  local out, pieces, done = nil, 0, nil   -- `out` becomes one of `done` when it has enough
  while count < n and at <= size + 1 do
    local first, last, value = value_of(s, replacement, stop, look(s, what, at, nil, true))
    if not first then break end
    if first > last then
      at = first + 1
    else
      at = last + 1
    end
    if first <= last or first ~= stop then
      if not value then
        value = sub(s, first, last)
      elseif type(value) ~= 'string' and type(value) ~= 'number' then
        return raise('invalid replacement value (a ' .. type(value) .. ')')
      end
      out = out or {}
      if first > kept then
        pieces = pieces + 1
        out[pieces] = sub(s, kept, first - 1)
      end
      pieces = pieces + 1
      out[pieces] = value
      if pieces >= MAX_PIECES then
        done = done or {}
        done[#done + 1] = concat(out, '', 1, pieces)
        pieces = 0
      end
      count, kept = count + 1, last + 1
      if NO_EMPTY_AFTER and first <= last then stop = at end
    end
    if once then break end
  end
  if count == 0 then return s, 0 end
  out[pieces + 1] = sub(s, kept)
  local text = concat(out, '', 1, pieces + 1)
  if not done then return text, count end
  done[#done + 1] = text
  return concat(done), count
end

local function slow_gsub(s, pattern, replacement, n)
  s, pattern = as_text('gsub', s, pattern)
  local kind = type(replacement)
  if n ~= nil or kind ~= 'function' and kind ~= 'table' and kind ~= 'string' then
    checked('gsub', pcall(native_gsub, '', 'x', replacement, n))
    n = most(n)
    if kind == 'number' then kind, replacement = 'string', replacement .. '' end
  end
  local plan = plan_of(pattern)
  local value_of = by_table
  if kind == 'function' then
    value_of = plan.judgement and by_function or by_function_checked
  else
    note_gsub(pattern, plan, #s)
  end
  if kind == 'string' then
    if #replacement <= S.MAX_KEPT and not quick.replacement[replacement] then note_replacement(replacement) end
    value_of, replacement = by_parts, parts_of(replacement)
  end
  local look, what = search, plan
  if S.search_fits(plan, #s) then look, what = find, plan.pattern end
  return replace(s, value_of, replacement, n or huge, look, what, plan.is_anchored)
end

function strings.gsub(s, pattern, replacement, n)
  local limit, captures = quick.gsub[pattern], quick.captures[pattern]
  if limit and captures and type(s) == 'string' and #s <= limit and is_short(replacement, #s, captures)
     and (n == nil or type(n) == 'number' and n % 1 == 0 and n < MAX_COUNT and n > -MAX_COUNT) then
    return native_gsub(s, pattern, replacement, n)
  end
  return pass(slow_gsub(s, pattern, replacement, n))
end
