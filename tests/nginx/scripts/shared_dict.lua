-- One sequence of operations on a dictionary: what each gives, and the order of use after it.
-- lua_shared_dict: sequences 1m
--
-- An input has a field for each operation, which has a field for its name and each argument:
-- "s" and a string, "n" and a number, "t" true, "f" false, "z" nil, "b" and the length of a long string.

local batch = require "batch"

local NO_DIGITS = {inf = 1 / 0, ["-inf"] = -1 / 0, nan = 0 / 0}

local READ = {
  s = function(text) return text end,
  n = function(text) return NO_DIGITS[text] or tonumber(text) end,
  t = function() return true end,
  f = function() return false end,
  z = function() return nil end,
  b = function(text) return string.rep("x", tonumber(text)) end,
}

local unpack = unpack or table.unpack
local dict = ngx.shared.sequences

-- Time passes: a ttl is told in steps that the test's times are far from.
local STEP = 100
local function steps(ttl, ...)
  if type(ttl) ~= "number" or ttl == 0 then return ttl, ... end
  return ttl < 0 and "negative" or math.ceil(ttl / STEP), ...
end

local function run(operation)
  local parts = batch.fields(operation)
  local name, arguments = parts[1], {}
  for i = 2, #parts do
    local part = parts[i]
    arguments[i - 1] = READ[string.sub(part, 1, 1)](string.sub(part, 2))
  end
  if name == "ttl" then return steps(dict:ttl(unpack(arguments, 1, #parts - 1))) end
  return dict[name](dict, unpack(arguments, 1, #parts - 1))
end

local function shown(...)
  local texts = {}
  for i = 1, select("#", ...) do texts[i] = batch.show((select(i, ...))) end
  return table.concat(texts, " ")
end

batch.answer(function(input)
  dict:flush_all()
  dict:flush_expired()
  local lines = {}
  for i, operation in ipairs(batch.fields(input)) do
    local order = table.concat(dict:get_keys(0), ",")
    lines[i] = shown(pcall(run, operation)) .. " after " .. order
  end
  local keys = dict:get_keys(0)
  lines[#lines + 1] = "in the end " .. table.concat(keys, ",")
  for key = string.byte("a"), string.byte("l") do
    lines[#lines + 1] = shown(dict:get_stale(string.char(key)))
  end
  lines[#lines + 1] = "expired " .. dict:flush_expired()
  return table.concat(lines, "\n")
end)
