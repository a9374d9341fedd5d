-- What a text of JSON means, how it is written again, and what that means. The members of an object
-- have no order, so that the bytes of a text are sorted.

local batch = require "batch"
local cjson = require "cjson"

batch.answer(function(text)
  local value = cjson.decode(text)
  local written = cjson.encode(value)
  local bytes = {}
  for i = 1, #written do bytes[i] = string.sub(written, i, i) end
  table.sort(bytes)
  return value, table.concat(bytes), cjson.decode(written)
end)
