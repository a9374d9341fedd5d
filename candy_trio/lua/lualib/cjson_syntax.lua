-- cjson: the tokens of a JSON text, exactly as lua-cjson reads them, and what is wrong with a text.
--
-- The two decoders have a fast way for what most texts are made of; whatever that does not take is
-- read here: blanks and comments, escapes, every form of number that strtod takes, and what is
-- wrong. A token is four values: its kind in lua-cjson's words, where it begins, where what follows
-- begins, and its value. What is no token has as its kind the words of the error message.

local NULL, pieces_of = ...

local math_type, tonumber, tostring = math.type, tonumber, tostring
local byte, char, find, gsub, lower, sub =
      string.byte, string.char, string.find, string.gsub, string.lower, string.sub
local floor, join = math.floor, pieces_of.join

local LONG = 65536       -- bytes of a string that is looked through in pieces
local NEAR = 64          -- of the first of them

local QUOTE, PLUS, MINUS, SLASH, ZERO, NINE, BACKSLASH = 34, 43, 45, 47, 48, 57, 92
local NUL = find('\0', '%z') and '%z' or '\0'      -- in a pattern: 5.1's end with the byte itself

local PUNCTUATION = {
  [0x7B] = 'T_OBJ_BEGIN', [0x7D] = 'T_OBJ_END', [0x5B] = 'T_ARR_BEGIN', [0x5D] = 'T_ARR_END',
  [0x3A] = 'T_COLON', [0x2C] = 'T_COMMA',
}

-- ---------------------------------------------------------------------- strings
local UNESCAPED = {
  ['"'] = '"', ['\\'] = '\\', ['/'] = '/', b = '\b', f = '\f', n = '\n', r = '\r', t = '\t',
}

local function utf8_of(code)
  if code < 0x80 then return char(code) end
  local tail = char(0x80 + code % 64)
  code = floor(code / 64)
  if code < 0x20 then return char(0xC0 + code) .. tail end
  tail = char(0x80 + code % 64) .. tail
  code = floor(code / 64)
  if code < 0x10 then return char(0xE0 + code) .. tail end
  return char(0xF0 + floor(code / 64), 0x80 + code % 64) .. tail
end

local function code_unit(text, at)
  local _, _, digits = find(text, '^\\u(%x%x%x%x)', at)
  return digits and tonumber(digits, 16)
end

-- The character of the "\u" escape at `at`, and where it ends; nil if it is none.
local function unicode_escape(text, at)
  local unit = code_unit(text, at)
  if not unit then return nil end
  if unit < 0xD800 or unit > 0xDFFF then return utf8_of(unit), at + 6 end
  local low = unit < 0xDC00 and code_unit(text, at + 6)
  if not low or low < 0xDC00 or low > 0xDFFF then return nil end
  return utf8_of(0x10000 + (unit - 0xD800) * 0x400 + low - 0xDC00), at + 12
end

-- The next quote or backslash at `at` or behind it. Most are near, and what is looked through is copied.
local function next_special(text, at)
  local size = NEAR
  while at <= #text do
    local stop = find(sub(text, at, at + size - 1), '["\\]')
    if stop then return at + stop - 1 end
    at = at + size
    if size < LONG then size = size * 4 end
  end
  return nil
end

-- The string that begins at `start`, escape by escape: for what is wrong with it, and where.
local function careful_string(text, start)
  local pieces, n, at = {}, 0, start + 1
  while true do
    local stop = next_special(text, at)
    if not stop then return 'unexpected end of string', #text + 1 end
    n = n + 1
    pieces[n] = sub(text, at, stop - 1)
    if byte(text, stop) == QUOTE then return 'T_STRING', start, stop + 1, join(pieces, n) end
    local letter, piece = sub(text, stop + 1, stop + 1), nil
    if letter == 'u' then
      piece, at = unicode_escape(text, stop)
      if not piece then return 'invalid unicode escape code', stop end
    else
      piece, at = UNESCAPED[letter], stop + 2
      if not piece then return 'invalid escape code', stop end
    end
    n = n + 1
    pieces[n] = piece
  end
end

-- The character of "\uXXXX", by its digits; no half of a pair has one. Those that came up are kept.
local units, units_kept = {}, 0
local MAX_UNITS = 2000

local function unit_text(digits)
  local text = units[digits]
  if not text then
    local unit = tonumber(digits, 16)
    if unit >= 0xD800 and unit <= 0xDFFF then return nil end
    text = unit == BACKSLASH and '\0' or utf8_of(unit)
    if units_kept < MAX_UNITS then units[digits], units_kept = text, units_kept + 1 end
  end
  return text
end

local function pair_text(high, low)
  return utf8_of(0x10000 + (tonumber(high, 16) - 0xD800) * 0x400 + tonumber(low, 16) - 0xDC00)
end

-- What the inside of a string with escapes means; nil if it must be looked at carefully. The text
-- holds no NUL, so that one can stand for each backslash that is meant.
local function unescaped(inside)
  if find(inside, '\\\\', 1, true) then inside = gsub(inside, '\\\\', '\0') end
  if find(inside, '\\u', 1, true) then
    if find(inside, '\\u0000', 1, true) then return nil end
    inside = gsub(inside, '\\u([dD][89abAB]%x%x)\\u([dD][c-fC-F]%x%x)', pair_text)
    inside = gsub(inside, '\\u(%x%x%x%x)', unit_text)
  end
  inside = gsub(inside, '\\(["/bfnrt])', UNESCAPED)
  if find(inside, '\\', 1, true) then return nil end
  if find(inside, '\0', 1, true) then inside = gsub(inside, NUL, '\\') end
  return inside
end

-- Where the string that begins at `start` ends: the first quote behind an even number of backslashes.
local function end_of_string(text, start)
  local stop = start
  while true do
    stop = find(text, '"', stop + 1, true)
    if not stop then return nil end
    local before = stop - 1
    while byte(text, before) == BACKSLASH do before = before - 1 end
    if (stop - before) % 2 == 1 then return stop end
  end
end

local function string_token(text, start)
  local stop = end_of_string(text, start)
  local value = stop and stop - start <= LONG and unescaped(sub(text, start + 1, stop - 1))
  if value then return 'T_STRING', start, stop + 1, value end
  return careful_string(text, start)
end

-- ---------------------------------------------------------------------- numbers
local INFINITY = 1 / 0
local NAN = INFINITY - INFINITY
if find(tostring(NAN), '-', 1, true) then NAN = -NAN end   -- the one that prints as in lua-cjson

-- Where there are integers, text that is one and fits becomes one, so that it prints as it came;
-- "-0" is the exception, for no integer says that.
local HAS_INTEGERS = math_type ~= nil
local MINUS_ZERO = tonumber('-0.0')

-- LuaJIT refuses an exponent of seven digits, which strtod takes for what it comes to. `mark` matches
-- what goes before an exponent. No pattern here may try from more than one place: digits can be many.
local function to_number(text, mark)
  local value = tonumber(text)
  if value then return value end
  local at = find(text, mark)
  local _, _, sign = find(text, '^([+-]?)0*%d%d%d%d%d%d%d+$', at and at + 1 or #text + 1)
  return sign and tonumber(sub(text, 1, at) .. sign .. '999999')
end

local function decimal(text)
  local value = to_number(text, '[eE]')
  if value == 0 and HAS_INTEGERS and byte(text, 1) == MINUS then return MINUS_ZERO end
  return value
end

-- tonumber wraps hexadecimal integers; with an exponent they are floats.
local function hexadecimal(text)
  if HAS_INTEGERS and not find(text, '[pP]') then text = text .. 'p0' end
  return to_number(text, '[pP]')
end

local function after(text, pattern, at)
  local _, stop = find(text, pattern, at)
  return stop and stop + 1
end

-- The end of digits that match `digit`, with at most one point among them; nil without any digit.
local function end_of_digits(text, at, digit)
  local whole = after(text, '^' .. digit .. '+', at)
  local point = after(text, '^%.', whole or at)
  local fraction = point and after(text, '^' .. digit .. '+', point)
  return fraction or whole and (point or whole)
end

-- What strtod makes of the text at `at`: a number and where it ends, or nil.
local function number_at(text, at)
  local first = byte(text, at)
  local digits = (first == PLUS or first == MINUS) and at + 1 or at
  local start = first == PLUS and at + 1 or at
  if find(text, '^0[xX]', digits) then
    local stop = end_of_digits(text, digits + 2, '%x')
    if stop then
      stop = after(text, '^[pP][+-]?%d+', stop) or stop
      return hexadecimal(sub(text, start, stop - 1)), stop
    end
  end
  local stop = end_of_digits(text, digits, '%d')
  if stop then
    stop = after(text, '^[eE][+-]?%d+', stop) or stop
    return decimal(sub(text, start, stop - 1)), stop
  end
  local word = lower(sub(text, digits, digits + 7))
  if sub(word, 1, 3) == 'inf' then
    local value = first == MINUS and -INFINITY or INFINITY
    return value, digits + (word == 'infinity' and 8 or 3)
  end
  if sub(word, 1, 3) == 'nan' then
    return NAN, after(text, '^%([%w_]*%)', digits + 3) or digits + 3
  end
  return nil
end

-- Whether strtod takes more here than JSON knows: "+1", "0x1", "01", "inf", "nan".
local function is_lax(text, at)
  if find(text, '^%+', at) or find(text, '^%-?0[xX%d]', at) then return true end
  local _, _, word = find(text, '^%-?(%a%a%a)', at)
  word = word and lower(word)
  return word == 'inf' or word == 'nan'
end

local function number_token(text, at)
  local value, behind = number_at(text, at)
  if value == nil then return 'invalid number', at end
  return 'T_NUMBER', at, behind, value
end

-- ---------------------------------------------------------------------- tokens
-- Behind the comment at `at`; nil if there is none, or no end of it.
local function behind_comment(text, at)
  if find(text, '^//', at) then return find(text, '\n', at, true) or #text + 1 end
  if not find(text, '^/%*', at) then return nil end
  local _, stop = find(text, '*/', at + 2, true)
  return stop and stop + 1
end

-- The token at `at` or behind the blanks there. `text` holds no NUL.
local function token(text, at, cfg)
  local c
  repeat
    at = find(text, '[^ \t\r\n]', at)
    if not at then return 'T_END', #text + 1, #text + 1 end
    c = byte(text, at)
    local behind = c == SLASH and cfg.decode_allow_comment and behind_comment(text, at)
    at = behind or at
  until not behind
  local kind = PUNCTUATION[c]
  if kind then return kind, at, at + 1 end
  if c == QUOTE then return string_token(text, at) end
  if c == MINUS or c >= ZERO and c <= NINE then
    if not cfg.decode_invalid_numbers and is_lax(text, at) then return 'invalid number', at end
    return number_token(text, at)
  end
  if find(text, '^true', at) then return 'T_BOOLEAN', at, at + 4, true end
  if find(text, '^false', at) then return 'T_BOOLEAN', at, at + 5, false end
  if find(text, '^null', at) then return 'T_NULL', at, at + 4, NULL end
  if cfg.decode_invalid_numbers and find(text, '^[+iInN]', at) and is_lax(text, at) then
    return number_token(text, at)
  end
  return 'invalid token', at
end

-- ---------------------------------------------------------------------- what the decoders share
local function problem_of(expected, kind, at)
  return 'Expected ' .. expected .. ' but found ' .. kind .. ' at character ' .. at
end

local function too_deep(depth, at)
  return 'Found too many nested data structures (' .. depth .. ') at character ' .. at
end

-- `value`, if the text ends at `at`; or nil and the problem.
local function at_the_end(text, at, cfg, value)
  local kind
  kind, at = token(text, at, cfg)
  if kind ~= 'T_END' then return nil, problem_of('the end', kind, at) end
  return value
end

-- Behind an opening bracket and blanks: where the first member begins, or, if there is none, where
-- what follows the container does and true.
local function behind_comments(text, at, cfg, in_array)
  local kind, _, behind = token(text, at, cfg)
  if kind == (in_array and 'T_ARR_END' or 'T_OBJ_END') then return behind, true end
  return at, false
end

-- The key at `at`, and where what follows its colon begins; or nil, nil and the problem.
local function other_key(text, at, cfg)
  local kind, found, behind, key = token(text, at, cfg)
  if kind ~= 'T_STRING' then return nil, nil, problem_of('object key string', kind, found) end
  kind, found, behind = token(text, behind, cfg)
  if kind ~= 'T_COLON' then return nil, nil, problem_of('colon', kind, found) end
  return key, behind
end

-- Behind a member or an element: where what follows begins, and whether the container has ended; or
-- nil, nil and the problem.
local function delimiter(text, at, cfg, in_array)
  local kind, found, behind = token(text, at, cfg)
  if kind == 'T_COMMA' then return behind, false end
  if kind == (in_array and 'T_ARR_END' or 'T_OBJ_END') then return behind, true end
  return nil, nil, problem_of(in_array and 'comma or array end' or 'comma or object end', kind, found)
end

return {
  token = token, problem_of = problem_of, too_deep = too_deep, at_the_end = at_the_end,
  LONG = LONG, behind_comments = behind_comments, other_key = other_key, delimiter = delimiter,
  NULL = NULL, MINUS_ZERO = MINUS_ZERO,
}
