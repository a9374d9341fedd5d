-- Patterns as lists of items, for the judge in pattern_cost.lua and the matcher in pattern_match.lua.
--
-- Rules of the files pattern_*.lua, patterns.lua and plain_find.lua:
-- * What a pattern means, down to the words of errors, is what the engine's own functions make of
--   it; tests/engines/test_patterns.py compares the two.
-- * Items are read when the matcher gets there, because Lua tells of a malformed item then.
-- * What a class has in it is asked of the native matcher: engines and locales differ.
-- * No long C call, and no state that two calls share but caches that change by one store.

local K = ...

local byte, char, find, gmatch, gsub, sub =
      string.byte, string.char, string.find, string.gmatch, string.gsub, string.sub

local IS_OLD = K.is_jit or K.is_51    -- the matcher is 5.1's
local MAX_TEXT = 32         -- bytes of a set's text that is worth giving to native calls
local MAX_LITERAL = 4096    -- bytes of one literal: a longer one is several

-- Kinds of items, and what belongs to each.
local LITERAL = 1       -- text: bytes that follow each other
local SINGLE = 2        -- set
local OPTIONAL = 3      -- set: "?"
local GREEDY = 4        -- set: "*"; after a SINGLE and with `argument` true, what is left of "+"
local LAZY = 5          -- set: "-"
local OPEN, CLOSE, POSITION = 6, 7, 8
local BALANCE = 9       -- argument, second: the bytes of "%b"
local FRONTIER = 10     -- set
local REFERENCE = 11    -- argument: of which capture
local FINISH = 12       -- "$"
local ERROR = 13        -- argument: the message
local DONE = 14

local NO_CLASS = "malformed pattern (ends with '%')"
local NO_BRACKET = "malformed pattern (missing ']')"
local NO_FRONTIER = "missing '[' after '%f' in pattern"
local NO_BALANCE = IS_OLD and 'unbalanced pattern'
                   or "malformed pattern (missing arguments to '%b')"

local PERCENT, CARET, DOT, OPENING, CLOSING, BRACKET, BRACKET_END, HYPHEN, DOLLAR =
      byte('%^.()[]-$', 1, -1)
local QUESTION, STAR, PLUS, SMALL_B, SMALL_F, ZERO, NINE = byte('?*+bf09', 1, -1)

-- ---------------------------------------------------------------------- sets
-- A set has true for each byte in it. `weight` is how many comparisons a byte may take the native
-- matcher, `text` what the set is in a pattern, if that is short.
local ALL = {weight = 0, text = '.'}
local every = ''
for code = 0, 255 do
  ALL[code] = true
  every = every .. char(code)
end

local known_classes, known_bytes = {}, {}

-- What "%" and the byte `letter` stand for.
local function class_set(letter)
  local set = known_classes[letter]
  if set then return set end
  local text = '%' .. char(letter)
  set = {weight = 1, text = text}
  for member in gmatch(every, text) do set[byte(member)] = true end
  known_classes[letter] = set
  return set
end

local function byte_set(code)
  local set = known_bytes[code]
  if set then return set end
  local text = char(code)
  if find(text, '^%p') then text = '%' .. text end
  set = {[code] = true, weight = 0, text = text}
  known_bytes[code] = set
  return set
end

-- The set from its "[" at `first` to its "]" at `last`.
local function bracket_set(pattern, first, last)
  local set, weight, classes = {owned = true}, 1, {}
  local i, member = first + 1, true
  for code = 0, 255 do set[code] = false end
  if byte(pattern, i) == CARET then
    i, member = i + 1, false
    for code = 0, 255 do set[code] = true end
  end
  while i < last do
    local code, after = byte(pattern, i, i + 1)
    weight = weight + 1
    if code == PERCENT then
      i = i + 1
      if not classes[after] then
        classes[after] = true
        local class = class_set(after)
        for inner = 0, 255 do
          if class[inner] then set[inner] = member end
        end
      end
    elseif after == HYPHEN and i + 2 < last then
      i = i + 2
      for inner = code, byte(pattern, i) do set[inner] = member end
    else
      set[code] = member
    end
    i = i + 1
  end
  set.weight = weight
  return set
end

-- Where the set that opens at `first` has its "]"; nil if nowhere.
local function bracket_end(pattern, first)
  local i, size = first + 1, #pattern
  if byte(pattern, i) == CARET then i = i + 1 end
  repeat
    if i > size then return nil end
    if byte(pattern, i) == PERCENT then i = i + 1 end
    i = i + 1
  until byte(pattern, i) == BRACKET_END
  return i
end

-- ---------------------------------------------------------------------- programs
-- The items of `pattern` (without its anchor) that have been read so far, one list for each property.
-- `start` is filled by whoever wants to know where an item stands.
local function new_program(pattern)
  return {
    pattern = pattern, at = 1, count = 0,
    brackets = {}, start = {}, kind = {}, set = {}, argument = {}, second = {},
  }
end

local function add(program, after, kind, set, argument, second)
  local n = program.count + 1
  program.set[n], program.argument[n], program.second[n] = set or false, argument or false, second or false
  program.kind[n] = kind
  program.count, program.at = n, after
  return kind
end

-- The set at `at`, and what comes after it; nil and a message if it is malformed.
local function single(program, at)
  local pattern, brackets = program.pattern, program.brackets
  local code, after = byte(pattern, at, at + 1)
  if code == PERCENT then
    if not after then return nil, NO_CLASS end
    return class_set(after), at + 2
  elseif code == BRACKET then
    local last = bracket_end(pattern, at)
    if not last then return nil, NO_BRACKET end
    if last - at >= MAX_TEXT then return bracket_set(pattern, at, last), last + 1 end
    local text = sub(pattern, at, last)
    local set = brackets[text]
    if not set then
      set = bracket_set(pattern, at, last)
      set.text, brackets[text] = text, set
    end
    return set, last + 1
  elseif code == DOT then
    return ALL, at + 1
  end
  return byte_set(code), at + 1
end

local SUFFIXES = {[QUESTION] = true, [STAR] = true, [PLUS] = true, [HYPHEN] = true}
local NOT_LITERAL = {
  [PERCENT] = true, [DOT] = true, [OPENING] = true, [CLOSING] = true, [BRACKET] = true, [DOLLAR] = true,
}

-- Bytes without a meaning of their own: where they end, those before a suffix left out.
local function literal_end(pattern, at)
  local i = at
  while i < at + MAX_LITERAL do
    local code, after = byte(pattern, i, i + 1)
    local size = 1
    if code == PERCENT and after and find(char(after), '^%p') then
      size, after = 2, byte(pattern, i + 2)
    elseif not code or NOT_LITERAL[code] then
      return i
    end
    if SUFFIXES[after] then return i end
    i = i + size
  end
  return i
end

-- "%" with a digit or a letter that is more than a class; nil if there is none.
local function read_escape(program, at)
  local pattern = program.pattern
  local letter, first, second = byte(pattern, at + 1, at + 3)
  if letter == SMALL_B then
    if not second then return add(program, at, ERROR, nil, NO_BALANCE) end
    return add(program, at + 4, BALANCE, byte_set(first), first, second)
  elseif letter == SMALL_F then
    if first ~= BRACKET then return add(program, at, ERROR, nil, NO_FRONTIER) end
    local set, after = single(program, at + 2)
    if not set then return add(program, at, ERROR, nil, after) end
    return add(program, after, FRONTIER, set)
  elseif letter and letter >= ZERO and letter <= NINE then
    return add(program, at + 2, REFERENCE, nil, letter - ZERO)
  end
end

local function read_single(program, at)
  local pattern = program.pattern
  local set, after = single(program, at)
  if not set then return add(program, at, ERROR, nil, after) end
  local suffix = byte(pattern, after)
  if suffix == QUESTION then return add(program, after + 1, OPTIONAL, set) end
  if suffix == STAR then return add(program, after + 1, GREEDY, set) end
  if suffix == HYPHEN then return add(program, after + 1, LAZY, set) end
  if suffix == PLUS then
    add(program, after + 1, SINGLE, set)
    add(program, after + 1, GREEDY, set, true)
    return SINGLE
  end
  local last = literal_end(pattern, at)
  if last > at then
    local text = sub(pattern, at, last - 1)
    if find(text, '%', 1, true) then text = gsub(text, '%%(.)', '%1') end
    return add(program, last, LITERAL, byte_set(byte(text)), text)
  end
  return add(program, after, SINGLE, set)
end

-- Reads one more item and gives its kind.
local function read(program)
  local pattern, at = program.pattern, program.at
  local code, after = byte(pattern, at, at + 1)
  if code == nil then return add(program, at, DONE) end
  if code == PERCENT then
    return read_escape(program, at) or read_single(program, at)
  elseif code == OPENING then
    if after == CLOSING then return add(program, at + 2, POSITION) end
    return add(program, at + 1, OPEN)
  elseif code == CLOSING then
    return add(program, at + 1, CLOSE)
  elseif code == DOLLAR and not after then
    return add(program, at + 1, FINISH)
  end
  return read_single(program, at)
end

K.items = {
  new = new_program, read = read, ALL = ALL,
  LITERAL = LITERAL, SINGLE = SINGLE, OPTIONAL = OPTIONAL, GREEDY = GREEDY, LAZY = LAZY, OPEN = OPEN,
  CLOSE = CLOSE, POSITION = POSITION, BALANCE = BALANCE, FRONTIER = FRONTIER, REFERENCE = REFERENCE,
  FINISH = FINISH, ERROR = ERROR, DONE = DONE,
}
