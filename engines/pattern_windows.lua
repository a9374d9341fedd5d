-- Long subjects in pieces, each of which is short enough for a native call: what pattern_reach.lua
-- knows of a pattern, put to use. How long is judged by pattern_cost.lua.
--
-- A *view* is what one search looks at for now: `text`, which stands `offset` bytes into the subject;
-- up to `last`, a place of the subject, an attempt in the text goes as in the subject. `way` says how
-- attempts are made. It belongs to one call or iterator.

local K = ...

local cost, plans, reach = K.cost, K.plans, K.reach
local once_fits, search_fits, widest = plans.once_fits, plans.search_fits, plans.widest
local find, sub, floor = string.find, string.sub, math.floor

local FIRST = 256           -- bytes of the first window of a search: a match is often near
local GROWTH = 4            -- times: of the next one
local WIDEST = 16384        -- bytes: wider ones are not quicker
local TAIL = 64             -- bytes: where a fence or cut is looked for first

local SEARCH, ONCE, SLOW = 1, 2, 3  -- a native search; native attempts; attempts of the Lua matcher

-- What can be known of the pattern, and how wide its windows are.
local function reach_of(plan)
  local known = plan.reach
  if known then return known end
  known = reach.of(plan)
  local judgement, fence, cut = plan.judgement, known.fence, known.cut
  if fence then
    known.search = widest(judgement, cost.search_fits, fence.each, WIDEST)
    known.once = widest(judgement, cost.once_fits, fence.each, GROWTH * WIDEST)
  end
  if cut then
    known.matches = widest(judgement, cost.search_fits, cut.each, WIDEST)
    known.replaced = widest(judgement, cost.gsub_fits, cut.each, WIDEST)
    if known.matches < 1 then known.cut = nil end
  end
  plan.reach = known
  return known
end

-- The last place of a `text` at or after `least` where `pattern` ("^.*()...") has its capture.
local function last_in(text, pattern, least)
  local size, length = #text, TAIL
  while true do
    local first = size - length + 1
    if first < least then first = least end
    local _, _, place = find(text, pattern, first)
    if place then return place end
    if first == least then return nil end
    length = length * GROWTH
  end
end

local function new_view() return {text = '', offset = 0, last = 0, way = SEARCH, width = FIRST} end

local function set(view, text, offset, last, way)
  view.text, view.offset, view.last, view.way = text, offset, last, way
end

-- Makes `view` one for attempts from `at` on.
local function look(view, s, plan, at)
  local size = #s
  local left = size - at + 1
  if search_fits(plan, left) then return set(view, s, 0, size + 1, SEARCH) end
  local may_once, tried = once_fits(plan, left), nil
  local known = plan.judgement and reach_of(plan)
  local fence = known and known.fence
  if fence and not (plan.is_anchored and may_once) then
    local margin = at > 1 and fence.margin or 0
    local from, back = at - margin, fence.back
    local least, most = margin + 1 + back, plan.is_anchored and 0 or known.search
    local width = view.width
    if width > most then width = most end
    while width > 0 do
      local text = sub(s, from, at + width - 1)
      local place = last_in(text, fence.last, least)
      if place then
        if width < most then view.width = width * GROWTH end
        return set(view, text, from - 1, from - 1 + place - back, SEARCH)
      end
      if width == most then break end
      width = width * GROWTH
      if width > most then width = most end
    end
    -- Too far away for a search, but not for one attempt.
    most = known.once
    while width < most and width < left do
      width = width < FIRST and FIRST or width * GROWTH
      if width > most then width = most end
      local text = sub(s, from, at + width - 1)
      local place = find(text, fence.text, least)
      if place then return set(view, text, from - 1, from - 1 + place - back, ONCE) end
    end
    -- At places that are as far from a fence it is not worth looking for one again.
    if width < left then tried = at + floor(width / 2) end
  end
  if may_once then return set(view, s, 0, tried or size + 1, ONCE) end
  return set(view, s, 0, tried or at, SLOW)
end

-- Where a piece that begins at `at` and has at most `width` bytes can end; nil if there is no cut.
local function piece_end(s, cut, at, width)
  local size = #s
  if size - at < width then return size end
  local last, length = at + width - 1, TAIL
  while true do
    local first = last - length + 1
    if first < at then first = at end
    local _, _, place = find(sub(s, first, last), cut.last)
    if place and first + place - 1 > at then return first + place - 2 end
    if first == at then return nil end
    length = length * GROWTH
  end
end

K.windows = {
  reach_of = reach_of, new_view = new_view, look = look, piece_end = piece_end, last_in = last_in,
  SEARCH = SEARCH, ONCE = ONCE,
}
