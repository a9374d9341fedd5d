-- find, match, gmatch and gsub for scripts: quick ones are the native functions' work, and no other
-- call of a native function is a long one.
--
-- A search of a subject goes one of three ways:
-- * the native function, where neither pattern nor subject can make it long (pattern_cost.lua);
-- * else place by place: the native function at each place where a match may begin, if one such
--   attempt can't be long;
-- * else the matcher in Lua (pattern_match.lua), which can be interrupted.
-- gsub calls a script's function or metamethod from Lua, so that it can be interrupted, and wait.

local K = ...

local items, cost, matcher, plain_find, nested = K.items, K.cost, K.matcher, K.plain_find, K.nested
local raise = K.raise
local attempt, new_captures = matcher.attempt, matcher.new_captures
local IS_UNFINISHED, IS_POSITION = matcher.UNFINISHED, matcher.IS_POSITION
local byte, find, sub = string.byte, string.find, string.sub
local native_match, native_gmatch, native_gsub = string.match, string.gmatch, string.gsub
local concat, floor, huge, unpack = table.concat, math.floor, math.huge, table.unpack or unpack
local getinfo, pcall, select, tonumber, type = debug.getinfo, pcall, select, tonumber, type

-- What engines differ in.
local IS_JIT, IS_51 = K.is_jit, K.is_51
local IS_OLD = IS_JIT or IS_51                   -- what comes behind "\0" is no part of a pattern
local CLIPS = find('', '', 10) ~= nil            -- a search from behind the end is one from the end
local NO_EMPTY_AFTER = select(2, native_gsub('a', 'a*', '')) == 1    -- a match, an empty one there
local HAS_INIT = native_gmatch('ab', '.', 2)() == 'b'                -- gmatch has
local IS_STRICT = not pcall(native_gsub, 'a', 'a', '%x')             -- a replacement's "%"
local MAX_WHOLE = IS_JIT and 2 ^ 31 or 2 ^ 53    -- numbers beyond are the least one, as places

local MAX_PATTERN = IS_51 and 8192 or huge       -- bytes; 5.1's own matcher would overrun the C stack
local MAX_JUDGED = 1024     -- bytes of a pattern: a longer one is the Lua matcher's
local MAX_WEIGHT = 1000     -- of the plans that are kept: about as many KB
local MAX_OUTPUT = 2 ^ 20   -- bytes that a native gsub may put in
local MAX_PIECES = 512      -- of a gsub's result before they are put together
local MAX_PREFIX = 64       -- bytes of a literal that places are looked for by
local WINDOW = 65536        -- bytes of a subject that one native call looks at
local LEAST = 256           -- bytes of a subject: no smaller limit is worth knowing

local BAD_INDEX, NAMES_INDEX = 'invalid capture index', math.type ~= nil    -- in a replacement

local CARET, PERCENT, ZERO, NINE = byte('^%09', 1, -1)
local SPECIAL = '[%^%$%*%+%?%.%(%[%%%-]'         -- what makes a pattern of the text that find gets

-- ---------------------------------------------------------------------- arguments
-- How the script called the function of ours that executes: by which name, and whether as a method.
local function called_as(name)
  local level = 2
  while true do
    local info = getinfo(level, 'Sl')
    if not info or info.what == 'C' then return name, false end
    if info.currentline > 0 and sub(info.short_src, 1, 6) ~= '[candy' then break end
    level = level + 1
  end
  local call = getinfo(level - 1, 'n')
  if not call.name or call.namewhat == '' then return name, false end
  return call.name, call.namewhat == 'method'
end

-- Raises what a native function said of its arguments, as it would have said it to the script.
local function refuse(name, message)
  local _, _, position, reason = find(message, "^bad argument #(%d+) to '[^']*' (.*)$")
  if not position then return raise(message) end
  local is_method
  name, is_method = called_as(name)
  if is_method then
    position = position - 1
    if position == 0 then return raise("calling '" .. name .. "' on bad self") end
  end
  return raise('bad argument #' .. position .. " to '" .. name .. "' " .. reason)
end

-- `ok` and `message` are what pcall gave of a native function that was called for its checks.
local function checked(name, ok, message)
  if not ok then return refuse(name, message) end
end

local function as_text(name, s, pattern)
  if type(s) ~= 'string' then
    if type(s) ~= 'number' then checked(name, pcall(find, s, '')) end
    s = s .. ''
  end
  if type(pattern) ~= 'string' then
    if type(pattern) ~= 'number' then checked(name, pcall(find, '', pattern)) end
    pattern = pattern .. ''
  end
  return s, pattern
end

-- The place in `s` that `init` means; nil behind the end, where that means no search.
local function place_of(name, s, init, clips)
  if init == nil then return 1 end
  if type(init) ~= 'number' or init % 1 ~= 0 then
    checked(name, pcall(find, '', '', init))
    init = tonumber(init)
  end
  if not (init > -MAX_WHOLE and init < MAX_WHOLE) then
    checked(name, pcall(find, '', '', init))
    if IS_OLD or init ~= init or init % 1 ~= 0 then return 1 end
  end
  init = init < 0 and -floor(-init) or floor(init)
  local size = #s
  if init < 0 then init = size + init + 1 end
  if init < 1 then return 1 end
  if init <= size + 1 then return init end
  return clips and size + 1 or nil
end

-- How many matches `n` lets gsub replace; the native function has taken it already.
local function most(n)
  if n == nil then return huge end
  if type(n) == 'number' and n % 1 == 0 and n >= 0 and n < 2 ^ 31 then return n end
  local _, count = native_gsub('a', '', '', n)
  if count < 2 then return count end
  n = tonumber(n)
  return n >= 2 and n < 2 ^ 31 and floor(n) or huge
end

-- ---------------------------------------------------------------------- plans
-- What is known of the patterns in use, each: its plan, and, for those that can't raise an error, up
-- to which size of a subject find and gsub are the native functions', and the number of captures.
local plans, quick, quick_gmatch, quick_gsub, groups, weight = {}, {}, {}, {}, {}, 0

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
  repeat kind = items.read(program) until kind == items.DONE or kind == items.ERROR
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
  if weight > MAX_WEIGHT then
    plans, quick, quick_gmatch, quick_gsub, groups, weight = {}, {}, {}, {}, {}, 0
  end
  weight = weight + weight_of(program)
  plans[given] = plan
  return plan
end

local function plan_of(pattern) return plans[pattern] or new_plan(pattern) end

-- The rest of the pattern is judged when a subject has a size that is not known yet.
local function once_fits(plan, n)
  if n <= plan.once then return true end
  if n >= plan.not_once * 0.75 then return false end
  if cost.once_fits(plan.judgement, n) then
    plan.once = n
    return true
  end
  plan.not_once = n
  return false
end

local function search_fits(plan, n)
  if n <= plan.search then return true end
  if n >= plan.not_search * 0.75 then return false end
  if cost.search_fits(plan.judgement, n) then
    plan.search = n
    return true
  end
  plan.not_search = n
  return false
end

local function gsub_fits(plan, n)
  if n <= plan.gsub then return true end
  if n >= plan.not_gsub * 0.75 then return false end
  if cost.gsub_fits(plan.judgement, n) then
    plan.gsub = n
    return true
  end
  plan.not_gsub = n
  return false
end

-- Whether a native search of n bytes is short; notes in `limits` for how many more it would be.
local function note_search(limits, pattern, plan, n)
  local more = n * 2 > LEAST and n * 2 or LEAST
  local fits = search_fits(plan, more) or search_fits(plan, n)
  if fits and plans[pattern] then limits[pattern] = plan.search end
  return fits
end

local function note_gsub(pattern, plan, n)
  local more = n * 2 > LEAST and n * 2 or LEAST
  if (gsub_fits(plan, more) or gsub_fits(plan, n)) and plans[pattern] then
    groups[pattern] = plan.judgement.captures
    quick_gsub[pattern] = plan.gsub
  end
end

-- ---------------------------------------------------------------------- searching
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

-- Where the plan's pattern matches first at or after `at`: what find gives.
local function search(plan, s, at, is_lax)
  local size, captures = #s, nil
  while at <= size + 1 do
    if search_fits(plan, size - at + 1) then return find(s, plan.pattern, at) end
    at = next_place(plan, s, at)
    if not at then return nil end
    if once_fits(plan, size - at + 1) then
      if find(s, plan.anchored, at) then return find(s, plan.anchored, at) end
    else
      captures = captures or new_captures()
      local after = attempt(plan.program, s, at, captures)
      if after then return found(s, at, after, captures, is_lax) end
    end
    if plan.is_anchored then return nil end
    at = at + 1
  end
  return nil
end

-- ---------------------------------------------------------------------- find and match
-- Whether find takes `pattern` for plain text.
local function is_plain(pattern)
  if IS_51 then
    local zero = plain_find(pattern, '\0', 1)
    if zero then pattern = sub(pattern, 1, zero - 1) end
  end
  for at = 1, #pattern, WINDOW do
    if find(sub(pattern, at, at + WINDOW - 1), SPECIAL) then return false end
  end
  return true
end

local function slow_find(s, pattern, init, plain)
  s, pattern = as_text('find', s, pattern)
  local at = place_of('find', s, init, CLIPS)
  if not at then return nil end
  local plan = plans[pattern]
  if plain or not plan and is_plain(pattern) then return plain_find(s, pattern, at) end
  plan = plan or new_plan(pattern)
  if note_search(quick, pattern, plan, #s - at + 1) then return find(s, pattern, at) end
  return search(plan, s, at)
end

-- What match gives of what find gives.
local function captured(s, first, last, capture, ...)
  if not first then return nil end
  if capture == nil then return sub(s, first, last) end
  return capture, ...
end

local function slow_match(s, pattern, init)
  s, pattern = as_text('match', s, pattern)
  local at = place_of('match', s, init, CLIPS)
  if not at then return nil end
  local plan = plan_of(pattern)
  if note_search(quick, pattern, plan, #s - at + 1) then return native_match(s, pattern, at) end
  return captured(s, search(plan, s, at))
end

-- The frame that stands between the two is where K.raise finds the script's.
local function pass(...) return ... end

-- A native function that we call would name our line in its errors: so here it gets nothing that it
-- could complain about.
function nested.find(s, pattern, init, plain)
  local limit = quick[pattern]
  if limit and type(s) == 'string' and #s <= limit
     and (init == nil or type(init) == 'number' and init % 1 == 0 and init < 2 ^ 31 and init > -2 ^ 31) then
    return find(s, pattern, init, plain)
  end
  return pass(slow_find(s, pattern, init, plain))
end

function nested.match(s, pattern, init)
  local limit = quick[pattern]
  if limit and type(s) == 'string' and #s <= limit
     and (init == nil or type(init) == 'number' and init % 1 == 0 and init < 2 ^ 31 and init > -2 ^ 31) then
    return native_match(s, pattern, init)
  end
  return pass(slow_match(s, pattern, init))
end

-- ---------------------------------------------------------------------- gmatch
local function slow_gmatch(s, pattern, init)
  s, pattern = as_text('gmatch', s, pattern)
  local at, last = 1, nil
  if HAS_INIT then at = place_of('gmatch', s, init, false) or #s + 2 end
  -- "^" is no anchor here.
  if byte(pattern, 1) == CARET then pattern = '%' .. pattern end
  local plan = plan_of(pattern)
  if note_search(quick_gmatch, pattern, plan, #s) then return native_gmatch(s, pattern, HAS_INIT and at or nil) end

  local function step(first, after, capture, ...)
    if not first then
      at = #s + 2
      return nil
    end
    if first > after then
      at = first + 1
      if first == last then return step(search(plan, s, at)) end
    else
      at = after + 1
      if NO_EMPTY_AFTER then last = at end
    end
    if capture == nil then return sub(s, first, after) end
    return capture, ...
  end
  return function() return pass(step(search(plan, s, at))) end
end

function nested.gmatch(s, pattern, init)
  local limit = quick_gmatch[pattern]
  if limit and init == nil and type(s) == 'string' and #s <= limit then
    return native_gmatch(s, pattern)
  end
  return pass(slow_gmatch(s, pattern, init))
end
nested.gfind = nested.gmatch

-- ---------------------------------------------------------------------- gsub
-- The text that is made, in pieces: `out` becomes one of `done` when it has enough of them.
local function append(job, piece)
  local n = job.pieces + 1
  job.out[n] = piece
  if n == MAX_PIECES then
    job.done[#job.done + 1] = concat(job.out, '', 1, n)
    n = 0
  end
  job.pieces = n
end

local function capture_of(value)
  if value == UNFINISHED then return raise('unfinished capture') end
  return value
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

local function expand(job, whole, ...)
  local parts, count = job.parts, select('#', ...)
  for k = 1, #parts do
    local part = parts[k]
    local kind = type(part)
    if kind == 'table' then return raise(part[1]) end
    if kind == 'number' then
      if part == 0 or part == 1 and count == 0 then
        part = whole
      elseif part > count then
        return raise(BAD_INDEX .. (NAMES_INDEX and ' %' .. part or ''))
      else
        part = capture_of((select(part, ...)))
      end
    end
    append(job, part)
  end
end

local function check_finished(count, ...)
  for k = 1, count do capture_of((select(k, ...))) end
end

-- Goes on with one match; gives the place where to look for the next, or nil if there was none.
local function take(job, first, last, capture, ...)
  if not first then return nil end
  -- Behind a match there is no empty one, on the engines that note its end.
  if first > last and first == job.last then return first + 1 end
  local s, replacement, value = job.s, job.replacement, nil
  if first > job.from then append(job, sub(s, job.from, first - 1)) end
  job.from, job.count = last + 1, job.count + 1
  local whole = sub(s, first, last)
  if job.kind == 'string' then
    if capture == nil then expand(job, whole) else expand(job, whole, capture, ...) end
  else
    if job.kind == 'table' then
      if capture == nil then value = replacement[whole] else value = replacement[capture_of(capture)] end
    elseif capture == nil then
      value = replacement(whole)
    else
      if job.is_lax then check_finished(1 + select('#', ...), capture, ...) end
      value = replacement(capture, ...)
    end
    if not value then
      value = whole
    elseif type(value) ~= 'string' and type(value) ~= 'number' then
      return raise('invalid replacement value (a ' .. type(value) .. ')')
    end
    append(job, value)
  end
  if first > last then return first + 1 end
  if NO_EMPTY_AFTER then job.last = last + 1 end
  return last + 1
end

local function replace(plan, s, replacement, n)
  local job = {
    s = s, replacement = replacement, kind = type(replacement), is_lax = not plan.judgement,
    count = 0, from = 1, pieces = 0, out = {}, done = {},
  }
  if job.kind == 'string' then job.parts = parts_of(replacement) end
  local at, size = 1, #s
  while at and job.count < n and at <= size + 1 do
    at = take(job, search(plan, s, at, true))
    if plan.is_anchored then break end
  end
  if job.count == 0 then return s, 0 end
  append(job, sub(s, job.from))
  local done = job.done
  done[#done + 1] = concat(job.out, '', 1, job.pieces)
  return concat(done), job.count
end

-- Of the replacement strings in use: the highest capture that each names; those that are wrong are
-- not in it.
local highest, known = {}, 0

local function note_replacement(replacement)
  local parts, top = parts_of(replacement), 0
  for k = 1, #parts do
    local part = parts[k]
    if type(part) == 'table' then return end
    if type(part) == 'number' and part > top then top = part end
  end
  if known >= MAX_WEIGHT then highest, known = {}, 0 end
  highest[replacement], known = top, known + 1
end

local function slow_gsub(s, pattern, replacement, n)
  s, pattern = as_text('gsub', s, pattern)
  checked('gsub', pcall(native_gsub, '', 'x', replacement, n))
  if type(replacement) == 'number' then replacement = replacement .. '' end
  local plan = plan_of(pattern)
  if type(replacement) == 'string' then
    note_gsub(pattern, plan, #s)
    if #replacement <= MAX_JUDGED and not highest[replacement] then note_replacement(replacement) end
  end
  return replace(plan, s, replacement, most(n))
end

function nested.gsub(s, pattern, replacement, n)
  local limit = quick_gsub[pattern]
  if limit and type(s) == 'string' and #s <= limit and type(replacement) == 'string'
     and #s * #replacement <= MAX_OUTPUT
     and (n == nil or type(n) == 'number' and n % 1 == 0 and n < 2 ^ 31 and n > -2 ^ 31) then
    local top, captures = highest[replacement], groups[pattern]
    if top and captures and (top <= captures or top == 1) then
      return native_gsub(s, pattern, replacement, n)
    end
  end
  return pass(slow_gsub(s, pattern, replacement, n))
end

-- For tests: what a native call may cost from now on, in nanoseconds by our reckoning.
function K.limit_patterns(budget)
  cost.budget = budget
  plans, quick, quick_gmatch, quick_gsub, groups, weight = {}, {}, {}, {}, {}, 0
end
