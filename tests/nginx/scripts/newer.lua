-- What there is of the names that are the inputs, "ngx.NAME" or "cjson.NAME".

local batch = require "batch"
local tables = {ngx = ngx, cjson = require "cjson"}

batch.answer(function(name)
  local of, member = string.match(name, "^(%w+)%.([%w_]+)$")
  return tables[of][member]
end)
