-- Compression: LZW and Huffman codes there and back, edit distances between the words of a text.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function compress(text)
  local codes, size, out, word = {}, 256, {}, ''
  for i = 0, 255 do codes[string.char(i)] = i end
  for c in text:gmatch('.') do
    if codes[word .. c] then
      word = word .. c
    else
      out[#out + 1] = codes[word]
      codes[word .. c] = size
      size = size + 1
      word = c
    end
  end
  out[#out + 1] = codes[word]
  return out
end
local function expand(codes)
  local words, size = {}, 256
  for i = 0, 255 do words[i] = string.char(i) end
  local word = words[codes[1]]
  local out = {word}
  for i = 2, #codes do
    local entry = words[codes[i]] or word .. word:sub(1, 1)
    out[#out + 1] = entry
    words[size] = word .. entry:sub(1, 1)
    size = size + 1
    word = entry
  end
  return table.concat(out)
end

local function huffman(text)
  local counts, nodes = {}, {}
  for c in text:gmatch('.') do counts[c] = (counts[c] or 0) + 1 end
  for c, n in pairs(counts) do nodes[#nodes + 1] = {n = n, key = c, c = c} end
  local function less(a, b) return a.n > b.n or a.n == b.n and a.key > b.key end
  while #nodes > 1 do
    table.sort(nodes, less)
    local a, b = table.remove(nodes), table.remove(nodes)
    nodes[#nodes + 1] = {n = a.n + b.n, key = a.key < b.key and a.key or b.key, a = a, b = b}
  end
  local codes = {}
  local function visit(node, code)
    if node.c then codes[node.c] = code return end
    visit(node.a, code .. '0')
    visit(node.b, code .. '1')
  end
  visit(nodes[1], '')
  return codes, nodes[1]
end

local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local above = row[j]
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(above + 1, row[j - 1] + 1, diagonal + cost)
      diagonal = above
    end
  end
  return row[#b]
end

local text = ('she sells sea shells by the sea shore '):rep(30) .. 'the shells she sells are surely sea shells'
local compressed = compress(text)
assert(expand(compressed) == text)
for i = 1, #compressed do mix(compressed[i]) end
local codes, tree = huffman(text)
local bits = text:gsub('.', codes)
mix(#bits)
local node, back = tree, {}
for bit in bits:gmatch('.') do
  node = bit == '0' and node.a or node.b
  if node.c then
    back[#back + 1] = node.c
    node = tree
  end
end
assert(table.concat(back) == text)
local words = {}
for word in text:gmatch('%a+') do words[#words + 1] = word end
for i = 1, 30 do
  for j = i, 60 do mix(distance(words[i], words[j])) end
end

return string.format('%d %d %d', h, #compressed, #bits)
