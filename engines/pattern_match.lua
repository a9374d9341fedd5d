-- The matcher in Lua: what the native one does, one step after the other, so that it can be
-- interrupted. Its choices are on a stack of its own, a table.

local K = ...

local items, raise = K.items, K.raise
local byte, find, sub = string.byte, string.find, string.sub
local LITERAL, SINGLE, OPTIONAL, GREEDY, LAZY, OPEN, CLOSE, POSITION, BALANCE, FRONTIER, REFERENCE,
      FINISH, DONE = items.LITERAL, items.SINGLE, items.OPTIONAL, items.GREEDY, items.LAZY, items.OPEN,
      items.CLOSE, items.POSITION, items.BALANCE, items.FRONTIER, items.REFERENCE, items.FINISH,
      items.DONE
local read = items.read

local IS_JIT, IS_51 = K.is_jit, K.is_51
local SKIPS = not IS_JIT and not IS_51    -- what may be left out and is not there takes no level
local MAX_CHOICES = IS_51 and 1e6 or 199  -- "pattern too complex": the native matcher's recursion
local MAX_CAPTURES = 32
local UNFINISHED, IS_POSITION = -1, -2    -- in the place of a capture's end
local BY_HAND = IS_JIT and 1e9 or 8       -- bytes of a run before a native call looks for its end
local WINDOW = 65536                      -- bytes that one native call looks at

local MALFORMED_INDEX = 'invalid capture index'

-- `number` counts from 1.
local function bad_index(number, where)
  if IS_JIT or IS_51 then return raise(MALFORMED_INDEX) end
  return raise(MALFORMED_INDEX .. ' %' .. number .. (where or ''))
end

-- Where a run of `set` that has got to `i` ends: the first byte that is none of it.
local function run_end(s, i, size, set)
  local by_hand = i + BY_HAND
  while i <= size and set[byte(s, i)] do
    i = i + 1
    if i == by_hand and set.text then
      local run = '^' .. set.text .. '*'
      while i <= size do
        local _, last = find(sub(s, i, i + WINDOW - 1), run)
        i = i + last
        if last < WINDOW then return i end
      end
      return i
    end
  end
  return i
end

local function same(s, a, b, length)
  for k = 0, length - 1 do
    if byte(s, a + k) ~= byte(s, b + k) then return false end
  end
  return true
end

local function balance_end(s, i, size, first, last)
  if i > size or byte(s, i) ~= first then return nil end
  local depth = 1
  for k = i + 1, size do
    local code = byte(s, k)
    if code == last then
      depth = depth - 1
      if depth == 0 then return k + 1 end
    elseif code == first then
      depth = depth + 1
    end
  end
  return nil
end

-- The captures of one match: where each starts, and where it ends or what it is instead.
local function new_captures() return {level = 0, first = {}, after = {}, choices = {}} end

-- Matches `program` at place `i` of `s`: where the match ends (the place after it), or nil.
local function attempt(program, s, i, captures)
  local kinds, sets, arguments = program.kind, program.set, program.argument
  local firsts, afters, level = captures.first, captures.after, 0
  local size = #s
  -- A choice is three fields: the item, the place, and the least place or the capture.
  local choices, top = captures.choices, 0
  local pc = 1
  while true do
    local kind, failed = kinds[pc] or read(program), false
    if kind == SINGLE then
      if i <= size and sets[pc][byte(s, i)] then i, pc = i + 1, pc + 1 else failed = true end
    elseif kind == LITERAL then
      local text = arguments[pc]
      local length = #text
      if i + length - 1 > size then
        failed = true
      else
        for k = 1, length do
          if byte(s, i + k - 1) ~= byte(text, k) then
            failed = true
            break
          end
        end
        i, pc = i + length, pc + 1
      end
    elseif kind == GREEDY then
      local last = run_end(s, i, size, sets[pc])
      if last > i or not SKIPS or arguments[pc] then
        if top >= MAX_CHOICES * 3 then return raise('pattern too complex') end
        choices[top + 1], choices[top + 2], choices[top + 3] = pc, last, i
        top = top + 3
      end
      i, pc = last, pc + 1
    elseif kind == LAZY then
      if not SKIPS or i <= size and sets[pc][byte(s, i)] then
        if top >= MAX_CHOICES * 3 then return raise('pattern too complex') end
        choices[top + 1], choices[top + 2], choices[top + 3] = pc, i, i
        top = top + 3
      end
      pc = pc + 1
    elseif kind == OPTIONAL then
      if i <= size and sets[pc][byte(s, i)] then
        if top >= MAX_CHOICES * 3 then return raise('pattern too complex') end
        choices[top + 1], choices[top + 2], choices[top + 3] = pc, i, i
        top = top + 3
        i = i + 1
      end
      pc = pc + 1
    elseif kind == OPEN or kind == POSITION then
      if level >= MAX_CAPTURES then return raise('too many captures') end
      if top >= MAX_CHOICES * 3 then return raise('pattern too complex') end
      level = level + 1
      firsts[level], afters[level] = i, kind == OPEN and UNFINISHED or IS_POSITION
      choices[top + 1], choices[top + 2], choices[top + 3] = pc, i, level
      top = top + 3
      pc = pc + 1
    elseif kind == CLOSE then
      local closed = level
      while closed > 0 and afters[closed] ~= UNFINISHED do closed = closed - 1 end
      if closed == 0 then return raise('invalid pattern capture') end
      if top >= MAX_CHOICES * 3 then return raise('pattern too complex') end
      afters[closed] = i
      choices[top + 1], choices[top + 2], choices[top + 3] = pc, i, closed
      top = top + 3
      pc = pc + 1
    elseif kind == DONE then
      captures.level = level
      return i
    elseif kind == FINISH then
      if i > size then pc = pc + 1 else failed = true end
    elseif kind == FRONTIER then
      local set = sets[pc]
      local before, here = i > 1 and byte(s, i - 1) or 0, i <= size and byte(s, i) or 0
      if not set[before] and set[here] then pc = pc + 1 else failed = true end
    elseif kind == BALANCE then
      local after = balance_end(s, i, size, arguments[pc], program.second[pc])
      if after then i, pc = after, pc + 1 else failed = true end
    elseif kind == REFERENCE then
      local number = arguments[pc]
      local after = number > 0 and number <= level and afters[number]
      if not after or after == UNFINISHED then return bad_index(number) end
      local length = after - firsts[number]
      if after ~= IS_POSITION and i + length - 1 <= size and same(s, firsts[number], i, length) then
        i, pc = i + length, pc + 1
      else
        failed = true
      end
    else
      return raise(arguments[pc])
    end

    while failed do
      if top == 0 then return nil end
      pc = choices[top - 2]
      kind = kinds[pc]
      if kind == GREEDY then
        i = choices[top - 1] - 1
        if i >= choices[top] then
          choices[top - 1] = i
          failed = false
        else
          top = top - 3
        end
      elseif kind == LAZY then
        i = choices[top - 1]
        if i <= size and sets[pc][byte(s, i)] then
          i = i + 1
          choices[top - 1] = i
          failed = false
        else
          top = top - 3
        end
      elseif kind == OPTIONAL then
        i = choices[top - 1]
        top = top - 3
        failed = false
      elseif kind == CLOSE then
        afters[choices[top]] = UNFINISHED
        top = top - 3
      else
        level = level - 1
        top = top - 3
      end
      if not failed then pc = pc + 1 end
    end
  end
end

K.matcher = {
  attempt = attempt, new_captures = new_captures, bad_index = bad_index,
  UNFINISHED = UNFINISHED, IS_POSITION = IS_POSITION,
}
