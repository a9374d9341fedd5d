-- How a pattern is searched for in a subject that could make a native search long. As much as can be
-- is native (the views of pattern_windows.lua):
--
-- * searches in windows, where no attempt can look beyond the window's end;
-- * else place by place: the native function at each place where a match may begin, if one such
--   attempt can't be long;
-- * else the matcher in Lua (pattern_match.lua), which can be interrupted.

local K = ...

local matcher, plain_find, plans, reach, windows, raise =
      K.matcher, K.plain_find, K.plans, K.reach, K.windows, K.raise
local attempt, new_captures = matcher.attempt, matcher.new_captures
local IS_UNFINISHED, IS_POSITION = matcher.UNFINISHED, matcher.IS_POSITION
local look, last_in, reach_of, new_view = windows.look, windows.last_in, windows.reach_of, windows.new_view
local plan_of, search_fits = plans.plan_of, plans.search_fits
local SEARCH, ONCE = windows.SEARCH, windows.ONCE
local AT_BOUND, AT_END = reach.AT_BOUND, reach.AT_END
local find, sub, type = string.find, string.sub, type
local unpack = table.unpack or unpack

local WINDOW = 65536        -- bytes of a subject that one native call looks at

-- ---------------------------------------------------------------------- matches of the Lua matcher
local UNFINISHED = {}       -- in the place of a capture that has no end

-- The match from `first` to before `after`, as find gives it. What is done with a capture decides
-- whether it must be finished: `is_lax` leaves that to the caller.
local function found(s, first, after, captures, is_lax)
  local level = captures.level
  if level == 0 then return first, after - 1 end
  local values, firsts, afters = {}, captures.first, captures.after
  for k = 1, level do
    local stop = afters[k]
    if stop == IS_POSITION then
      values[k] = firsts[k]
    elseif stop ~= IS_UNFINISHED then
      values[k] = sub(s, firsts[k], stop - 1)
    elseif is_lax then
      values[k] = UNFINISHED
    else
      return raise('unfinished capture')
    end
  end
  return first, after - 1, unpack(values, 1, level)
end

-- The next place at or after `at` where a match may begin.
local function next_place(plan, s, at)
  if plan.prefix then return (plain_find(s, plan.prefix, at)) end
  local head = plan.head
  if not head then return at end
  local size = #s
  if size - at < WINDOW then return (find(s, head, at)) end
  while at <= size do
    local first = find(sub(s, at, at + WINDOW - 1), head)
    if first then return at + first - 1 end
    at = at + WINDOW
  end
  return nil
end

-- ---------------------------------------------------------------------- native matches
-- Positions among the captures are those of a text that stands `offset` bytes into the subject.
local function moved(offset, capture, ...)
  if type(capture) == 'number' then capture = capture + offset end
  if ... == nil then return capture end
  return capture, moved(offset, ...)
end

-- What find gave of a match in a view, as if it had looked at the subject.
local function in_subject(plan, offset, first, last, ...)
  if offset == 0 then return first, last, ... end
  if ... ~= nil and reach_of(plan).moves then return first + offset, last + offset, moved(offset, ...) end
  return first + offset, last + offset, ...
end

-- ---------------------------------------------------------------------- tails
-- What find gives of a pattern whose head find has found.
local function with_tail(s, tail, first, last, ...)
  if not first then return nil end
  local size, places, captures, values = #s, {...}, tail.captures, {}
  places[AT_BOUND], places[AT_END] = size + 1, size + 1
  if tail.run then
    local least, upto = last + 1, size
    local bound = least
    while upto >= least do
      local from = upto - WINDOW + 1
      if from < least then from = least end
      local place = last_in(sub(s, from, upto), tail.run, 1)
      if place then
        bound = from + place
        break
      end
      upto = from - 1
    end
    places[AT_BOUND] = bound
  end
  for k = 1, #captures do
    local start, after = places[captures[k].first], captures[k].after
    values[k] = after and sub(s, start, places[after] - 1) or start
  end
  return first, size, unpack(values, 1, #captures)
end

-- ---------------------------------------------------------------------- searching
-- Where the search goes on when no match begins before `at`.
local function next_at(s, plan, at)
  if at > #s or not plan.prefix then return at end
  return plain_find(s, plan.prefix, at) or #s + 2
end

-- Where the plan's pattern matches first at or after `at`: what find(s, pattern, at) gives. The view
-- is a new one, or that of the last search in this subject, which ended before `at`. It goes on in a
-- loop, because 5.1 counts tail calls as levels of its stack.
local function search(s, plan, at, view, is_lax)
  local size, captures = #s, nil
  while at <= size + 1 do
    if at > view.last then
      local tail = plan.judgement and not search_fits(plan, size - at + 1) and reach_of(plan).tail
      if tail then
        return with_tail(s, tail, search(s, plan_of(tail.head), at, new_view(), is_lax))
      end
      look(view, s, plan, at)
    end
    local way, text, offset, limit = view.way, view.text, view.offset, view.last
    if way == SEARCH then
      local first, last, capture = find(text, plan.pattern, at - offset)
      if first and first + offset <= limit then
        -- A match with more captures is found once more, where it is.
        if capture == nil then return first + offset, last + offset end
        if plan.judgement.captures == 1 then return in_subject(plan, offset, first, last, capture) end
        return in_subject(plan, offset, find(text, plan.anchored, first))
      end
      at = next_at(s, plan, limit + 1)
    else
      local place = next_place(plan, text, at - offset)
      if not place then
        if #text == size then return nil end
        at = limit + 1
      elseif place + offset > limit then
        at = place + offset
      elseif way == ONCE then
        if find(text, plan.anchored, place) then
          return in_subject(plan, offset, find(text, plan.anchored, place))
        end
        at = place + offset + 1
      else
        at = place + offset
        captures = captures or new_captures()
        local after = attempt(plan.program, s, at, captures)
        if after then return found(s, at, after, captures, is_lax) end
        at = at + 1
      end
    end
    if plan.is_anchored then return nil end
  end
  return nil
end

K.search = {search = search, next_at = next_at, UNFINISHED = UNFINISHED, WINDOW = WINDOW}
