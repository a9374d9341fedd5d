-- find, match, gmatch and gsub for scripts: quick ones are the native functions' work, and no other
-- call of a native function is a long one. gsub calls a script's function or metamethod from Lua, so
-- that it can be interrupted, and wait.
--
-- A native function that we call would name our line in its errors: so here it gets nothing that it
-- could complain about.

local K = ...

local plain_find, strings, raise = K.plain_find, K.library.string, K.raise
local plans, S, windows = K.plans, K.search, K.windows
local plan_of, note_search, quick, make_room = plans.plan_of, plans.note_search, plans.quick, plans.make_room
local search, new_view, piece_end, reach_of =
      S.search, windows.new_view, windows.piece_end, windows.reach_of
local byte, find, sub = string.byte, string.find, string.sub
local native_match, native_gmatch, native_gsub = string.match, string.gmatch, string.gsub
local floor = math.floor
local getinfo, pcall, select, tonumber, type = debug.getinfo, pcall, select, tonumber, type
local gates = K.gates

-- What engines differ in.
local IS_51 = K.is_51
local HAS_FLOATS_ALONE = math.type == nil        -- numbers that are cut to whole ones
local CLIPS = find('', '', 10) ~= nil            -- a search from behind the end is one from the end
local HAS_INIT = native_gmatch('ab', '.', 2)() == 'b'                -- gmatch has
local NO_EMPTY_AFTER = select(2, native_gsub('a', 'a*', '')) == 1
local MAX_WHOLE = K.is_jit and 2 ^ 31 or 2 ^ 53  -- numbers beyond are the least one, as places

local MAX_INIT = 2 ^ 31     -- what every engine takes
local PLAIN_BUDGET = 3e6    -- nanoseconds of a native find of plain text
local PER_BYTE = 0.15       -- of one byte, for each that it looks at
local CARET = byte('^')
local SPECIAL = '[%^%$%*%+%?%.%(%[%%%-]'         -- what makes a pattern of the text that find gets

-- ---------------------------------------------------------------------- arguments
-- How the script called the function of ours that executes: by which name, and whether as a method.
local function called_as(name)
  local level = 2
  while true do
    local info = getinfo(level, 'Slf')
    if not info or info.what == 'C' and not gates[info.func] then return name, false end
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
    position = floor(tonumber(position)) - 1
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
    if HAS_FLOATS_ALONE or init ~= init or init % 1 ~= 0 then return 1 end
  end
  init = init < 0 and -floor(-init) or floor(init)
  local size = #s
  if init < 0 then init = size + init + 1 end
  if init < 1 then return 1 end
  if init <= size + 1 then return init end
  return clips and size + 1 or nil
end

-- ---------------------------------------------------------------------- find and match
-- Whether find takes `pattern` for plain text.
local function is_plain(pattern)
  if IS_51 then
    local zero = plain_find(pattern, '\0', 1)
    if zero then pattern = sub(pattern, 1, zero - 1) end
  end
  for at = 1, #pattern, S.WINDOW do
    if find(sub(pattern, at, at + S.WINDOW - 1), SPECIAL) then return false end
  end
  return true
end

-- Notes how much text a native find of `needle` may look through, (15 + 0.05 * size) nanoseconds a
-- place, or far less for one byte, which is found where it is first seen; `always`: it is plain text
-- for every find.
local function note_plain(needle, always)
  if #needle > plans.MAX_KEPT or quick.plain[needle] and (quick.find[needle] or not always) then return end
  make_room(1)
  local limit = floor(PLAIN_BUDGET / (#needle == 1 and PER_BYTE or 15 + #needle * 0.05))
  quick.plain[needle] = limit
  if always then quick.find[needle] = limit end
end

local function slow_find(s, pattern, init, plain)
  s, pattern = as_text('find', s, pattern)
  local at = place_of('find', s, init, CLIPS)
  if not at then return nil end
  local plan = not plain and plans.kept_plan(pattern)
  if not plan or not plan.is_special then
    if plain or is_plain(pattern) then
      note_plain(pattern, not plain)
      return plain_find(s, pattern, at)
    end
    plan = plan_of(pattern)
    plan.is_special = true
  end
  if note_search(quick.find, pattern, plan, #s - at + 1) then return find(s, pattern, at) end
  return search(s, plan, at, new_view())
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
  if note_search(quick.match, pattern, plan, #s - at + 1) then return native_match(s, pattern, at) end
  return captured(s, search(s, plan, at, new_view()))
end

-- The frame that stands between the two is where K.raise finds the script's.
local function pass(...) return ... end

function strings.find(s, pattern, init, plain)
  local limit
  if plain then limit = quick.plain[pattern] else limit = quick.find[pattern] end
  if limit and type(s) == 'string' and #s <= limit
     and (init == nil or type(init) == 'number' and init % 1 == 0 and init < MAX_INIT and init > -MAX_INIT) then
    return find(s, pattern, init, plain)
  end
  return pass(slow_find(s, pattern, init, plain))
end

function strings.match(s, pattern, init)
  local limit = quick.match[pattern]
  if limit and type(s) == 'string' and #s <= limit
     and (init == nil or type(init) == 'number' and init % 1 == 0 and init < MAX_INIT and init > -MAX_INIT) then
    return native_match(s, pattern, init)
  end
  return pass(slow_match(s, pattern, init))
end

-- ---------------------------------------------------------------------- gmatch
local function nothing() end

-- The matches of one piece after the other, each piece's as the native function gives them. No match
-- of a pattern that has cuts is empty.
local function in_pieces(s, plan, at)
  local known, pattern, size = reach_of(plan), plan.pattern, #s
  local cut, width, view = known.cut, known.matches, nil
  local matches, uncut = nothing, at      -- `uncut`: up to here there is no cut
  local more

  local function next_of_piece(first, ...)
    if first == nil then return more() end
    return first, ...
  end

  local function next_of_search(first, last, capture, ...)
    if not first then
      at = size + 1
      return nil
    end
    at = last + 1
    if capture == nil then return sub(s, first, last) end
    return capture, ...
  end

  function more()
    matches = nothing
    while at >= uncut do
      if at > size then return nil end
      local last = piece_end(s, cut, at, width)
      if last then
        local piece = sub(s, at, last)
        at = last + 1
        if find(piece, pattern) then
          matches = native_gmatch(piece, pattern)
          return matches()
        end
      else
        uncut = at + width
      end
    end
    if at > size then return nil end
    view = view or new_view()
    return next_of_search(search(s, plan, at, view))
  end

  if plan.judgement.captures > 1 then return function() return next_of_piece(matches()) end end
  return function()
    local first = matches()
    if first ~= nil then return first end
    return more()
  end
end

local function slow_gmatch(s, pattern, init)
  s, pattern = as_text('gmatch', s, pattern)
  local at, last = 1, nil
  if HAS_INIT then at = place_of('gmatch', s, init, false) or #s + 2 end
  -- "^" is no anchor here.
  if byte(pattern, 1) == CARET then pattern = '%' .. pattern end
  local plan = plan_of(pattern)
  if note_search(quick.gmatch, pattern, plan, #s) then return native_gmatch(s, pattern, HAS_INIT and at or nil) end

  if plan.judgement and reach_of(plan).cut then return in_pieces(s, plan, at) end

  local view = new_view()
  local function step(first, after, capture, ...)
    if not first then
      at = #s + 2
      return nil
    end
    if first > after then
      at = first + 1
      if first == last then return step(search(s, plan, at, view)) end
    else
      at = after + 1
      if NO_EMPTY_AFTER then last = at end
    end
    if capture == nil then return sub(s, first, after) end
    return capture, ...
  end
  return function() return pass(step(search(s, plan, at, view))) end
end

function strings.gmatch(s, pattern, init)
  local limit = quick.gmatch[pattern]
  if limit and init == nil and type(s) == 'string' and #s <= limit then
    return native_gmatch(s, pattern)
  end
  return pass(slow_gmatch(s, pattern, init))
end
strings.gfind = strings.gmatch

K.patterns = {as_text = as_text, checked = checked, pass = pass, NO_EMPTY_AFTER = NO_EMPTY_AFTER}
