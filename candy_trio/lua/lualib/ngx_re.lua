-- ngx.re: split and opt, beside the functions of that name in the API (api/regex.lua).

local K, host, A = ...

local type = type
local sub = string.sub
local raise, regex = A.raise, A.regex

local BATCH = 64        -- matches that are asked for at once

-- The next separator at or behind `state.position`: where it begins, where the text behind it
-- begins, what its first group took. Or nil, and an error if there was one.
local function next_separator(P, subject, state)
  while state.at > #state.packed do
    if not state.following then return nil, nil, nil, state.code end
    state.packed, state.following, state.code =
      regex.matches(P, subject, state.following, state.first, BATCH)
    state.at, state.first = 1, false
  end
  local spans = regex.unpacked(P, state.packed, state.at)
  state.at = state.at + P.width
  local from, behind = spans[1], spans[2] + 1
  -- An empty separator is stepped over.
  state.position = from == behind and behind or behind - 1
  local group = spans[3]
  if group and group > 0 then return from, behind, sub(subject, group, spans[4]) end
  return from, behind
end

-- The pieces of `subject` between separators, a separator's first group behind its piece; at most
-- `max` pieces if it is above 0, else without empty ones at the end.
local function split(subject, pattern, options, ctx, max, res)
  subject = A.tostring(subject)
  ctx = ctx or {}
  local begin = ctx.pos or 1
  max = max or 0
  if res ~= nil and type(res) ~= 'table' then return raise('res is not a table') end
  res = res or {}
  local length = #subject
  if begin > length then
    res[1] = nil
    return res
  end
  local P, err = regex.compiled('split', pattern, options)
  if not P then return nil, err end
  -- Of 5.3 and newer, sub takes whole numbers alone.
  if begin % 1 ~= 0 or begin < -length then begin = regex.start_at(begin) + 1 end

  local known, problem = regex.checked(P, subject)
  if problem then return nil, regex.failure(problem) end
  local state = {
    packed = '', at = 1, first = not known, position = begin - 1, following = regex.start_at(begin),
  }
  local n, count, last_empty = 0, 1, nil
  while max <= 0 or count < max do
    local from, behind, group, code = next_separator(P, subject, state)
    if code then
      ctx.pos = state.position
      return nil, regex.failure(code)
    end
    if not from then break end
    if last_empty then begin = last_empty end
    if from == behind then last_empty = from end
    if from > begin or not last_empty then
      count, n = count + 1, n + 1
      res[n] = sub(subject, begin, from - 1)
      if group then
        n = n + 1
        res[n] = group
      end
      begin = behind
      if begin > length then break end
    end
  end
  ctx.pos = state.position

  if max <= 0 and begin > length then
    while n > 0 and res[n] == '' do
      res[n] = nil
      n = n - 1
    end
  else
    n = n + 1
    res[n] = sub(subject, begin)
  end
  res[n + 1] = nil
  return res
end

-- What is too deep for the stack of compiled code is matched on the heap here: no size to set.
local function opt(option)
  if option ~= 'jit_stack_size' then return raise('unrecognized option name') end
end

return {['ngx.re'] = function() return {version = A.core_version, split = split, opt = opt} end}
