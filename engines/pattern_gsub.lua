-- gsub for scripts, see patterns.lua.

local K = ...

local P, plans, S, plain_find, strings, raise =
      K.patterns, K.plans, K.search, K.plain_find, K.library.string, K.raise
local as_text, checked, pass = P.as_text, P.checked, P.pass
local plan_of, search_fits, note_gsub, quick = plans.plan_of, plans.search_fits, plans.note_gsub, plans.quick
local search, next_at, UNFINISHED = S.search, S.next_at, S.UNFINISHED
local windows = K.windows
local new_view, look, piece_end, reach_of = windows.new_view, windows.look, windows.piece_end, windows.reach_of
local SEARCH = windows.SEARCH
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
local MAX_PARTS = 512       -- of the result before they are put together
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
  plans.make_room(1)
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
-- the match begins behind `limit` or is empty and at `stop`, where there is none.
local function by_function(s, f, stop, limit, first, last, capture, ...)
  if not first or first > limit or first > last and first == stop then return first, last end
  if capture == nil then return first, last, (f(sub(s, first, last))) end
  return first, last, (f(capture, ...))
end

-- The same with captures that may have no end.
local function by_function_checked(s, f, stop, limit, first, last, ...)
  if first and not (first > last and first == stop) then
    for k = 1, select('#', ...) do finished((select(k, ...))) end
  end
  return by_function(s, f, stop, limit, first, last, ...)
end

local function by_table(s, t, stop, limit, first, last, capture)
  if not first or first > limit or first > last and first == stop then return first, last end
  if capture == nil then return first, last, t[sub(s, first, last)] end
  return first, last, t[finished(capture)]
end

local function by_text(_, text, stop, limit, first, last)
  if not first or first > limit or first > last and first == stop then return first, last end
  return first, last, text
end

local function by_parts(s, parts, stop, limit, first, last, ...)
  if not first or first > limit or first > last and first == stop then return first, last end
  return first, last, expanded(parts, sub(s, first, last), ...)
end

-- ---------------------------------------------------------------------- all matches
-- What by_piece needs; nil if the native function can't have this replacement in pieces.
local function pieces_of(plan, replacement)
  local cut = not plan.is_anchored and plan.judgement and reach_of(plan).cut
  if not cut then return nil end
  local width = plan.reach.replaced
  local most = MAX_OUTPUT / (type(replacement) == 'table' and MAX_VALUE or #replacement + 1)
  if width > most then width = floor(most) end
  if width == 0 or not is_short(replacement, width, plan.judgement.captures) then return nil end
  return {cut = cut, width = width, uncut = 1, replacement = replacement}
end

-- The piece of the subject that begins at `at`, as if it were one match, what the native function
-- makes of it, and how many matches were in it; nothing if there is no such piece.
local function by_piece(s, plan, pieces, at, n)
  local width, replacement = pieces.width, pieces.replacement
  local last = piece_end(s, pieces.cut, at, width)
  if not last then
    pieces.uncut = at + width
    return nil
  end
  -- A table may have something else in it by now.
  if not is_short(replacement, last - at + 1, plan.judgement.captures) then
    pieces.uncut = huge
    return nil
  end
  return at, last, native_gsub(sub(s, at, last), plan.pattern, replacement, n < MAX_COUNT and n or nil)
end

-- Whether what a native search finds in a view needs no more than its places moved.
local function can_look(plan)
  local known = reach_of(plan)
  return not known.moves and not known.tail
end

-- `value_of` is one of the functions above. Without `view` a native search of `s` is short; with
-- `pieces`, the native function may have the replacement.
local function replace(s, value_of, replacement, n, plan, view, pieces)
  local at, size, stop, pattern = 1, #s, nil, plan.pattern
  local text, offset, limit, is_native = s, 0, size + 1, true     -- what a native search looks at
  local may_look = view and can_look(plan)
  local count, kept = 0, 1                -- `kept`: from here on nothing is in `out` yet
  local out, parts, done = nil, 0, nil    -- `out` becomes one of `done` when it has enough
  while count < n and at <= size + 1 do
    local first, last, value, replaced
    if pieces and at >= pieces.uncut and at <= size then
      first, last, value, replaced = by_piece(s, plan, pieces, at, n - count)
    end
    if first then
      at = last + 1
    else
      if view then
        if may_look and at > view.last then look(view, s, plan, at) end
        text, offset, limit = view.text, view.offset, view.last
        is_native = may_look and view.way == SEARCH
      end
      if is_native then
        first, last, value = value_of(text, replacement, stop and stop - offset, limit - offset,
                                      find(text, pattern, at - offset))
        if first and first <= limit - offset then
          first, last = first + offset, last + offset
        else
          at, first = next_at(s, plan, limit + 1), nil
        end
      else
        first, last, value = value_of(s, replacement, stop, size + 1, search(s, plan, at, view, true))
        if not first then break end
      end
      replaced = 0
      if first then
        at = (first > last and first or last) + 1
        if first <= last or first ~= stop then replaced = 1 end
      end
    end
    if replaced > 0 then
      if not value then
        value = sub(s, first, last)
      elseif type(value) ~= 'string' and type(value) ~= 'number' then
        return raise('invalid replacement value (a ' .. type(value) .. ')')
      end
      out = out or {}
      if first > kept then
        parts = parts + 1
        out[parts] = sub(s, kept, first - 1)
      end
      parts = parts + 1
      out[parts] = value
      if parts >= MAX_PARTS then
        done = done or {}
        done[#done + 1] = concat(out, '', 1, parts)
        parts = 0
      end
      count, kept = count + replaced, last + 1
      if NO_EMPTY_AFTER and first <= last then stop = at end
    end
    if plan.is_anchored then break end
  end
  if count == 0 then return s, 0 end
  out[parts + 1] = sub(s, kept)
  local text = concat(out, '', 1, parts + 1)
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
  local value_of, with, view, pieces = by_table, replacement, nil, nil
  if kind == 'function' then
    value_of = plan.judgement and by_function or by_function_checked
  else
    if kind == 'string' then
      if #replacement <= plans.MAX_KEPT and not quick.replacement[replacement] then note_replacement(replacement) end
      value_of, with = by_parts, parts_of(replacement)
      if #with == 1 and type(with[1]) == 'string' then value_of, with = by_text, with[1] end
    end
    if note_gsub(pattern, plan, #s) and is_short(replacement, #s, plan.judgement.captures) then
      return native_gsub(s, plan.pattern, replacement, n ~= huge and n or nil)
    end
    pieces = pieces_of(plan, replacement)
  end
  if not search_fits(plan, #s) then view = new_view() end
  return replace(s, value_of, with, n or huge, plan, view, pieces)
end

function strings.gsub(s, pattern, replacement, n)
  local limit, captures = quick.gsub[pattern], quick.captures[pattern]
  if limit and captures and type(s) == 'string' and #s <= limit and is_short(replacement, #s, captures)
     and (n == nil or type(n) == 'number' and n % 1 == 0 and n < MAX_COUNT and n > -MAX_COUNT) then
    return native_gsub(s, pattern, replacement, n)
  end
  return pass(slow_gsub(s, pattern, replacement, n))
end
