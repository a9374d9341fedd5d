-- What a text of JSON means, or what is wrong with it and where.

local batch = require "batch"
local cjson = require "cjson"

batch.answer(function(text) return cjson.decode(text) end)
