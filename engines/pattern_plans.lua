-- What is known of the patterns in use: a plan for each, and for which subjects a native call is short.

local K = ...

local items, cost, plain_find, raise = K.items, K.cost, K.plain_find, K.raise
local byte, sub = string.byte, string.sub
local floor, huge = math.floor, math.huge

local IS_OLD = K.is_jit or K.is_51    -- what comes behind "\0" is no part of a pattern
local MAX_PATTERN = K.is_51 and 8192 or huge    -- bytes: 5.1's own matcher overruns the C stack

local MAX_JUDGED = 1024     -- bytes of a pattern: a longer one is the Lua matcher's
local MAX_WEIGHT = 1000     -- of what is kept of patterns: about as many KB
local MAX_PREFIX = 64       -- bytes of a literal that places are looked for by
local LEAST = 256           -- bytes of a subject: no smaller limit is worth knowing

local CARET = byte('^')

-- ---------------------------------------------------------------------- what is kept
-- By pattern: for which size of a subject a call of the native function is short, and can raise no
-- error. `captures` has their number, `replacement` the highest one that a replacement names.
local quick = {}
local plans, weight

local function forget()
  plans, weight = {}, 0
  quick.find, quick.plain, quick.match, quick.gmatch, quick.gsub = {}, {}, {}, {}, {}
  quick.captures, quick.replacement = {}, {}
end
forget()

-- Before something of this weight is kept.
local function make_room(needed)
  if weight > MAX_WEIGHT then forget() end
  weight = weight + needed
end

-- ---------------------------------------------------------------------- plans
local function weight_of(program)
  local sum = 1
  for i = 1, program.count do
    local set = program.set[i]
    if set and set.owned then sum = sum + 1 end
  end
  return sum
end

local function new_plan(given)
  local pattern = given
  if #pattern > MAX_PATTERN then return raise('pattern too complex') end
  if IS_OLD then
    local zero = plain_find(pattern, '\0', 1)
    if zero then pattern = sub(pattern, 1, zero - 1) end
  end
  local is_anchored = byte(pattern, 1) == CARET
  local program = items.new(is_anchored and sub(pattern, 2) or pattern)
  local plan = {
    pattern = pattern, program = program, is_anchored = is_anchored,
    -- Sizes for which a call of each kind is known to be short, and sizes for which it is not.
    once = -1, not_once = 0, search = -1, not_search = 0, gsub = -1, not_gsub = 0,
  }
  if #pattern > MAX_JUDGED then return plan end
  local kind
  repeat
    program.start[program.count + 1] = program.at
    kind = items.read(program)
  until kind == items.DONE or kind == items.ERROR
  plan.judgement = cost.judge(program, is_anchored)
  if plan.judgement then
    plan.not_once, plan.not_search, plan.not_gsub = huge, huge, huge
    plan.anchored = is_anchored and pattern or '^' .. pattern
  end
  local first = 1
  while program.kind[first] == items.OPEN or program.kind[first] == items.POSITION do first = first + 1 end
  kind = program.kind[first]
  if is_anchored then
    plan.prefix = nil
  elseif kind == items.LITERAL then
    plan.prefix = sub(program.argument[first], 1, MAX_PREFIX)
  elseif kind == items.SINGLE or kind == items.BALANCE then
    plan.head = program.set[first].text
  end
  make_room(weight_of(program))
  plan.is_kept = true
  plans[given] = plan
  return plan
end

-- The plan of `pattern` is kept until there are too many.
local function plan_of(pattern) return plans[pattern] or new_plan(pattern) end

-- The plan that is kept of `pattern`, if there is one.
local function kept_plan(pattern) return plans[pattern] end

-- Whether a native call of that kind is short for a plan's pattern and a subject of n bytes: judged when
-- a subject has a size of which that is not known yet.
local function fits(kind)
  local too_long, judged = 'not_' .. kind, cost[kind .. '_fits']
  return function(plan, n)
    if n <= plan[kind] then return true end
    if n >= plan[too_long] * 0.75 then return false end
    local is_short = judged(plan.judgement, n)
    plan[is_short and kind or too_long] = n
    return is_short
  end
end

local once_fits, search_fits, gsub_fits = fits('once'), fits('search'), fits('gsub')

-- Whether a native search of n bytes is short; notes in `limits` for how many more it would be.
local function note_search(limits, pattern, plan, n)
  local more = n * 2 > LEAST and n * 2 or LEAST
  local fits = search_fits(plan, more) or search_fits(plan, n)
  if fits and plan.is_kept then limits[pattern] = plan.search end
  return fits
end

local function note_gsub(pattern, plan, n)
  local more = n * 2 > LEAST and n * 2 or LEAST
  local fits = gsub_fits(plan, more) or gsub_fits(plan, n)
  if fits and plan.is_kept then
    quick.captures[pattern] = plan.judgement.captures
    quick.gsub[pattern] = plan.gsub
  end
  return fits
end

local share = nil           -- of all widths, for tests

-- About the largest size up to `most` that `fits` of a judgement, and for which `each` nanoseconds a
-- byte are not too much; 0 if there is none.
local function widest(judgement, fits, each, most)
  if share then return floor(most * share) end
  local low, high = 0, most
  local size = high
  repeat
    if size * each <= cost.budget and fits(judgement, size) then low = size else high = size end
    size = floor((low + high) / 2)
  until high - low <= low / 8 + 1 or low == most
  return low
end

-- For tests: what a native call may cost from now on, in nanoseconds by our reckoning; and which part
-- of their greatest width all windows have, whatever that costs.
function K.limit_patterns(budget, part)
  cost.budget, share = budget, part
  forget()
end

K.plans = {
  plan_of = plan_of, kept_plan = kept_plan, once_fits = once_fits, search_fits = search_fits,
  note_search = note_search, note_gsub = note_gsub, quick = quick, widest = widest,
  make_room = make_room, MAX_KEPT = MAX_JUDGED,
}
