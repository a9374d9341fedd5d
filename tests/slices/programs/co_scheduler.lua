-- A scheduler of coroutines: round robin, sleepers on a clock of its own, mailboxes, joins and failures.

local create, resume, yield, status = coroutine.create, coroutine.resume, coroutine.yield, coroutine.status
local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local now, ready, sleeping, mail, joined = 0, {}, {}, {}, {}
local function spawn(f, ...)
  local args, n = {...}, select('#', ...)
  local task = {co = create(function() return f((table.unpack or unpack)(args, 1, n)) end)}
  ready[#ready + 1] = task
  return task
end
local function sleep(t) yield('sleep', t) end
local function receive(box) return yield('receive', box) end
local function send(box, v) yield('send', box, v) end
local function join(task) return yield('join', task) end

local function run()
  while true do
    while #ready > 0 do
      local task = table.remove(ready, 1)
      local ok, what, a, b = resume(task.co, task.value)
      task.value = nil
      if status(task.co) == 'dead' then
        task.dead, task.result = true, ok and what or 'failed ' .. tostring(what)
        mix(#tostring(task.result))
        for _, waiter in ipairs(joined[task] or {}) do
          waiter.value = task.result
          ready[#ready + 1] = waiter
        end
      elseif what == 'sleep' then
        task.at = now + a
        sleeping[#sleeping + 1] = task
      elseif what == 'send' then
        local box = mail[a] or {}
        mail[a] = box
        if box.waiter then
          box.waiter.value = b
          ready[#ready + 1] = box.waiter
          box.waiter = nil
        else
          box[#box + 1] = b
        end
        ready[#ready + 1] = task
      elseif what == 'receive' then
        local box = mail[a] or {}
        mail[a] = box
        if #box > 0 then
          task.value = table.remove(box, 1)
          ready[#ready + 1] = task
        else
          box.waiter = task
        end
      elseif what == 'join' then
        if a.dead then
          task.value = a.result
          ready[#ready + 1] = task
        else
          joined[a] = joined[a] or {}
          table.insert(joined[a], task)
        end
      end
    end
    if #sleeping == 0 then return end
    table.sort(sleeping, function(a, b) return a.at < b.at or a.at == b.at and a.id < b.id end)
    local task = table.remove(sleeping, 1)
    now = task.at
    ready[#ready + 1] = task
  end
end

local results = {}
local function consumer(n)
  local total = 0
  for i = 1, n do total = total + receive('numbers') end
  results[#results + 1] = total
  return 'total ' .. total
end
local function producer(id, n)
  for i = 1, n do
    sleep(id + i % 3)
    send('numbers', id * i)
  end
  if id == 3 then error('producer three', 0) end
  return id
end

for round = 1, 28 do
  local c = spawn(consumer, 60)
  local producers = {}
  for id = 1, 6 do
    producers[id] = spawn(producer, id, 10)
    producers[id].id = id
  end
  local waiter = spawn(function()
    local texts = {}
    for id = 1, 6 do texts[id] = tostring(join(producers[id])) end
    texts[7] = join(c)
    return table.concat(texts, ',')
  end)
  run()
  mix(now % 1000)
  results[#results + 1] = waiter.result
end

return string.format('%d %s', h, results[#results])
