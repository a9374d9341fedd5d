-- What a pattern could cost the native matcher, which nothing interrupts, with a subject of n bytes.
--
-- The items are walked from the last to the first. Known of the rest of a pattern, when the item
-- before it is looked at, is: `miss`, what an attempt that fails may take; `hit`, what the one that
-- succeeds may take; `first`, the bytes that it may begin with; `glance`, what it takes to see that a
-- byte is none of those; `sure`, whether it can't fail at all. Costs are nanoseconds, as measured of
-- the slowest of LuaJIT and 5.1 to 5.5.

local K = ...

local items = K.items
local byte, next = string.byte, next
local LITERAL, SINGLE, OPTIONAL, GREEDY, LAZY, OPEN, CLOSE, POSITION, BALANCE, FRONTIER, REFERENCE,
      FINISH, ERROR = items.LITERAL, items.SINGLE, items.OPTIONAL, items.GREEDY, items.LAZY, items.OPEN,
      items.CLOSE, items.POSITION, items.BALANCE, items.FRONTIER, items.REFERENCE, items.FINISH,
      items.ERROR

local C = {budget = 4e6}    -- of one call; tests lower it

local STEP = 2              -- to look at one byte
local COMPARE = 2           -- to compare it with one element of a set
local LEVEL = 4             -- to try the rest of a pattern by recursion
local COPY = 0.1            -- for a byte that is compared or copied with others at once
local MATCHED = 60          -- to answer a match that gsub has found
local MAX_CAPTURES = 32
local MAX_LEVELS = 190      -- of recursion; the native matcher allows 200

-- ---------------------------------------------------------------------- well-formed
-- How many captures the program has, or nil if one of the native functions could raise an error.
local function captures_of(program)
  local levels, count, open = 0, 0, {}
  local depth, kinds, arguments = 0, program.kind, program.argument
  for i = 1, program.count do
    local kind = kinds[i]
    if kind == ERROR then
      return nil
    elseif kind == OPEN or kind == POSITION then
      count = count + 1
      if kind == OPEN then
        depth = depth + 1
        open[depth] = count
      end
    elseif kind == CLOSE then
      if depth == 0 then return nil end
      open[depth] = nil
      depth = depth - 1
    elseif kind == REFERENCE then
      local number = arguments[i]
      if number == 0 or number > count then return nil end
      for j = 1, depth do
        if open[j] == number then return nil end
      end
    end
    if kind ~= LITERAL and kind ~= SINGLE then levels = levels + 1 end
  end
  if depth > 0 or count > MAX_CAPTURES or levels > MAX_LEVELS then return nil end
  return count
end

-- ---------------------------------------------------------------------- bounds
local function apart(first, set)
  if first == items.ALL or set == items.ALL then return next(first) == nil end
  for code = 0, 255 do
    if first[code] and set[code] then return false end
  end
  return true
end

local function union(a, b)
  if a == items.ALL or b == items.ALL then return items.ALL end
  local set = {}
  for code = 0, 255 do
    if a[code] or b[code] then set[code] = true end
  end
  return set
end

-- What does not depend on the size of the subject: for each item, whether its bytes are apart from
-- those that may follow, whether what follows is sure, and whether a match is as long as what was
-- looked at for it (`tight`), but for a constant.
local function shape_of(program)
  local kinds, sets = program.kind, program.set
  local apart_from, sure_after = {}, {}
  local first, sure, sure_at_end, tight, linear = items.ALL, true, true, true, false
  for i = program.count - 1, 1, -1 do
    local kind, set = kinds[i], sets[i]
    sure_after[i] = sure
    if kind == LITERAL or kind == SINGLE then
      first, sure, sure_at_end = set, false, false
    elseif kind == BALANCE or kind == FRONTIER then
      first, sure, sure_at_end = set, false, false
      if kind == BALANCE then linear = true end
    elseif kind == FINISH then
      first, sure, sure_at_end = {}, false, true
    elseif kind == REFERENCE then
      first, sure, sure_at_end, linear = items.ALL, false, false, true
    elseif kind == OPTIONAL or kind == GREEDY or kind == LAZY then
      local separate = not sure and apart(first, set)
      apart_from[i] = separate
      if kind == GREEDY then
        tight = tight and (separate or sure)
      else
        tight = tight and (separate or sure or not linear)
      end
      sure = sure or set == items.ALL and kind ~= OPTIONAL and sure_at_end
      first = union(first, set)
      if kind ~= OPTIONAL then linear = true end
    end
  end
  return {apart = apart_from, sure = sure_after, tight = tight}
end

-- What an attempt at one place of a subject of n bytes may take: if it fails, and if not.
local function bounds(program, shape, n)
  local kinds, sets, arguments = program.kind, program.set, program.argument
  -- Floats, because integers of 64 bits would wrap around.
  local miss, hit, glance = 0.0, 0.0, 0.0
  local still = 0.0             -- what is left of `miss` for a subject of no bytes
  for i = program.count - 1, 1, -1 do
    local kind, set = kinds[i], sets[i]
    local cost = STEP + (set and set.weight * COMPARE or 0)
    local added
    if kind == OPTIONAL or kind == GREEDY or kind == LAZY then
      local places = kind == OPTIONAL and 1 or n
      local failing = shape.sure[i] and 0 or shape.apart[i] and glance or miss
      -- Places near the end have less behind them.
      if failing == miss and kind ~= OPTIONAL then failing = (miss + still) / 2 end
      hit = hit + places * (cost + LEVEL + failing)
      if shape.sure[i] then
        miss, still = 0, 0
      else
        miss, still = miss + places * (cost + LEVEL + failing), still + cost + LEVEL
        if kind == OPTIONAL then still = still * 2 end
      end
      glance = cost + LEVEL + glance
    else
      if kind == LITERAL then
        added, glance = #arguments[i] * STEP, STEP
      elseif kind == SINGLE then
        added, glance = cost, cost
      elseif kind == FRONTIER then
        added, glance = 2 * cost, 2 * cost
      elseif kind == FINISH then
        added, glance = STEP, STEP
      elseif kind == BALANCE then
        added, glance = STEP, STEP
        miss, hit = miss + STEP * n, hit + STEP * n
      elseif kind == REFERENCE then
        added, glance = STEP + COPY * n, STEP + COPY * n
      else
        added, glance = LEVEL, glance + LEVEL
      end
      miss, hit, still = miss + added, hit + added, still + added
    end
  end
  return miss, hit
end

-- Whether the first item is a byte or text of which no repeated item can be: attempts that begin at
-- different places then look at different parts of the subject, but for `overlap` of them.
local function overlap_of(program)
  local kinds, sets, i = program.kind, program.set, 1
  while kinds[i] == OPEN or kinds[i] == POSITION do i = i + 1 end
  if kinds[i] ~= LITERAL and kinds[i] ~= SINGLE or kinds[i + 1] == GREEDY and sets[i + 1] == sets[i] then
    return nil
  end
  local start, overlap = sets[i], 1
  for j = i, program.count do
    local kind, set = kinds[j], sets[j]
    if kind == GREEDY or kind == LAZY then
      if not apart(start, set) then return nil end
    elseif kind == BALANCE or kind == REFERENCE then
      return nil
    elseif kind == LITERAL then
      local text = program.argument[j]
      for k = 1, #text do
        if start[byte(text, k)] then overlap = overlap + 1 end
      end
    elseif set and not apart(start, set) then
      overlap = overlap + 1
    end
  end
  return overlap
end

-- What a program that has been read to its end may cost; nil if native functions could raise an error.
local function judge(program, anchored)
  local captures = captures_of(program)
  if not captures then return nil end
  local shape = shape_of(program)
  local constant, constant_hit = bounds(program, shape, 0)
  return {
    captures = captures, program = program, shape = shape, anchored = anchored,
    overlap = not anchored and overlap_of(program), constant = constant, constant_hit = constant_hit,
  }
end

-- Whether each of these stays short for n bytes: an attempt at one place, a search, a gsub.
local function once_fits(judgement, n)
  local miss, hit = bounds(judgement.program, judgement.shape, n)
  return miss <= C.budget and hit <= C.budget
end

local function search_cost(judgement, n)
  local miss, hit = bounds(judgement.program, judgement.shape, n)
  if judgement.anchored then return (miss > hit and miss or hit), hit end
  local overlap = judgement.overlap
  if overlap then return n * (LEVEL + STEP + judgement.constant) + overlap * miss + hit, hit end
  return n * (LEVEL + bounds(judgement.program, judgement.shape, n / 2)) + hit, hit
end

local function search_fits(judgement, n) return search_cost(judgement, n) <= C.budget end

local function gsub_fits(judgement, n)
  local cost, hit = search_cost(judgement, n)
  if not judgement.anchored then
    cost = cost + n * (MATCHED + (judgement.shape.tight and judgement.constant_hit or hit))
  end
  return cost <= C.budget
end

C.judge, C.once_fits, C.search_fits, C.gsub_fits = judge, once_fits, search_fits, gsub_fits
K.cost = C
