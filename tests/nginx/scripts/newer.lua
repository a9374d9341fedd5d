-- What there is of the names that are the inputs.

local batch = require "batch"

batch.answer(function(name) return ngx[name] end)
