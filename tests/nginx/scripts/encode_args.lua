-- The query of one table. Parts: a key, then how many values it has, then each with its type first.

local batch = require "batch"

local function value_of(text)
  local kind, rest = string.sub(text, 1, 1), string.sub(text, 2)
  -- A float on each engine: 5.4 writes its integers with all their digits.
  if kind == "n" then return tonumber(rest) + 0.0 end
  if kind == "b" then return rest == "true" end
  if kind == "0" then return ngx.null end
  return rest
end

batch.answer(function(input)
  local parts, args, at = batch.fields(input), {}, 1
  while at <= #parts do
    local key, count = parts[at], parts[at + 1]
    if count == "one" then
      args[key] = value_of(parts[at + 2])
      at = at + 3
    else
      local list = {}
      for i = 1, tonumber(count) do list[i] = value_of(parts[at + 1 + i]) end
      args[key] = list
      at = at + 2 + #list
    end
  end
  -- The order of a table's keys is each engine's own.
  local out = {}
  for part in string.gmatch(ngx.encode_args(args), "[^&]+") do out[#out + 1] = part end
  table.sort(out)
  return out, ngx.decode_args(ngx.encode_args(args), 0)
end)
