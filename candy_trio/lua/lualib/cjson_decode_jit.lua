-- cjson.decode on LuaJIT: what cjson_decode.lua does, but on the bytes themselves and with libc's
-- string functions, which the compiler takes; patterns it leaves to the interpreter.
--
-- There is no loop inside the loop, for each would be a trace of its own. A text ends with a NUL,
-- which no step goes past; the local `text` keeps the bytes behind `p` alive.

local syntax, ffi = ...

local setmetatable, tonumber = setmetatable, tonumber
local sub = string.sub
local C, cast, copy = ffi.C, ffi.cast, ffi.string
local token, problem_of, too_deep = syntax.token, syntax.problem_of, syntax.too_deep
local other_key, value_behind_colon, delimiter, at_the_end =
      syntax.other_key, syntax.value_behind_colon, syntax.delimiter, syntax.at_the_end
local NULL = syntax.NULL

local QUOTE, COMMA, COLON, MINUS, ZERO, NINE, SPACE = 34, 44, 58, 45, 48, 57, 32
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
  local at, closed, empty = start, false, true
  while true do
    if not closed then
      if opened ~= 0 then                            -- a container, whose bracket is at `at`
        local child = {}
        if depth > 0 then
          tables[depth], lengths[depth] = t, length
          t[key] = child
        else
          root = child
        end
        depth = depth + 1
        if depth > limit then return nil, too_deep(depth, at) end
        t, length, empty = child, opened == ARRAY and 0 or -1, true
        if array_mt and length == 0 then setmetatable(t, array_mt) end
        opened, at = 0, at + 1
      end

      local c = p[at]
      if c <= SPACE then
        at = at + C.candy_strspn(p + at, BLANKS)
        c = p[at]
      end
      if length >= 0 then
        length = length + 1
        key = length
      else
        local stop, problem = 0, nil
        if c == QUOTE then stop = at + 1 + C.candy_strcspn(p + at + 1, STRING_END) end
        if stop ~= 0 and p[stop] == QUOTE then
          key = copy(p + at + 1, stop - at - 1)
          if p[stop + 1] == COLON then
            at = stop + 2
            if p[at] == SPACE then at = at + 1 end
          else
            at, problem = value_behind_colon(text, stop + 1, cfg)
          end
        else
          key, at, problem = other_key(text, at, cfg, empty)
          closed = key == nil
        end
        if problem then return nil, problem end
        c = p[at]
      end

      if not closed then
        local value, behind = nil, at
        if c == QUOTE then
          local stop = at + 1 + C.candy_strcspn(p + at + 1, STRING_END)
          if p[stop] == QUOTE then value, behind = copy(p + at + 1, stop - at - 1), stop + 1 end
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
          if OPENING[kind] then
            opened = OPENING[kind]
          elseif kind == 'T_ARR_END' and length >= 0 and empty then
            closed, at = true, behind
          elseif value == nil then
            return nil, problem_of('value', kind, at)
          end
        end
        if value ~= nil then
          t[key] = value
          at = behind
        end
      end
    end

    if closed then
      closed, depth = false, depth - 1
      if depth == 0 then return at_the_end(text, at, cfg, root) end
      t, length = tables[depth], lengths[depth]
    end

    if opened == 0 then                              -- behind a value: what delimits it
      local c = p[at]
      if c <= SPACE then
        at = at + C.candy_strspn(p + at, BLANKS)
        c = p[at]
      end
      if c == COMMA then
        at, empty = at + 1, false
      elseif c == (length < 0 and OBJECT_END or ARRAY_END) then
        at, closed = at + 1, true
      else
        local problem
        at, closed, problem = delimiter(text, at, cfg, length >= 0)
        if problem then return nil, problem end
        empty = false
      end
    end
  end
end

return decode
