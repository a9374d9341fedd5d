-- Which functions of ours are behind gates (natives.lua), and what those of patterns and forms are told.

local K = ...

if not K.slicing.gate then return end

local find, gmatch, native_format = string.find, string.gmatch, string.format
local setupvalue = debug.setupvalue
local next, type = next, type
local gated, kinds, library, quick = K.gated, K.gate, K.library, K.plans.quick

local MAX_FORMS = 1000           -- remembered, then forgotten all at once: scripts have few
local MAX_FORM = 256             -- bytes of a form that is worth it

-- ---------------------------------------------------------------------- of one argument, of tables, of patterns
local base, strings, tables = library.base, library.string, library.table

strings.upper = gated(kinds.SHORT_TEXT, string.upper, strings.upper)
strings.lower = gated(kinds.SHORT_TEXT, string.lower, strings.lower)
strings.reverse = gated(kinds.SHORT_TEXT, string.reverse, strings.reverse)
strings.rep = gated(kinds.REPEAT, string.rep, strings.rep)
base.tostring = gated(kinds.SHORT_TEXT, tostring, base.tostring)
base.tonumber = gated(kinds.SHORT_TEXT, tonumber, base.tonumber)

tables.insert = gated(kinds.INSERT, table.insert, tables.insert)
tables.remove = gated(kinds.REMOVE, table.remove, tables.remove)

-- What is known of patterns is forgotten now and then, by new tables in the place of the old ones. These
-- are as true as ever; once a pattern is not in them, the gate gets the new ones.
local function search_gate(native, ours, name, plain_name)
  local gate, held = nil, quick[name]
  local function current(...)
    if quick[name] ~= held then
      setupvalue(gate, 3, quick[name])
      setupvalue(gate, 4, quick[plain_name])
      held = quick[name]
    end
    return ours(...)
  end
  gate = gated(kinds.KNOWN_PATTERN, native, current, held, quick[plain_name])
  return gate
end

strings.find = search_gate(string.find, strings.find, 'find', 'plain')
strings.match = search_gate(string.match, strings.match, 'match', 'match')

-- ---------------------------------------------------------------------- format
-- What the gate is told of a conversion, by its letter: "d" is an integer, "f" a number, "s" a text or
-- a number. And what may stand before the letter, so that C can't refuse it.
local TOLD = {
  d = 'd', i = 'd', x = 'd', X = 'd', f = 'f', e = 'f', E = 'f', g = 'f', G = 'f', s = 's', ['%'] = '',
}
local MODIFIED = {d = '^0?%d?%d?$', f = '^0?%d?%d?%.?%d?%d?$', s = '^$', [''] = '^$'}

-- A letter for each argument; nil where C might raise, whatever these are.
local function letters_of(form)
  local letters = ''
  for modifiers, conversion in gmatch(form, '%%([^%a%%]*)(.?)') do
    local letter = TOLD[conversion]
    if not letter or not find(modifiers, MODIFIED[letter]) then return nil end
    letters = letters .. letter
  end
  return letters
end

local format_with = K.format_with

function K.format_with(changes)
  local format, told, count = format_with(changes), {}, 0
  local function noted(form, ...)
    if type(form) == 'string' and #form <= MAX_FORM and not told[form] then
      if count >= MAX_FORMS then
        for other in next, told do told[other] = nil end
        count = 0
      end
      told[form], count = letters_of(form), count + 1
    end
    return format(form, ...)
  end
  return gated(kinds.KNOWN_FORM, native_format, noted, told)
end

strings.format = K.format_with({})
