-- cd.re: match, find, gmatch, sub, gsub; ngx.re of lua-resty-core.
--
-- The patterns are compiled and matched in Python (lua/regex/); here are the arguments, the tables of
-- captures, and the callbacks of scripts. A match comes as its spans: for group 0, 1, … where it
-- begins (0: it took no part) and where it ends.

local K, host, A = ...

local select, tonumber, type = select, tonumber, type
local byte, find, gmatch, sub = string.byte, string.find, string.gmatch, string.sub
local raise, pieces = A.raise, A.pieces

local LETTERS, EACH = '[^aDdijJmosuUx]', 'aDdijJmosuUx'
local MAX_OPTIONS = 64          -- letters; what is longer repeats some
local MAX_PATTERN = 65536       -- bytes; the server refuses what is longer
local MAX_SUBJECT = 2 ^ 24      -- bytes: each call copies the subject, 16 MB in 8 ms
local LARGE = 2 ^ 20            -- bytes of a subject that is looked through, and put together, in pieces
local MAX_BATCH = 64            -- matches of gmatch, gsub with a function: what a loop may not need
local MAX_REPLACEMENTS = 256    -- of gsub with a string: some 0.3 ms
local MAX_POSITION = 2 ^ 31     -- no string is as long
local MAX_SPREAD = 30           -- groups whose spans come as single values

-- ---------------------------------------------------------------------- compiled patterns
-- By options, then pattern; the server forgets by itself, this is emptied when it has grown too big.
local patterns, kept, kept_text = {}, 0, 0
local MAX_KEPT, MAX_TEXT = 1024, 2 ^ 20     -- patterns, bytes of them

local function compile(P)
  local number, groups, names = host.re_compile(P.pattern, P.options)
  if not number then return groups end
  P.number, P.groups, P.width = number, groups, 8 * (groups + 1)
  if names ~= '' then
    local list, n = {}, 0
    for name, group in gmatch(names, '([^:]*):(%d+)\n') do
      list[n + 1], list[n + 2] = name, tonumber(group)
      n = n + 2
    end
    P.names = list
  end
end

local function check_options(options)
  local at = pieces.find(options, LETTERS)
  if at then
    return raise('unknown flag "' .. sub(options, at, at) .. '" (flags "' .. sub(options, 1, MAX_PATTERN) .. '")')
  end
end

-- As good as long options: each letter once.
local function shortened(options)
  check_options(options)
  local short = ''
  for letter in gmatch(EACH, '.') do
    if find(options, letter, 1, true) then short = short .. letter end
  end
  return short
end

local function compiled_anew(pattern, options)
  check_options(options)
  if find(options, 'd', 1, true) then return nil, 'not supported' end
  local P = {pattern = pattern, options = options, duplicates = find(options, 'D', 1, true) ~= nil}
  local err = compile(P)
  if err then return nil, err end
  kept, kept_text = kept + 1, kept_text + #pattern + #options
  if kept > MAX_KEPT or kept_text > MAX_TEXT then
    patterns, kept, kept_text = {}, 1, #pattern + #options
  end
  local of_options = patterns[options]
  if not of_options then
    of_options = {}
    patterns[options] = of_options
  end
  of_options[pattern] = P
  return P
end

local function compiled(name, pattern, options)
  options = options or ''
  if type(options) == 'string' and #options > MAX_OPTIONS then options = shortened(options) end
  if type(pattern) == 'string' and #pattern > MAX_PATTERN then pattern = sub(pattern, 1, MAX_PATTERN + 1) end
  local of_options = patterns[options]
  local P = of_options and of_options[pattern]
  if P then return P end
  pattern = A.check_string(pattern, 2, name)
  options = A.check_string(options, (name == 'sub' or name == 'gsub') and 4 or 3, name)
  return compiled_anew(pattern, options)
end

-- PCRE's number of what went wrong, or a text: the server's own failure.
local function failure(code)
  if type(code) == 'string' then return code end
  return 'pcre_exec() failed: ' .. A.number_text(code)
end

-- ---------------------------------------------------------------------- spans
local function int(text, at)
  local a, b, c, d = byte(text, at, at + 3)
  return a + b * 256 + c * 65536 + d * 16777216
end

-- The spans of one match out of `packed`, from byte `at` on.
local function unpacked(P, packed, at)
  local spans = {}
  for i = 1, 2 * P.groups + 2 do
    spans[i] = int(packed, at)
    at = at + 4
  end
  return spans
end

-- Up to `limit` matches from `position` on: their spans packed, where to go on or nil, error or nil.
local function matches(P, subject, position, first, limit)
  local packed, following, code = host.re_matches(P.number, subject, position, first, limit)
  if packed == false then      -- forgotten since
    local err = compile(P)
    if err then return '', nil, err end
    packed, following, code = host.re_matches(P.number, subject, position, first, limit)
  end
  if not packed then return '', nil, following end
  return packed, following, code
end

local INVALID_UTF = -10

-- Whether a subject is known to be UTF-8 before it is searched: a long one is looked through here.
-- Or nil and an error.
local function checked(P, subject)
  if #subject <= LARGE then return false end
  if #subject > MAX_SUBJECT then return nil, 'subject of more than 16777216 bytes' end
  if not find(P.options, 'u', 1, true) then return false end
  local rest = ''
  for first = 1, #subject, pieces.SIZE do
    rest = host.re_check(rest, sub(subject, first, first + pieces.SIZE - 1))
    if not rest then return nil, INVALID_UTF end
  end
  if rest ~= '' then return nil, INVALID_UTF end
  return true
end

-- The spans of the first match, or nil and perhaps an error.
local function spans_of(P, subject, position)
  local known, err = checked(P, subject)
  if err then return nil, err end
  if P.groups > MAX_SPREAD then
    local packed, following, code
    repeat
      packed, following, code = matches(P, subject, position, not known, 1)
      position, known = following, true
    until packed ~= '' or not following
    if packed ~= '' then return unpacked(P, packed, 1) end
    return nil, code
  end
  local spans = {host.re_match(P.number, subject, position, known)}
  local from = spans[1]
  while from == false or from == true do
    if from then
      position, known = spans[2], true        -- there is more to look through
    else
      err = compile(P)
      if err then return nil, err end
    end
    spans = {host.re_match(P.number, subject, position, known)}
    from = spans[1]
  end
  if from then return spans end
  return nil, spans[2]
end

-- The table of captures; what a group did not take is false.
local function captures(P, subject, spans, res)
  res = res or {}
  for group = 0, P.groups do
    local from = spans[2 * group + 1]
    res[group] = from > 0 and sub(subject, from, spans[2 * group + 2])
  end
  local names = P.names
  if names then
    for i = 1, #names, 2 do
      local name, value = names[i], res[names[i + 1]]
      if not P.duplicates then
        res[name] = value
      elseif value then
        local list = res[name]
        if list then list[#list + 1] = value else res[name] = {value} end
      end
    end
  end
  return res
end

-- The byte that a script's position is, from 0; one behind every subject where it is no size at all.
local function start_at(position)
  if not (position >= 1) then return 0 end
  if position > MAX_POSITION then return MAX_POSITION end
  return position - position % 1 - 1
end

local function start_of(ctx)
  local position = ctx and ctx.pos
  return position and start_at(position) or 0
end

A.regex = {
  compiled = compiled, checked = checked, matches = matches, unpacked = unpacked, failure = failure,
  start_at = start_at,
}

-- ---------------------------------------------------------------------- match, find
local function match(subject, pattern, options, ctx, res)
  subject = A.tostring(subject)
  local P, err = compiled('match', pattern, options)
  if not P then return nil, err end
  local spans, code = spans_of(P, subject, start_of(ctx))
  if not spans then
    if code then return nil, failure(code) end
    return nil
  end
  if ctx then ctx.pos = spans[2] + 1 end
  return captures(P, subject, spans, res)
end

local function find_regex(subject, pattern, options, ctx, nth)
  subject = A.tostring(subject)
  local P, err = compiled('find', pattern, options)
  if not P then return nil, nil, err end
  local spans, code = spans_of(P, subject, start_of(ctx))
  if not spans then
    if code then return nil, nil, failure(code) end
    return nil
  end
  if ctx then ctx.pos = spans[2] + 1 end
  if not nth or nth < 0 then nth = 0 end
  nth = nth - nth % 1
  if nth > P.groups then return nil, nil, 'nth out of bound' end
  local from = spans[2 * nth + 1]
  if from == 0 then return nil, nil end
  return from, spans[2 * nth + 2]
end

-- ---------------------------------------------------------------------- gmatch
local function gmatch_regex(subject, pattern, options)
  subject = A.tostring(subject)
  local P, err = compiled('gmatch', pattern, options)
  if not P then return nil, err end
  local known, problem = checked(P, subject)
  local position, first, batch = not problem and 0 or nil, not known, 1
  local packed, at, code = '', 1, problem
  return function()
    while at > #packed and position do
      packed, position, code = matches(P, subject, position, first, batch)
      at, first = 1, false
      if batch < MAX_BATCH then batch = 2 * batch end
    end
    if at <= #packed then
      local spans = unpacked(P, packed, at)
      at = at + P.width
      return captures(P, subject, spans)
    end
    if not code then return nil end
    local failed = code
    code = nil
    return nil, failure(failed)
  end
end

-- ---------------------------------------------------------------------- sub, gsub
local function text_of(...)
  if select('#', ...) == 0 then return raise("bad argument #1 to 'tostring' (value expected)") end
  return A.tostring((...))
end

local function replaced_by_function(P, subject, replace, once)
  local out, n, copied, count = {}, 0, 0, 0
  local known, problem = checked(P, subject)
  if problem then return nil, nil, failure(problem) end
  local position, first, batch = 0, not known, 1
  while position do
    local packed, following, code = matches(P, subject, position, first, batch)
    first, position = false, following
    for at = 1, #packed, P.width do
      local spans = unpacked(P, packed, at)
      count = count + 1
      out[n + 1] = sub(subject, copied + 1, spans[1] - 1)
      out[n + 2] = text_of(replace(captures(P, subject, spans)))
      n, copied = n + 2, spans[2]
    end
    if code then return nil, nil, failure(code) end
    if once and count > 0 then break end
    if batch < MAX_BATCH then batch = 2 * batch end
  end
  if count == 0 then return subject, 0 end
  out[n + 1] = sub(subject, copied + 1)
  return pieces.join(out, n + 1), count
end

-- A template as a function: what is large is put together here rather than copied to the server
-- and back.
local function expander(replacement)
  local parts, n, packed, at = {}, 0, host.re_parts(replacement), 1
  while at <= #packed do
    local _, stop, number, kind = find(packed, '^(%d+)([:$])', at)
    number, at, n = tonumber(number), stop + 1, n + 1
    if kind == '$' then
      parts[n] = number
    else
      parts[n] = sub(packed, at, at + number - 1)
      at = at + number
    end
  end
  return function(m)
    local out = {}
    for i = 1, n do
      local part = parts[i]
      if type(part) == 'number' then part = m[part] or '' end
      out[i] = part
    end
    return pieces.join(out, n)
  end
end

local function replaced_by_text(P, subject, replacement, once)
  -- What is longer is none, however much longer it is.
  if #replacement > LARGE then replacement = sub(replacement, 1, LARGE + 1) end
  if not host.re_template(replacement) then
    return nil, nil, 'failed to compile the replacement template'
  end
  if #subject > LARGE then return replaced_by_function(P, subject, expander(replacement), once) end
  local out, n, copied, count = {}, 0, 0, 0
  local position, limit = 0, once and 1 or MAX_REPLACEMENTS
  while position do
    local text, following, end_of_last, done, code =
      host.re_replace(P.number, subject, replacement, position, copied, limit)
    if text == nil then return nil, nil, failure(following) end
    if text == false then
      local err = compile(P)
      if err then return nil, nil, err end
    else
      n = n + 1
      out[n], position, copied, count = text, following, end_of_last, count + done
      if code then return nil, nil, failure(code) end
      if once and done > 0 then break end
    end
  end
  if count == 0 then return subject, 0 end
  out[n + 1] = sub(subject, copied + 1)
  return pieces.join(out, n + 1), count
end

local function substitute(name, once)
  return function(subject, pattern, replace, options)
    local P, err = compiled(name, pattern, options)
    if not P then return nil, nil, err end
    subject = A.tostring(subject)
    if type(replace) == 'function' then return replaced_by_function(P, subject, replace, once) end
    return replaced_by_text(P, subject, A.tostring(replace), once)
  end
end

-- ---------------------------------------------------------------------- installation
local function install(I)
  local cd, ngx = {}, {}
  I.cd.re, I.ngx.re = cd, ngx
  A.define(cd, ngx, 'match', match)
  A.define(cd, ngx, 'find', find_regex)
  A.define(cd, ngx, 'gmatch', gmatch_regex)
  A.define(cd, ngx, 'sub', substitute('sub', true))
  A.define(cd, ngx, 'gsub', substitute('gsub', false))
end

return {install = install}
