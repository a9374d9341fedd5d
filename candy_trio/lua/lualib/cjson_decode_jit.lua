-- cjson.decode on LuaJIT: what cjson_decode.lua does, but on the bytes themselves and with libc's
-- string functions, which the compiler takes; patterns it leaves to the interpreter.
--
-- Rules of this file:
-- * A text ends with a NUL, which no step goes past; the local `text` keeps the bytes of `p` alive.
-- * There is no loop inside the loop: each would be a trace of its own. Strings with escapes are
--   worth one (cjson_escapes_jit.lua).
-- * Few ways lead through a round, because a loop gets a hundred side traces and no more: what opens
--   a container has a round for itself, and blanks are skipped without a look whether there are any.

local syntax, ffi, escapes = ...     -- without escapes where LuaJIT has no string buffers

local setmetatable, tonumber = setmetatable, tonumber
local sub = string.sub
local C, cast, copy = ffi.C, ffi.cast, ffi.string
local token, problem_of, too_deep = syntax.token, syntax.problem_of, syntax.too_deep
local at_the_end, behind_comments, delimiter, other_key =
      syntax.at_the_end, syntax.behind_comments, syntax.delimiter, syntax.other_key
local NULL = syntax.NULL
local new_buffer, string_at = nil, nil
if escapes then new_buffer, string_at = escapes.new_buffer, escapes.string_at end

local QUOTE, COMMA, MINUS, SLASH, ZERO, NINE, COLON = 34, 44, 45, 47, 48, 57, 58
local ARRAY, ARRAY_END, OBJECT, OBJECT_END = 91, 93, 123, 125
local LETTER_F, LETTER_N, LETTER_T, LOWER_X, UPPER_X = 102, 110, 116, 120, 88
local BLANKS, OF_NUMBERS, STRING_END = ' \n\r\t', '-+.0123456789eE', '"\\'
local OPENING = {T_ARR_BEGIN = ARRAY, T_OBJ_BEGIN = OBJECT}

-- The value of `text`, which holds no NUL and begins with a container; or nil and the problem.
local function decode(text, start, opened, cfg)
  local p = cast('const uint8_t *', text) - 1        -- so that p[1] is its first byte
  local array_mt, strict = cfg.decode_array_with_array_mt and cfg.array_mt, not cfg.decode_invalid_numbers
  local limit = cfg.decode_limit
  local t, length = nil, 0         -- the innermost container; its length, or -1 of an object
  local root, key                  -- the outermost one; the place of the next value in `t`
  local tables, lengths, depth = {}, {}, 0
  local at, closed = start, false
  local out = new_buffer and new_buffer()
  while true do
    if opened ~= 0 then                              -- a container, whose bracket is at `at`
      local child = {}
      if depth > 0 then
        tables[depth], lengths[depth] = t, length
        t[key] = child
      else
        root = child
      end
      depth = depth + 1
      if depth > limit then return nil, too_deep(depth, at) end
      t, length = child, opened == ARRAY and 0 or -1
      if array_mt and length == 0 then setmetatable(t, array_mt) end
      opened = 0
      at = at + 1 + C.candy_strspn(p + at + 1, BLANKS)
      local c = p[at]
      if c == (length < 0 and OBJECT_END or ARRAY_END) then
        at, closed = at + 1, true
      elseif c == SLASH then
        at, closed = behind_comments(text, at, cfg, length >= 0)
      end
    else
      if closed then
        closed, depth = false, depth - 1
        if depth == 0 then return at_the_end(text, at, cfg, root) end
        t, length = tables[depth], lengths[depth]
      else
        at = at + C.candy_strspn(p + at, BLANKS)
        if length >= 0 then
          length = length + 1
          key = length
        else
          local stop = p[at] == QUOTE and at + 1 + C.candy_strcspn(p + at + 1, STRING_END) or 0
          if stop ~= 0 and p[stop] == QUOTE and p[stop + 1] == COLON then
            key = copy(p + at + 1, stop - at - 1)
            at = stop + 2
          else
            local problem
            key, at, problem = other_key(text, at, cfg)
            if problem then return nil, problem end
          end
          at = at + C.candy_strspn(p + at, BLANKS)
        end

        local c, value, behind = p[at], nil, at
        if c == QUOTE then
          behind = at + 1 + C.candy_strcspn(p + at + 1, STRING_END)
          if p[behind] == QUOTE then
            value = copy(p + at + 1, behind - at - 1)
            behind = behind + 1
          elseif string_at then
            value, behind = string_at(p, at, out)
          end
        elseif c == OBJECT or c == ARRAY then
          opened = c
        elseif c <= NINE and (c >= ZERO or c == MINUS) and not strict then
          behind = at + C.candy_strspn(p + at, OF_NUMBERS)
          value = tonumber(sub(text, at, behind - 1))
          if p[behind] == LOWER_X or p[behind] == UPPER_X then value = nil end
        elseif c == LETTER_T and C.candy_strncmp(p + at, 'true', 4) == 0 then
          value, behind = true, at + 4
        elseif c == LETTER_F and C.candy_strncmp(p + at, 'false', 5) == 0 then
          value, behind = false, at + 5
        elseif c == LETTER_N and C.candy_strncmp(p + at, 'null', 4) == 0 then
          value, behind = NULL, at + 4
        end
        if value == nil and opened == 0 then
          local kind
          kind, at, behind, value = token(text, at, cfg)
          opened = OPENING[kind] or 0
          if value == nil and opened == 0 then return nil, problem_of('value', kind, at) end
        end
        if value ~= nil then
          t[key] = value
          at = behind
        end
      end

      if opened == 0 then                            -- behind a value: what delimits it
        at = at + C.candy_strspn(p + at, BLANKS)
        local c = p[at]
        if c == COMMA then
          at = at + 1
        elseif c == (length < 0 and OBJECT_END or ARRAY_END) then
          at, closed = at + 1, true
        else
          local problem
          at, closed, problem = delimiter(text, at, cfg, length >= 0)
          if problem then return nil, problem end
        end
      end
    end
  end
end

return decode
