-- Percent escapes of one text, by each type of escape_uri.

local batch = require "batch"

batch.answer(function(text)
  local answers = {ngx.unescape_uri(text), ngx.escape_uri(text)}
  for kind = 0, 6 do answers[#answers + 1] = ngx.escape_uri(text, kind) end
  return answers
end)
