-- ngx.re and its module: function, subject, pattern, options, replacement, position.

local batch = require "batch"
local split = require "ngx.re".split

local unpack = table.unpack or unpack

-- Where a search begins, and what it made of the place.
local function from_place(position, search)
  local ctx = {pos = position}
  local results = {search(ctx)}
  results[5] = ctx.pos
  return unpack(results, 1, 5)
end

local calls = {}

function calls.match(subject, pattern, options, _, position)
  return from_place(position, function(ctx) return ngx.re.match(subject, pattern, options, ctx) end)
end

function calls.find(subject, pattern, options, _, position)
  return from_place(position, function(ctx)
    return ngx.re.find(subject, pattern, options, ctx, position % 3)
  end)
end

function calls.split(subject, pattern, options, _, position)
  return from_place(position, function(ctx)
    return split(subject, pattern, options, ctx, position % 4)
  end)
end

function calls.gmatch(subject, pattern, options)
  local it, err = ngx.re.gmatch(subject, pattern, options)
  if not it then return err end
  local found = {}
  for i = 1, 40 do
    local m, problem = it()
    found[i] = {m, problem}
    if not m then break end
  end
  return found
end

function calls.sub(subject, pattern, options, replacement)
  return ngx.re.sub(subject, pattern, replacement, options)
end

function calls.gsub(subject, pattern, options, replacement)
  return ngx.re.gsub(subject, pattern, replacement, options)
end

function calls.gsub_by_function(subject, pattern, options)
  return ngx.re.gsub(subject, pattern, batch.show, options)
end

batch.answer(function(input)
  local parts = batch.fields(input)
  return calls[parts[1]](parts[2], parts[3], parts[4], parts[5], tonumber(parts[6]))
end)
