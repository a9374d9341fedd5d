-- Whether a table with the given keys is an array, an object or a problem, under some options.
-- The input: three for encode_sparse_array, then the keys, where "#" is before a number.

local batch = require "batch"
local cjson = require "cjson"

batch.answer(function(input)
  local fields = batch.fields(input)
  local json = cjson.new()
  json.encode_sparse_array(fields[1], tonumber(fields[2]), tonumber(fields[3]))
  local t = {}
  for i = 4, #fields do
    local key = fields[i]
    if string.sub(key, 1, 1) == "#" then key = tonumber(string.sub(key, 2)) end
    t[key] = i
  end
  local written = json.encode(t)
  return string.sub(written, 1, 1), #written, cjson.decode(written)
end)
