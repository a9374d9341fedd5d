-- cjson: strings with escapes on LuaJIT, byte by byte in loops that its compiler takes; a gsub it
-- leaves to the interpreter.
--
-- Each encode and each decode brings a buffer of its own, because who is in the middle of one may be
-- interrupted by another. Places are numbers: a pointer that a loop moves is made anew each time.
-- A text ends with a NUL, which no step goes past; who calls keeps it alive.

local ffi, buffer = ...

local next = next
local byte = string.byte
local C, cast, new = ffi.C, ffi.cast, ffi.new

local QUOTE, BACKSLASH, LETTER_U = 34, 92, 117
local STRING_END = '"\\'
local LONGEST = 6                    -- bytes of an escape: "\u001f"
local STORED = 8                     -- bytes that one step writes, needed or not
local MAX_TEXT = 1048576             -- bytes: the buffer takes six times as much

-- ---------------------------------------------------------------------- writing
local M = {new_buffer = buffer.new}

-- For each byte what is written for it, in the eight bytes of a number, and how many of them count.
function M.codes(replacements)
  local texts, sizes = new('uint64_t[256]'), new('uint8_t[256]')
  for code = 0, 255 do texts[code], sizes[code] = code, 1 end
  for character, text in next, replacements do
    local packed = 0ULL
    for i = #text, 1, -1 do packed = packed * 256 + byte(text, i) end
    texts[byte(character)], sizes[byte(character)] = packed, #text
  end
  return {texts = texts, sizes = sizes}
end

-- `text` in quotes, escaped; nil if it is too long for this. `out` is an empty buffer.
function M.quoted(text, codes, out)
  local size = #text
  if size > MAX_TEXT then return nil end
  local texts, sizes = codes.texts, codes.sizes
  local from = cast('const uint8_t *', text)
  local to = out:reserve(size * LONGEST + STORED + 2)
  to[0] = QUOTE
  local n = 1
  for i = 0, size - 1 do
    local code = from[i]
    cast('uint64_t *', to + n)[0] = texts[code]
    n = n + sizes[code]
  end
  to[n] = QUOTE
  out:commit(n + 1)
  return out:get()
end

-- ---------------------------------------------------------------------- reading
local MEANINGS, DIGITS = new('uint8_t[256]'), new('int8_t[256]')
for letter, meaning in next, {
  ['"'] = '"', ['\\'] = '\\', ['/'] = '/', b = '\b', f = '\f', n = '\n', r = '\r', t = '\t',
} do MEANINGS[byte(letter)] = byte(meaning) end
for code = 0, 255 do DIGITS[code] = -1 end
for digit = 0, 9 do DIGITS[48 + digit] = digit end
for digit = 10, 15 do DIGITS[55 + digit], DIGITS[87 + digit] = digit, digit end

-- The code unit whose four digits begin at p[at]; below 0 if they are none.
local function code_unit(p, at)
  local a, b, c, d = DIGITS[p[at]], -1, -1, -1
  if a >= 0 then b = DIGITS[p[at + 1]] end
  if b >= 0 then c = DIGITS[p[at + 2]] end
  if c >= 0 then d = DIGITS[p[at + 3]] end
  if d < 0 then return -1 end
  return a * 4096 + b * 256 + c * 16 + d
end

-- Where the string whose opening quote is p[start] ends; 0 if it does not.
local function closing_quote(p, start)
  local at = start + 1
  while true do
    at = at + C.candy_strcspn(p + at, STRING_END)
    local c = p[at]
    if c == QUOTE then return at end
    if c == 0 or p[at + 1] == 0 then return 0 end
    at = at + 2
  end
end

-- The string whose opening quote is p[start], and what stands behind it; nil if it must be looked at
-- carefully. `out` is an empty buffer.
function M.string_at(p, start, out)
  local stop = closing_quote(p, start)
  if stop == 0 or stop - start > MAX_TEXT then return nil end
  local to = out:reserve(stop - start)
  local n, at = 0, start + 1
  while at < stop do
    local c = p[at]
    if c ~= BACKSLASH then
      to[n] = c
      n, at = n + 1, at + 1
    elseif p[at + 1] ~= LETTER_U then
      c = MEANINGS[p[at + 1]]
      if c == 0 then return nil end
      to[n] = c
      n, at = n + 1, at + 2
    else
      c = code_unit(p, at + 2)
      at = at + 6
      if c < 0x80 then
        if c < 0 then return nil end
        to[n] = c
        n = n + 1
      elseif c < 0x800 then
        to[n], to[n + 1] = 0xC0 + (c - c % 64) / 64, 0x80 + c % 64
        n = n + 2
      elseif c < 0xD800 or c > 0xDFFF then
        local rest = (c - c % 64) / 64
        to[n], to[n + 1], to[n + 2] = 0xE0 + (rest - rest % 64) / 64, 0x80 + rest % 64, 0x80 + c % 64
        n = n + 3
      else
        return nil                   -- half of a pair
      end
    end
  end
  out:commit(n)
  return out:get(), stop + 1
end

return M
