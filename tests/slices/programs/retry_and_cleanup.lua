-- What is built on pcall: retries, clean-up that always runs, transactions that are undone, breakers.

local unpack = table.unpack or unpack
local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function retry(times, f)
  local problems = {}
  for attempt = 1, times do
    local r = {pcall(f, attempt)}
    if r[1] then return unpack(r, 2) end
    problems[#problems + 1] = r[2]
  end
  error('failed: ' .. table.concat(problems, ', '), 0)
end

local function finally(f, cleanup)
  local function finish(ok, ...)
    cleanup(ok)
    if ok then return ... end
    error((...), 0)
  end
  return finish(pcall(f))
end

local function transaction(store, f)
  local undo = {}
  local view = setmetatable({}, {
    __index = store,
    __newindex = function(_, key, v)
      undo[#undo + 1] = {key, store[key]}
      store[key] = v
    end,
  })
  local ok, message = pcall(f, view)
  if not ok then
    for i = #undo, 1, -1 do store[undo[i][1]] = undo[i][2] end
    return nil, message
  end
  return true
end

for i = 1, 1200 do
  local ok, a, b = pcall(retry, 4, function(attempt)
    if attempt < i % 6 then error('attempt ' .. attempt, 0) end
    return attempt, i
  end)
  mix(ok and a * 10 + b or #a)
  local open = 0
  ok, a = pcall(finally, function()
    open = open + 1
    if i % 3 == 0 then error('in the midst', 0) end
    return 'fine'
  end, function(was_ok) open = open - (was_ok and 1 or 2) end)
  mix(#a + open + 10)
  local store = {x = i, y = 2}
  local done, problem = transaction(store, function(view)
    view.x = view.x + 1
    view.y = nil
    view.z = view.x * 2
    if i % 4 < 2 then error('rolled back', 0) end
    view.x = view.x + 100
  end)
  mix(store.x + (store.y or 50) + (store.z or 7) + (done and 1 or #problem))
end

return string.format('%d', h)
