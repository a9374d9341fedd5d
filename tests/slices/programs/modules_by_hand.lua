-- Modules without require: tables of functions with private state, made on first use, that use each other.

local made, order = {}, {}
local makers = {}
local function use(name)
  local module = made[name]
  if module == nil then
    order[#order + 1] = name
    module = makers[name](use) or true
    made[name] = module
  end
  return module
end

makers['queue'] = function()
  local M = {_VERSION = '1'}
  local mt = {__index = M}
  function M.new() return setmetatable({first = 1, last = 0}, mt) end
  function M:push(v) self.last = self.last + 1 self[self.last] = v end
  function M:pop()
    if self.first > self.last then return nil, 'empty' end
    local v = self[self.first]
    self[self.first] = nil
    self.first = self.first + 1
    return v
  end
  return M
end

makers['stats'] = function(use)
  local M = {}
  local queue = use('queue')
  local count, sum = 0, 0
  local window = queue.new()
  function M.add(n)
    count, sum = count + 1, sum + n
    window:push(n)
    if count > 10 then sum, count = sum - window:pop(), count - 1 end
  end
  function M.mean() return math.floor(sum / count) end
  return M
end

makers['graph'] = function(use)
  local queue, stats = use('queue'), use('stats')
  local M = {}
  function M.distances(edges, from)
    local distance, todo = {[from] = 0}, queue.new()
    todo:push(from)
    while true do
      local node, problem = todo:pop()
      if problem then break end
      for _, to in ipairs(edges[node]) do
        if not distance[to] then
          distance[to] = distance[node] + 1
          stats.add(distance[to])
          todo:push(to)
        end
      end
    end
    return distance
  end
  return M
end

local h = 0
local graph, stats = use('graph'), use('stats')
for round = 1, 120 do
  local edges = {}
  for i = 1, 50 do edges[i] = {(i * 3 + round) % 50 + 1, (i * 7) % 50 + 1, (i + round) % 50 + 1} end
  local distance = graph.distances(edges, round % 50 + 1)
  for i = 1, 50 do h = (h * 31 + (distance[i] or 99)) % 1000000007 end
  h = (h * 31 + stats.mean()) % 1000000007
end

return string.format('%d %s', h, table.concat(order, ','))
