-- How far into its subject an attempt to match a pattern looks, so that long subjects can be cut.
--
-- What is repeated runs on over the bytes of its set. A byte that is in no repeated item's set is a
-- *barrier*: one of the other items has to take it, and there are only so many of these. So:
--
-- * A *fence* is as many barriers as an attempt can pass, and one more: no attempt that begins at or
--   before a fence looks beyond its end, and all of them go in a text that is cut there as they go in
--   the whole one, whether they succeed or not.
-- * A *cut* is a place that no match crosses and no attempt from before looks across: in front of a
--   byte that nothing but the start of a match takes, or behind one that nothing but its end takes.
--   The matches of a text are those of its pieces.
-- * A *tail* is an end of a pattern that always matches: ".*", or ".-%s*$". Where that is, only the
--   end of the subject says; whether and where the pattern matches, only what stands before.

local K = ...

local items = K.items
local byte, char, find, rep, sub = string.byte, string.char, string.find, string.rep, string.sub
local concat = table.concat
local next = next
local ALL = items.ALL
local LITERAL, SINGLE, OPTIONAL, GREEDY, LAZY, OPEN, CLOSE, POSITION, BALANCE, FRONTIER, REFERENCE,
      FINISH = items.LITERAL, items.SINGLE, items.OPTIONAL, items.GREEDY, items.LAZY, items.OPEN,
      items.CLOSE, items.POSITION, items.BALANCE, items.FRONTIER, items.REFERENCE, items.FINISH

local ZERO = (K.is_jit or K.is_51) and '%z' or '\0'     -- in a pattern
local MAX_BARRIERS = 24     -- of a fence
local MAX_PLACES = 30       -- that are captured before a tail
local LOOK, ELEMENT = 6, 2  -- nanoseconds: to try a byte, and to compare it with a part of a set

-- ---------------------------------------------------------------------- sets as patterns
local function escaped(code)
  if code == 0 then return ZERO end
  local text = char(code)
  if find(text, '^%p') then return '%' .. text end
  return text
end

-- The codes for which `member` is true, as a set of a pattern; and how many parts that has.
local function listed(set, member)
  local parts, code = {}, 0
  while code <= 255 do
    if (set[code] or false) == member then
      local last = code
      while last < 255 and (set[last + 1] or false) == member do last = last + 1 end
      -- What has a meaning of its own can't be the end of a range.
      local ends = ''
      while code <= last and #escaped(code) > 1 do
        parts[#parts + 1] = escaped(code)
        code = code + 1
      end
      local after = last
      while last >= code and #escaped(last) > 1 do
        ends = ends .. escaped(last)
        last = last - 1
      end
      if last > code then
        parts[#parts + 1] = char(code) .. '-' .. char(last)
      elseif last == code then
        parts[#parts + 1] = char(code)
      end
      if ends ~= '' then parts[#parts + 1] = ends end
      code = after + 1
    else
      code = code + 1
    end
  end
  return concat(parts), #parts
end

-- The codes for which `set` has `member`, as an item of a pattern; how many there are, and what it
-- takes to compare a byte with it. There is no item of none.
local function text_of(set, member)
  local count, only = 0, nil
  for code = 0, 255 do
    if (set[code] or false) == member then count, only = count + 1, code end
  end
  if count == 0 then return nil, 0 end
  if count == 256 then return '.', count, LOOK end
  if count == 1 then return escaped(only), count, LOOK end
  local caret = ''
  if count > 128 then caret, member = '^', not member end
  local text, parts = listed(set, member)
  return '[' .. caret .. text .. ']', count, LOOK + ELEMENT * parts
end

local function add(set, more)
  for code = 0, 255 do
    if more[code] then set[code] = true end
  end
end

local function is_within(set, outer)
  for code = 0, 255 do
    if set[code] and not outer[code] then return false end
  end
  return true
end

-- ---------------------------------------------------------------------- elements
-- What takes bytes, one at a time or repeatedly, in order; and what there is beside that. What is
-- repeated until the very byte comes that ends the match never takes that byte.
local function elements_of(judgement)
  local program, sure = judgement.program, judgement.shape.sure
  local kinds, sets = program.kind, program.set
  local elements, needed, has = {}, 0, {}
  for i = 1, program.count - 1 do
    local kind, set = kinds[i], sets[i]
    if kind == LITERAL then
      local text = program.argument[i]
      for k = 1, #text do elements[#elements + 1] = {set = {[byte(text, k)] = true}} end
      needed = needed + #text
    elseif kind == SINGLE or kind == OPTIONAL then
      elements[#elements + 1] = {set = set, is_optional = kind == OPTIONAL}
      if kind == SINGLE then needed = needed + 1 end
    elseif kind == GREEDY then
      elements[#elements + 1] = {set = set, is_repeated = true}
    elseif kind == LAZY and not sure[i] then
      local j = i + 1
      while kinds[j] == OPEN or kinds[j] == CLOSE or kinds[j] == POSITION do j = j + 1 end
      if sure[j] and (kinds[j] == SINGLE or kinds[j] == LITERAL and #program.argument[j] == 1) then
        local rest, stops = {}, sets[j]
        for code = 0, 255 do rest[code] = set[code] and not stops[code] end
        set = rest
      end
      elements[#elements + 1] = {set = set, is_repeated = true, is_lazy = true}
    elseif kind ~= LAZY and kind ~= OPEN and kind ~= CLOSE then
      has[kind] = true
    end
  end
  return elements, needed, has
end

-- ---------------------------------------------------------------------- fences and cuts
-- ".-" and what ends the match, after what takes so many bytes at most: the attempt ends where that
-- is found first. One byte of it may be optional, if it can't be taken for the next one.
local function end_of(elements)
  local passes = 0
  while elements[passes + 1] and not elements[passes + 1].is_repeated do passes = passes + 1 end
  local element = elements[passes + 1]
  if not element or not element.is_lazy or element.set ~= ALL then return nil end
  local text, each, optional = '', LOOK, nil
  for i = passes + 2, #elements do
    element = elements[i]
    if element.is_repeated then return nil end
    local item, _, cost = text_of(element.set, true)
    if not item then return nil end
    if element.is_optional then
      local following = elements[i + 1]
      if optional or not following or following.is_repeated then return nil end
      for code = 0, 255 do
        if element.set[code] and following.set[code] then return nil end
      end
      optional, item = true, item .. '?'
    end
    text, each = text .. item, each + cost
  end
  return {text = text, last = '^.*()' .. text, back = passes, margin = 0, each = 2 * each}
end

-- `text` matches a fence, `last` the last one behind a place; `back`: from how many bytes before it
-- on an attempt may look beyond it. `margin`: bytes before an attempt that it looks at. `each`:
-- nanoseconds a byte that it takes at most to find one.
local function fence_of(elements, has)
  if has[BALANCE] or has[REFERENCE] then return nil end
  local repeated, passes = {}, 0
  for i = 1, #elements do
    if elements[i].is_repeated then add(repeated, elements[i].set) end
  end
  for i = 1, #elements do
    if not elements[i].is_repeated and not is_within(elements[i].set, repeated) then passes = passes + 1 end
  end
  local barrier, count, each = text_of(repeated, false)
  if not barrier then return not next(has) and end_of(elements) or nil end
  local fence = {text = barrier, back = 0, margin = has[FRONTIER] and 1 or 0, each = 2 * each}
  if count == 256 then
    fence.back = passes
  elseif passes < MAX_BARRIERS then
    local run, _, each_of_run = text_of(repeated, true)
    fence.text = barrier .. rep(run .. '*' .. barrier, passes)
    fence.each = 2 * (each + (passes + 1) * each_of_run)
  else
    return nil
  end
  fence.last = '^.*()' .. fence.text
  return fence
end

-- What finds the last cut behind a place: a pattern whose capture is what comes behind the cut.
local function cut_of(elements, needed, has)
  if needed == 0 or next(has) then return nil end
  local inner, before, after = #elements, {}, {}
  for i = 1, inner do
    local element = elements[i]
    if i > 1 or element.is_repeated then add(before, element.set) end
    if i < inner or element.is_repeated then add(after, element.set) end
  end
  local first, firsts, each = text_of(before, false)
  local last, lasts, each_of_last = text_of(after, false)
  if firsts >= lasts then
    return first and {last = '^.*()' .. first, each = 2 * each}
  end
  return {last = '^.*' .. last .. '()', each = 2 * each_of_last}
end

-- ---------------------------------------------------------------------- tails
local AT_BOUND, AT_END = 0, -1      -- in the place of the number of a capture of the head

local function is_capture(kind) return kind == OPEN or kind == CLOSE or kind == POSITION end

-- The pattern `head` stands before the tail, with positions in the place of captures; `captures` are
-- those of the whole pattern, and where in the head's they begin and end; or it is where the `run`
-- that ends the subject begins, or the end.
local function tail_of(program, is_anchored, has)
  local kinds, sets, starts = program.kind, program.set, program.start
  local at = program.count - 1
  local ends, run, bound = kinds[at] == FINISH, nil, nil
  if ends then at = at - 1 end
  while is_capture(kinds[at]) do at = at - 1 end
  if ends and kinds[at] == GREEDY and sets[at] ~= ALL then
    run, bound = text_of(sets[at], false), at
    at = at - 1
    while is_capture(kinds[at]) do at = at - 1 end
    if kinds[at] ~= LAZY or not run then return nil end
  elseif kinds[at] ~= GREEDY and not (ends and kinds[at] == LAZY) then
    return nil
  end
  if sets[at] ~= ALL or has[REFERENCE] then return nil end

  local parts, captures, open, count = {is_anchored and '^' or ''}, {}, {}, 0
  for i = 1, program.count - 1 do
    local kind = kinds[i]
    local place = i > (bound or at) and AT_END or AT_BOUND
    if is_capture(kind) then
      if i < at then
        count = count + 1
        parts[#parts + 1], place = '()', count
      end
      if kind == CLOSE then
        captures[open[#open]].after = place
        open[#open] = nil
      else
        captures[#captures + 1] = {first = place}
        if kind == OPEN then open[#open + 1] = #captures end
      end
    elseif i < at and starts[i] then
      if i + 1 == at and program.argument[at] then
        parts[#parts + 1] = '.'         -- of ".+"
      else
        local last = i + 1
        while not starts[last] do last = last + 1 end
        parts[#parts + 1] = sub(program.pattern, starts[i], starts[last] - 1)
      end
    end
  end
  if count > MAX_PLACES then return nil end
  -- The last position keeps a "$" from being an anchor.
  return {head = concat(parts) .. '()', captures = captures, run = run and '^.*()' .. run}
end

-- What there is of these for a plan; nothing if its pattern could raise an error.
local function reach_of(plan)
  local judgement = plan.judgement
  if not judgement then return {} end
  local elements, needed, has = elements_of(judgement)
  local is_anchored = plan.is_anchored
  return {
    fence = fence_of(elements, has), cut = not is_anchored and cut_of(elements, needed, has) or nil,
    tail = tail_of(judgement.program, is_anchored, has), moves = has[POSITION] or false,
  }
end

K.reach = {of = reach_of, AT_BOUND = AT_BOUND, AT_END = AT_END}
