-- cjson: what a Lua value is in JSON, one value at a time. The two encoders walk through tables.
--
-- Tables are looked at raw, as lua-cjson does: no metamethod runs here.

local NULL, pieces, EMPTY_ARRAY, ffi, escapes = ...     -- without those where an engine has none

local math_type, next, rawequal, type = math.type, next, rawequal, type
local rawlen = rawlen or function(t) return #t end
local native_getmetatable = debug.getmetatable or getmetatable
local char, find, format, gsub = string.char, string.find, string.format, string.gsub

local MAX_INDEX = 2147483647      -- of an array: what lua-cjson counts with
local MAX_KEYS = 1000             -- quoted keys that are kept; beyond that they are forgotten at once
local MAX_KEY_SIZE = 40           -- bytes; longer ones are hardly keys that come again

local M = {}

-- ---------------------------------------------------------------------- strings
-- `out` is an empty buffer of the encode that asks, where there are buffers.

-- How texts are written under one setting of encode_escape_forward_slash and of encode_indent, and
-- the keys that have been: an object's keys come again with the next object. One table for all of it,
-- because who is in the middle of an encode may be interrupted by who sets an option.
local function style(escape_slash, indent)
  local replacements = {['"'] = '\\"', ['\\'] = '\\\\', ['/'] = escape_slash and '\\/' or nil}
  for code = 0, 31 do replacements[char(code)] = format('\\u%04x', code) end
  replacements['\127'] = '\\u007f'
  for letter, control in next, {b = '\b', f = '\f', n = '\n', r = '\r', t = '\t'} do
    replacements[control] = '\\' .. letter
  end
  local refused = ''              -- all of them but NUL, for strcspn
  for code = 1, 127 do
    if replacements[char(code)] then refused = refused .. char(code) end
  end
  return {
    pattern = escape_slash and '[%c"\\/]' or '[%c"\\]', replacements = replacements,
    refused = refused, codes = escapes and escapes.codes(replacements), indent = indent, colon = indent and ': ' or ':', keys = {}, count = 0,
  }
end
M.style = style

local quote
if ffi then
  -- LuaJIT's compiler takes this; a pattern it leaves to the interpreter.
  local C = ffi.C
  function quote(text, how, out)
    if C.candy_strcspn(text, how.refused) < #text then
      local quoted = out and escapes.quoted(text, how.codes, out)
      if quoted then return quoted end
      text = pieces.replace(text, how.pattern, how.replacements)
    end
    return '"' .. text .. '"'
  end
else
  local replace, SHORT = pieces.replace, 65536
  function quote(text, how)
    if #text > SHORT then
      text = replace(text, how.pattern, how.replacements)
    elseif find(text, how.pattern) then
      text = gsub(text, how.pattern, how.replacements)
    end
    return '"' .. text .. '"'
  end
end
M.quote = quote
M.new_buffer = escapes and escapes.new_buffer

-- ---------------------------------------------------------------------- numbers
local INFINITY = 1 / 0

local function number_text(n, cfg)
  if math_type and math_type(n) == 'integer' then return format('%d', n) end
  if n == n and n ~= INFINITY and n ~= -INFINITY then return format(cfg.number_format, n) end
  local allowed = cfg.encode_invalid_numbers
  if not allowed then return nil, 'Cannot serialise number: must not be NaN or Infinity' end
  if allowed == 'null' then return 'null' end
  return n ~= n and 'NaN' or n > 0 and 'Infinity' or '-Infinity'
end
M.number_text = number_text

-- ---------------------------------------------------------------------- keys
-- A key with its colon; or nil and the problem.
function M.key_text(key, how, cfg, out)
  local kind = type(key)
  if kind == 'string' then
    local text = quote(key, how, out) .. how.colon
    if #key <= MAX_KEY_SIZE then
      local count = how.count + 1
      if count > MAX_KEYS then how.keys, count = {}, 1 end
      how.keys[key], how.count = text, count
    end
    return text
  end
  if kind ~= 'number' then
    return nil, 'Cannot serialise ' .. kind .. ': table key must be a number or string'
  end
  local text, problem = number_text(key, cfg)
  return text and '"' .. text .. '"' .. how.colon, problem
end

-- ---------------------------------------------------------------------- other values
-- The text of what is neither a string nor a table; or nil and the problem.
function M.other_text(value, cfg)
  local kind = type(value)
  if kind == 'number' then return number_text(value, cfg) end
  if kind == 'boolean' then return value and 'true' or 'false' end
  if value == nil or rawequal(value, NULL) then return 'null' end
  if rawequal(value, EMPTY_ARRAY) then return '[]' end
  return nil, 'Cannot serialise ' .. kind .. ': type not supported'
end

local PLAIN = {string = true, number = true, boolean = true, table = true, ['nil'] = true}

-- Whether encode_skip_unsupported_value_types leaves `value` out.
function M.is_unsupported(value)
  return not PLAIN[type(value)] and not rawequal(value, NULL) and not rawequal(value, EMPTY_ARRAY)
end

-- ---------------------------------------------------------------------- tables
-- The length of an array, or -1 of anything else; or nil and the problem.
local function array_length(t, cfg)
  local max, items = 0, 0
  for key in next, t do
    if type(key) ~= 'number' or key < 1 or key % 1 ~= 0 or key > MAX_INDEX then return -1 end
    items = items + 1
    if key > max then max = key end
  end
  local ratio = cfg.sparse_ratio
  if ratio > 0 and max > items * ratio and max > cfg.sparse_safe then
    if cfg.sparse_convert then return -1 end
    return nil, 'Cannot serialise table: excessively sparse array'
  end
  return max
end

function M.too_deep(depth) return 'Cannot serialise, excessive nesting (' .. depth .. ')' end

-- How `t` is to be written: the length of an array, or -1 for an object; and whether its elements
-- must be read by rawget, because it has a metatable. Or nil and the problem.
function M.shape(t, cfg)
  local meta = native_getmetatable(t)
  if meta ~= nil and rawequal(meta, cfg.array_mt) then return rawlen(t), true end
  local length, problem = array_length(t, cfg)
  if not length then return nil, problem end
  if length == 0 and cfg.encode_empty_table_as_object then length = -1 end
  if length == -1 and meta ~= nil and rawequal(meta, cfg.empty_array_mt) then length = 0 end
  return length, meta ~= nil
end

return M
