-- A heap, an LRU cache on a linked list, a union-find, a trie and a ring, used together.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end
local floor = math.floor

local Heap = {}
Heap.__index = Heap
function Heap:push(v)
  local i = #self + 1
  self[i] = v
  while i > 1 and self[floor(i / 2)] > self[i] do
    local up = floor(i / 2)
    self[i], self[up] = self[up], self[i]
    i = up
  end
end
function Heap:pop()
  local top, last = self[1], table.remove(self)
  if #self > 0 then
    self[1] = last
    local i = 1
    while true do
      local smallest = i
      for child = 2 * i, 2 * i + 1 do
        if self[child] and self[child] < self[smallest] then smallest = child end
      end
      if smallest == i then break end
      self[i], self[smallest] = self[smallest], self[i]
      i = smallest
    end
  end
  return top
end

local function lru(size)
  local head, nodes, count, hits = {}, {}, 0, 0
  head.next, head.previous = head, head
  local function unlink(node) node.previous.next, node.next.previous = node.next, node.previous end
  local function link(node)
    node.next, node.previous = head.next, head
    head.next.previous = node
    head.next = node
  end
  return function(key, make)
    local node = nodes[key]
    if node then
      hits = hits + 1
      unlink(node)
    else
      if count == size then
        local oldest = head.previous
        unlink(oldest)
        nodes[oldest.key] = nil
        count = count - 1
      end
      node = {key = key, value = make(key)}
      nodes[key] = node
      count = count + 1
    end
    link(node)
    return node.value, hits
  end
end

local heap = setmetatable({}, Heap)
local seed = 5
for i = 1, 4000 do
  seed = seed * 16807 % 2147483647
  heap:push(seed % 1000)
  if i % 3 == 0 then mix(heap:pop()) end
end
local last = -1
while #heap > 0 do
  local v = heap:pop()
  assert(v >= last)
  last = v
  mix(v)
end

local cached = lru(20)
for i = 1, 6000 do
  seed = seed * 16807 % 2147483647
  local value, hits = cached(seed % 35, function(key) return key * key end)
  mix(value + hits)
end

local parent = {}
for i = 1, 200 do parent[i] = i end
local function find(i)
  while parent[i] ~= i do
    parent[i] = parent[parent[i]]
    i = parent[i]
  end
  return i
end
for i = 1, 3000 do parent[find(i * 7 % 200 + 1)] = find(i * 13 % 200 + 1) end
local roots = 0
for i = 1, 200 do if find(i) == i then roots = roots + 1 end end
mix(roots)

local trie = {}
for word in ('to tea ted ten inn in i a tent team'):gmatch('%a+') do
  local node = trie
  for c in word:gmatch('.') do
    node[c] = node[c] or {}
    node = node[c]
  end
  node.word = word
end
local function words(node, prefix, out)
  if node.word then out[#out + 1] = node.word end
  for b = 97, 122 do
    local child = node[string.char(b)]
    if child then words(child, prefix .. string.char(b), out) end
  end
  return out
end
local found = table.concat(words(trie, '', {}), ' ')

return string.format('%d %d %s', h, roots, found)
