-- The server's cjson: documents there and back, settings, errors, sparse and empty arrays.
-- scripts alone: cjson is the server's

local cjson = require('cjson')
local h = 0
local function mix(text)
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
end

local parser = cjson.new()
parser.encode_sparse_array(true)
local last
for i = 1, 70 do
  local list = {}
  for j = 1, i % 12 do list[j] = {j, j * 1.5, 'text "' .. j .. '"\n', j % 2 == 0, cjson.null} end
  last = cjson.encode(list)
  mix(last)
  local back = cjson.decode(last)
  assert(cjson.encode(back) == last)
  for j = 1, #back do assert(back[j][5] == cjson.null and back[j][1] == j) end
  mix(parser.encode({[1] = 1, [4] = i}))
  mix(cjson.encode({[1] = {nested = {deeper = {i}}}}))
  local object = cjson.decode('{"a": [1, 2, {"b": "\\u00e4\\ud83d\\ude00"}], "n": ' .. i .. '.25e1, "ok": true}')
  mix(object.a[3].b .. string.format('%.3f', object.n) .. tostring(object.ok))
  for _, bad in ipairs({'{"a"', '[1,]', 'nul', '"\\x"', '[1] 2', ''}) do
    local ok, message = pcall(cjson.decode, bad)
    mix(tostring(ok) .. message)
  end
  local loop = {}
  loop[1] = loop
  local ok, message = pcall(cjson.encode, loop)
  mix(tostring(ok) .. message)
  ok, message = pcall(cjson.encode, {print})
  mix(tostring(ok) .. message)
end

return string.format('%d %s', h, last)
