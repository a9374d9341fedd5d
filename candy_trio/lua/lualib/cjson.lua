-- cjson and cjson.safe: JSON as lua-cjson of OpenResty reads and writes it, its options, its errors.
--
-- Each isolate, and each call of new(), has a module with settings of its own. Apart from those
-- nothing outlives a call. Where OpenResty's fork and Debian's lua-cjson 2.1.0 differ, this is the
-- fork, 2.1.0.17. Engines with integers (5.3 and newer) decode an integer that fits as one, so that
-- it prints as it came; the rest of a text means the same everywhere.

local K, _, A, run_file = ...

local next, pcall, rawequal, select, tonumber, type = next, pcall, rawequal, select, tonumber, type
local byte, find, sub, floor = string.byte, string.find, string.sub, math.floor
local native_require, newproxy, upvalueid = require, newproxy, debug.upvalueid
local raise, bad_argument, number_text = A.raise, A.bad_argument, A.number_text

local NAME, VERSION = 'cjson', '2.1.0.17'
local MAX_INT = 2147483647
local MAX_NESTING = 7998      -- where lua-cjson's own stack ends, whatever the limit is set to

-- ---------------------------------------------------------------------- parts
-- cjson.empty_array: a userdata that is no other.
local empty_array, anchors = newproxy and newproxy(), {}
while not empty_array or rawequal(empty_array, A.null) do
  local anchor = {}
  anchors[#anchors + 1] = function() return anchor end
  empty_array = upvalueid(anchors[#anchors], 1)
end

local ffi, escapes
if K.is_jit then
  local ok, module = pcall(native_require, 'ffi')
  if ok then
    ffi = module
    -- Names of our own: what a trusted script declares does not collide with them.
    ffi.cdef [[
      int32_t candy_strspn(const char *text, const char *accepted) __asm__("strspn");
      int32_t candy_strcspn(const char *text, const char *refused) __asm__("strcspn");
      int candy_strncmp(const char *a, const char *b, size_t size) __asm__("strncmp");
    ]]
    local with_buffers, buffer = pcall(native_require, 'string.buffer')
    if with_buffers then escapes = run_file('cjson_escapes_jit', ffi, buffer) end
  end
end

local syntax = run_file('cjson_syntax', A.null, A.pieces)
local decode_container = run_file(ffi and 'cjson_decode_jit' or 'cjson_decode', syntax, ffi, escapes)
local values = run_file('cjson_value', A.null, A.pieces, empty_array, ffi, escapes)
local encode = run_file('cjson_encode', values, A.pieces)

local OPENING = {T_ARR_BEGIN = 0x5B, T_OBJ_BEGIN = 0x7B}

local function decode(text, cfg)
  if byte(text, 1) == 0 and #text > 1 or byte(text, 2) == 0 then
    return nil, 'JSON parser does not support UTF-16 or UTF-32'
  end
  local nul = find(text, '\0', 1, true)      -- lua-cjson's text is a C string, which ends there
  if nul then text = sub(text, 1, nul - 1) end
  local kind, at, behind, value = syntax.token(text, 1, cfg)
  if cfg.decode_array_with_array_mt then A.refuse_finalizer(cfg.array_mt) end
  if OPENING[kind] then return decode_container(text, at, OPENING[kind], cfg) end
  if value == nil then return nil, syntax.problem_of('value', kind, at) end
  return syntax.at_the_end(text, behind, cfg, value)
end

-- ---------------------------------------------------------------------- options
local function bad_value(name, position, problem)
  return raise('bad argument #' .. position .. " to '" .. name .. "' (" .. problem .. ')')
end

local function check_count(name, count, max)
  if count > max then return bad_value(name, max + 1, 'found too many arguments') end
end

-- The integer `value`; nil where nothing was given.
local function integer(name, value, min, max, position)
  if value == nil then return nil end
  local n = type(value) ~= 'boolean' and tonumber(value)
  if not n then return bad_argument(position or 1, name, 'number', value) end
  if not (n > min - 1 and n < max + 1) then        -- that it is always #1 is lua-cjson's way
    return bad_value(name, 1, 'expected integer between ' .. min .. ' and ' .. max)
  end
  return n >= 0 and floor(n) or 0
end

-- A switch: a boolean, "on", "off", or one more word.
local function switch(name, value, word)
  if value == nil or type(value) == 'boolean' then return value end
  local text = value
  if type(value) == 'number' then text = number_text(value) end
  if type(text) ~= 'string' then return bad_argument(1, name, 'string', value) end
  if text == 'on' then return true end
  if text == 'off' then return false end
  if text == word and text ~= '' then return word end
  return bad_value(name, 1, "invalid option '" .. text .. "'")
end

local function limited(depth) return depth < MAX_NESTING and depth or MAX_NESTING end

local INTEGERS = {       -- name → least, greatest
  encode_max_depth = {1, MAX_INT}, decode_max_depth = {1, MAX_INT}, encode_number_precision = {1, 16},
}
local SWITCHES = {       -- name → a word that it takes besides
  encode_keep_buffer = '',         -- it only remembers: there is no buffer to keep
  encode_invalid_numbers = 'null', decode_invalid_numbers = '',
  encode_empty_table_as_object = '', encode_escape_forward_slash = '',
  encode_skip_unsupported_value_types = '',
  decode_array_with_array_mt = '', decode_allow_comment = '',
}

local function new_config(marks)
  return {
    encode_max_depth = 1000, encode_limit = 1000, decode_max_depth = 1000, decode_limit = 1000,
    encode_number_precision = 14, number_format = '%.14g',
    sparse_convert = false, sparse_ratio = 2, sparse_safe = 10,
    encode_keep_buffer = true, encode_invalid_numbers = false, decode_invalid_numbers = true,
    encode_empty_table_as_object = true,
    encode_escape_forward_slash = true, encode_indent = nil, style = values.style(true, nil),
    encode_skip_unsupported_value_types = false,
    decode_array_with_array_mt = false, decode_allow_comment = false,
    array_mt = marks.array_mt, empty_array_mt = marks.empty_array_mt,
  }
end

local function restyle(cfg)
  cfg.style = values.style(cfg.encode_escape_forward_slash, cfg.encode_indent)
end

-- What else a setting changes, by its name.
local CONSEQUENCES = {
  encode_max_depth = function(cfg) cfg.encode_limit = limited(cfg.encode_max_depth) end,
  decode_max_depth = function(cfg) cfg.decode_limit = limited(cfg.decode_max_depth) end,
  encode_number_precision = function(cfg)
    cfg.number_format = '%.' .. cfg.encode_number_precision .. 'g'
  end,
  encode_escape_forward_slash = restyle,
}

local function setter(cfg, name, read, ...)
  local first, second = ...
  local consequence = CONSEQUENCES[name]
  return function(...)
    check_count(name, select('#', ...), 1)
    local value = read(name, (...), first, second)
    if value ~= nil then
      cfg[name] = value
      if consequence then consequence(cfg) end
    end
    return cfg[name]
  end
end

local function add_options(module, cfg)
  for name, range in next, INTEGERS do
    module[name] = setter(cfg, name, integer, range[1], range[2])
  end
  for name, word in next, SWITCHES do module[name] = setter(cfg, name, switch, word) end

  local name = 'encode_sparse_array'
  function module.encode_sparse_array(...)
    check_count(name, select('#', ...), 3)
    local convert, ratio, safe = ...
    convert = switch(name, convert)
    if convert ~= nil then cfg.sparse_convert = convert end
    cfg.sparse_ratio = integer(name, ratio, 0, MAX_INT, 2) or cfg.sparse_ratio
    cfg.sparse_safe = integer(name, safe, 0, MAX_INT, 3) or cfg.sparse_safe
    return cfg.sparse_convert, cfg.sparse_ratio, cfg.sparse_safe
  end

  function module.encode_indent(...)
    check_count('encode_indent', select('#', ...), 1)
    local indent = ...
    if indent ~= nil then
      indent = A.check_string(indent, 1, 'encode_indent')
      if find(indent, '[^ \t\r\n]') then
        return bad_value('encode_indent', 1,
                         'indent must contain only spaces, tabs, line feeds, or carriage returns')
      end
      if indent == '' then indent = nil end
      cfg.encode_indent = indent
      restyle(cfg)
    end
    return cfg.encode_indent
  end
end

-- ---------------------------------------------------------------------- modules
-- cjson raises its problems where the script stands; cjson.safe returns them, with nil.
local function raised(value, problem)
  if problem then return raise(problem) end
  return value
end

local function encoder(cfg, finish)
  return function(...)
    if select('#', ...) ~= 1 then return bad_value('encode', 1, 'expected 1 argument') end
    return finish(encode((...), cfg))
  end
end

local function decoder(cfg, finish, name)
  return function(...)
    if select('#', ...) ~= 1 then return bad_value('decode', 1, 'expected 1 argument') end
    local text = ...
    if type(text) == 'number' then text = number_text(text) end
    if type(text) ~= 'string' then
      return finish(nil, "bad argument #1 to '" .. name .. "' (string expected, got " .. type(text) .. ')')
    end
    return finish(decode(text, cfg))
  end
end

local function returned(...) return ... end

local function new_module(marks, safe)
  local finish = safe and returned or raised
  local cfg = new_config(marks)
  local module = {
    encode = encoder(cfg, finish), decode = decoder(cfg, finish, safe and '?' or 'decode'),
    new = function() return new_module(marks, safe) end,
    null = A.null, empty_array = empty_array,
    array_mt = marks.array_mt, empty_array_mt = marks.empty_array_mt,
    _NAME = NAME, _VERSION = VERSION,
  }
  add_options(module, cfg)
  return module
end

-- The metatables that mark arrays are the same for all modules of an isolate.
local function marks_of(I)
  local marks = I.cjson_marks
  if not marks then
    marks = {array_mt = {}, empty_array_mt = {}}
    I.cjson_marks = marks
  end
  return marks
end

return {
  ['cjson'] = function(I) return new_module(marks_of(I), false) end,
  ['cjson.safe'] = function(I) return new_module(marks_of(I), true) end,
}
