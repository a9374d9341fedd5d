-- cjson.decode for engines without LuaJIT's ffi: one call of string.find for each part of a text.
--
-- One flat loop, a round for each member and element of any container; the stack is a table, so no
-- depth of nesting takes any of Lua's or C's. What the patterns do not match goes to token(), which
-- tells what it is, or what is wrong. All that a call needs is in its locals: calls may interleave.

local syntax = ...

local setmetatable, tonumber = setmetatable, tonumber
local byte, find = string.byte, string.find
local token, problem_of, too_deep = syntax.token, syntax.problem_of, syntax.too_deep
local at_the_end, behind_comments, delimiter, other_key =
      syntax.at_the_end, syntax.behind_comments, syntax.delimiter, syntax.other_key
local NULL, MINUS_ZERO, LONG = syntax.NULL, syntax.MINUS_ZERO, syntax.LONG

local SPACE, QUOTE, COMMA, MINUS, SLASH, ZERO, NINE = 32, 34, 44, 45, 47, 48, 57
local ARRAY, ARRAY_END, OBJECT, OBJECT_END = 91, 93, 123, 125
local LETTER_F, LETTER_N, LETTER_T, LOWER_X, UPPER_X = 102, 110, 116, 120, 88
local OPENING = {T_ARR_BEGIN = ARRAY, T_OBJ_BEGIN = OBJECT}

-- Each takes the blanks behind it, too.
local KEY = '^[ \n\r\t]*"([^"\\]*)"[ \n\r\t]*:[ \n\r\t]*'
local STRING = '^"([^"\\]*)"[ \n\r\t]*'
local NUMBER = '^([-+.%deE]+)[ \n\r\t]*'
local WORDS = {
  [LETTER_F] = '^false[ \n\r\t]*', [LETTER_N] = '^null[ \n\r\t]*', [LETTER_T] = '^true[ \n\r\t]*',
}
local MEANINGS = {[LETTER_F] = false, [LETTER_N] = NULL, [LETTER_T] = true}
local NOT_BLANK = '[^ \n\r\t]'

-- Whether the next string from `at` on is too long for a pattern.
local function is_long(text, at)
  local first = find(text, '"', at, true)
  local stop = first and find(text, '"', first + 1, true)
  return not stop or stop - first > LONG
end

-- The value of `text`, which holds no NUL and begins with a container; or nil and the problem.
local function decode(text, start, opened, cfg)
  local array_mt, strict = cfg.decode_array_with_array_mt and cfg.array_mt, not cfg.decode_invalid_numbers
  local limit = cfg.decode_limit
  local t, length                  -- the innermost container; its length, or -1 of an object
  local root, key                  -- the outermost one; the place of the next value in `t`
  local tables, lengths, depth = {}, {}, 0
  local at, closed = start, false
  local long = #text > LONG
  while true do
    if opened then                                   -- a container, whose bracket is at `at`
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
      opened, at = nil, at + 1
      local c = byte(text, at)
      if c and c <= SPACE then
        at = find(text, NOT_BLANK, at) or at
        c = byte(text, at)
      end
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
        local stop, value, _
        if length >= 0 then
          length = length + 1
          key = length
        else
          if not (long and is_long(text, at)) then _, stop, key = find(text, KEY, at) end
          if stop then
            at = stop + 1
          else
            local problem
            key, at, problem = other_key(text, at, cfg)
            if problem then return nil, problem end
          end
        end
        local c = byte(text, at)
        if c and c <= SPACE then
          at = find(text, NOT_BLANK, at) or at
          c = byte(text, at)
        end

        stop = nil
        if c == QUOTE then
          if not (long and is_long(text, at)) then _, stop, value = find(text, STRING, at) end
        elseif c == OBJECT or c == ARRAY then
          opened = c
        elseif WORDS[c] then
          _, stop = find(text, WORDS[c], at)
          value = MEANINGS[c]
        elseif c and c <= NINE and (c >= ZERO or c == MINUS) and not strict then
          _, stop, value = find(text, NUMBER, at)
          value = tonumber(value)
          if value == 0 then
            if c == MINUS then value = MINUS_ZERO end
            c = byte(text, stop + 1)
            if c == LOWER_X or c == UPPER_X then stop = nil end
          elseif not value then
            stop = nil
          end
        end
        if stop then
          t[key] = value
          at = stop + 1
        elseif not opened then
          local kind
          kind, at, stop, value = token(text, at, cfg)
          opened = OPENING[kind]
          if value ~= nil then
            t[key] = value
            at = stop
          elseif not opened then
            return nil, problem_of('value', kind, at)
          end
        end
      end

      if not opened then                             -- behind a value: what delimits it
        local c = byte(text, at)
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
