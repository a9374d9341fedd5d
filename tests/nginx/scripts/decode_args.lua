-- The arguments of one text: parts are the text and max, which may be empty.

local batch = require "batch"

batch.answer(function(input)
  local parts = batch.fields(input)
  local text, max = parts[1], parts[2]
  if max == "" then return ngx.decode_args(text) end
  return ngx.decode_args(text, tonumber(max))
end)
