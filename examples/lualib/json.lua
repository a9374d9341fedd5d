-- JSON (RFC 8259) in plain Lua, for texts of moderate size.
--
--   json.encode(value)   a string; raises what JSON can't say (NaN, functions, cycles, mixed keys)
--   json.decode(text)    the value, or nil and what is wrong with the text
--   json.null            null in both directions, the same as ngx.null
--   json.array(table)    marks a table as an array: only an empty one needs it, {} is an object
--
-- Objects are written with their keys sorted, so that equal values give equal texts.

local byte, char, find, format, match, sub =
      string.byte, string.char, string.find, string.format, string.match, string.sub
local concat, sort = table.concat, table.sort
local floor, huge, math_type = math.floor, math.huge, math.type

local json = {null = ngx.null}

-- Levels of nesting. A client chooses how deep its JSON is: without a bound it would choose how
-- much of our stack it takes. A table that holds itself ends here, too.
local MAX_DEPTH = 100

local array_mark = {}

function json.array(t) return setmetatable(t, array_mark) end

-- ------------------------------------------------------------------ encode
local SHORT = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t",
}

local function escape(c) return SHORT[c] or format("\\u%04x", byte(c)) end

local function encode_string(s) return '"' .. s:gsub('[%c"\\]', escape) .. '"' end

local function encode_number(n)
  if n ~= n or n == huge or n == -huge then error("JSON has no " .. tostring(n), 0) end
  if math_type and math_type(n) == "integer" then return format("%d", n) end
  return format("%.14g", n)
end

local encode_value

local function encode_array(t, n, depth)
  local parts = {}
  for i = 1, n do parts[i] = encode_value(t[i], depth) end
  return "[" .. concat(parts, ",") .. "]"
end

local function encode_object(t, depth)
  local keys = {}
  for key in pairs(t) do
    if type(key) ~= "string" then
      error("a table for JSON has either string keys only or the keys 1 to n", 0)
    end
    keys[#keys + 1] = key
  end
  sort(keys)
  local parts = {}
  for i, key in ipairs(keys) do
    parts[i] = encode_string(key) .. ":" .. encode_value(t[key], depth)
  end
  return "{" .. concat(parts, ",") .. "}"
end

local function encode_table(t, depth)
  if depth > MAX_DEPTH then error("too deep for JSON: more than " .. MAX_DEPTH .. " levels", 0) end
  local count = 0
  for _ in pairs(t) do count = count + 1 end
  -- As many keys as #t says, and every one of 1 to #t among them: no others, and no holes.
  local n, holes = #t, false
  for i = 1, n do holes = holes or t[i] == nil end
  if n == count and not holes and (n > 0 or getmetatable(t) == array_mark) then
    return encode_array(t, n, depth + 1)
  end
  return encode_object(t, depth + 1)
end

function encode_value(value, depth)
  local kind = type(value)
  if kind == "string" then return encode_string(value) end
  if kind == "number" then return encode_number(value) end
  if kind == "boolean" then return tostring(value) end
  if kind == "table" then return encode_table(value, depth) end
  if value == nil or value == json.null then return "null" end
  error("JSON has no " .. kind, 0)
end

function json.encode(value) return encode_value(value, 1) end

-- ------------------------------------------------------------------ decode
-- Each parse_* takes the position where its value begins and gives the position behind it and
-- the value, or nil and the reason.
local LONG = {
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
}

local function at_position(reason, at) return nil, reason .. " at character " .. at end

local function utf8_of(code)
  if code < 0x80 then return char(code) end
  local tail = char(0x80 + code % 64)
  code = floor(code / 64)
  if code < 0x20 then return char(0xC0 + code) .. tail end
  tail = char(0x80 + code % 64) .. tail
  code = floor(code / 64)
  if code < 0x10 then return char(0xE0 + code) .. tail end
  return char(0xF0 + floor(code / 64), 0x80 + code % 64) .. tail
end

-- Behind "\u": one code unit, or the two that make a character beyond the first 65,536.
local function parse_unicode(text, at)
  local high = tonumber(match(text, "^%x%x%x%x", at) or "", 16)
  if not high or (high >= 0xDC00 and high <= 0xDFFF) then
    return at_position("bad unicode escape", at)
  end
  if high < 0xD800 or high > 0xDBFF then return at + 4, utf8_of(high) end
  local low = tonumber(match(text, "^\\u([dD][c-fC-F]%x%x)", at + 4) or "", 16)
  if not low then return at_position("half a surrogate pair", at) end
  return at + 10, utf8_of(0x10000 + (high - 0xD800) * 0x400 + (low - 0xDC00))
end

local function parse_string(text, at)
  local parts, start = {}, at
  at = at + 1
  while true do
    local stop = find(text, '[%z\1-\31"\\]', at)
    if not stop then return at_position("string without an end", start) end
    parts[#parts + 1] = sub(text, at, stop - 1)
    local found = sub(text, stop, stop)
    if found == '"' then return stop + 1, concat(parts) end
    if found ~= "\\" then return at_position("control character in a string", stop) end
    local escaped = sub(text, stop + 1, stop + 1)
    local piece
    if escaped == "u" then
      at, piece = parse_unicode(text, stop + 2)
      if not at then return nil, piece end
    else
      piece = LONG[escaped]
      if not piece then return at_position("bad escape", stop) end
      at = stop + 2
    end
    parts[#parts + 1] = piece
  end
end

local function parse_number(text, at)
  local digits = match(text, "^-?%d+", at)
  if not digits then return at_position("expected a value", at) end
  if find(digits, "^-?0%d") then return at_position("bad number", at) end
  local behind = at + #digits
  local fraction = match(text, "^%.%d+", behind) or ""
  local exponent = match(text, "^[eE][+-]?%d+", behind + #fraction) or ""
  local number = tonumber(digits .. fraction .. exponent)
  if number == huge or number == -huge then return at_position("number out of range", at) end
  return behind + #fraction + #exponent, number
end

local function skip_space(text, at) return (find(text, "[^ \t\r\n]", at)) or #text + 1 end

local parse_value

local function parse_array(text, at, depth)
  local array, n = json.array {}, 0
  at = skip_space(text, at + 1)
  if sub(text, at, at) == "]" then return at + 1, array end
  while true do
    local behind, value = parse_value(text, at, depth)
    if not behind then return nil, value end
    n = n + 1
    array[n] = value
    at = skip_space(text, behind)
    local found = sub(text, at, at)
    if found == "]" then return at + 1, array end
    if found ~= "," then return at_position('expected "," or "]"', at) end
    at = skip_space(text, at + 1)
  end
end

local function parse_object(text, at, depth)
  local object = {}
  at = skip_space(text, at + 1)
  if sub(text, at, at) == "}" then return at + 1, object end
  while true do
    if sub(text, at, at) ~= '"' then return at_position("expected a string as key", at) end
    local behind, key = parse_string(text, at)
    if not behind then return nil, key end
    at = skip_space(text, behind)
    if sub(text, at, at) ~= ":" then return at_position('expected ":"', at) end
    local value
    behind, value = parse_value(text, skip_space(text, at + 1), depth)
    if not behind then return nil, value end
    object[key] = value
    at = skip_space(text, behind)
    local found = sub(text, at, at)
    if found == "}" then return at + 1, object end
    if found ~= "," then return at_position('expected "," or "}"', at) end
    at = skip_space(text, at + 1)
  end
end

function parse_value(text, at, depth)
  if depth > MAX_DEPTH then return at_position("too deep", at) end
  local found = sub(text, at, at)
  if found == "{" then return parse_object(text, at, depth + 1) end
  if found == "[" then return parse_array(text, at, depth + 1) end
  if found == '"' then return parse_string(text, at) end
  if sub(text, at, at + 3) == "true" then return at + 4, true end
  if sub(text, at, at + 4) == "false" then return at + 5, false end
  if sub(text, at, at + 3) == "null" then return at + 4, json.null end
  if found == "" then return at_position("unexpected end", at) end
  return parse_number(text, at)
end

function json.decode(text)
  local behind, value = parse_value(text, skip_space(text, 1), 1)
  if not behind then return nil, value end
  behind = skip_space(text, behind)
  if behind <= #text then return at_position("something follows the value", behind) end
  return value
end

return json
