-- The batches of tests/support/nginx.py: many inputs in one request, an answer for each.

local M = {}

-- The parts of netstrings: "LENGTH:BYTES,", one after another.
function M.fields(data)
  local parts, at = {}, 1
  while at <= #data do
    local colon = string.find(data, ":", at, true)
    local stop = colon + tonumber(string.sub(data, at, colon - 1))
    parts[#parts + 1] = string.sub(data, colon + 1, stop)
    at = stop + 2
  end
  return parts
end

local function netstring(text) return #text .. ":" .. text .. "," end

-- "2" of LuaJIT and "2.0" of 5.4 are one number. A fraction is written in hexadecimal, which rounds
-- nothing: nginx's LuaJIT rounds a final 5 up, newer ones to even. Of subnormal numbers that is
-- written in two ways, so that they are multiplied first.
local function number(value)
  if value ~= value then return "nan" end
  if value == math.floor(value) then return string.format("%.17g", value) end
  if value > -2 ^ -1022 and value < 2 ^ -1022 then return number(value * 2 ^ 52) .. "*2^-52" end
  return string.format("%a", value)
end

-- Any value with its type, the same text wherever the values are equal.
function M.show(value)
  local kind = type(value)
  if kind == "string" then return "s" .. netstring(value) end
  if kind == "number" then return "n" .. number(value) end
  if value == nil or kind == "boolean" then return tostring(value) end
  if value == ngx.null then return "null" end
  if kind ~= "table" then return kind end
  local lines = {}
  for key, item in pairs(value) do lines[#lines + 1] = M.show(key) .. "=" .. M.show(item) end
  table.sort(lines)
  return "{" .. table.concat(lines, " ") .. "}"
end

local function shown(ok, ...)
  if not ok then
    local message = tostring((...))
    return "raised " .. (string.gsub(message, "^[^\n]-:%d+: ", ""))
  end
  local texts = {}
  for i = 1, select("#", ...) do texts[i] = M.show((select(i, ...))) end
  return table.concat(texts, " ")
end

-- Answers each input with what `f` returns for it, or raises.
function M.answer(f)
  ngx.req.read_body()
  local answers = {}
  for i, input in ipairs(M.fields(ngx.req.get_body_data() or "")) do
    answers[i] = netstring(shown(pcall(f, input)))
  end
  ngx.print(answers)
end

return M
