-- string.pack and unpack: integers of every size and order, floats, strings with lengths, a small file format.
-- engines: lua53 lua54 lua55

local h = 0
local function mix(text)
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
end

local function write(records)
  local out = {string.pack('<c4I4', 'RECS', #records)}
  for i, r in ipairs(records) do
    out[#out + 1] = string.pack('>I2s1zdi3B', i, r.name, r.text, r.value, r.change, r.flag and 1 or 0)
  end
  return table.concat(out)
end

local function read(data)
  local magic, count, at = string.unpack('<c4I4', data)
  assert(magic == 'RECS')
  local records = {}
  for _ = 1, count do
    local i, name, text, value, change, flag
    i, name, text, value, change, flag, at = string.unpack('>I2s1zdi3B', data, at)
    records[i] = {name = name, text = text, value = value, change = change, flag = flag == 1}
  end
  assert(at == #data + 1)
  return records
end

local size = 0
for round = 1, 120 do
  local records = {}
  for i = 1, round % 20 + 1 do
    records[i] = {name = 'n' .. i, text = ('x'):rep(i), value = i / 8, change = -i * round, flag = i % 2 == 0}
  end
  local data = write(records)
  size = size + #data
  mix(data)
  assert(write(read(data)) == data)
  for _, form in ipairs({'<i1', '>i2', '<i4', '>i8', '<I7', '!8>i4', 'j', 'n', '<f'}) do
    local packed = string.pack(form, round)
    if form ~= 'n' then mix(packed) end
    assert(string.unpack(form, packed) == round)
    size = size + string.packsize(form)
  end
  local ok, message = pcall(string.unpack, '<I4', 'abc')
  mix(tostring(ok) .. message:match('too short'))
end

return string.format('%d %d', h, size)
