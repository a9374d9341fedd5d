-- Tracebacks name the script's own functions, in coroutines and handlers, too, and nothing else.
-- differs between engines: each has its own words
-- differs from plain Lua: handlers run after the error has been unwound

local seen, h = {}, 0
local function note(text)
  seen[text] = true
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
end

local function inner(n)
  local text = debug.traceback('at ' .. n)
  return text
end
local function outer(n)
  local text = inner(n)
  return text
end

local function wait(n)
  local got = coroutine.yield(n)
  return got
end
local function nested(n)
  local co = coroutine.wrap(function()
    local text = outer(n)
    coroutine.yield(text)
    error('failed', 0)
  end)
  local text = co()
  return text, co
end

for round = 1, 60 do
  note(outer(1))
  local text, co = nested(2)
  note(text)
  local suspended = coroutine.create(function() wait(3) return 1 end)
  coroutine.resume(suspended)
  note(debug.traceback(suspended))
  note(debug.traceback(suspended, 'message', 1))
  local _, handled = xpcall(function() local x = outer(4) error(x, 0) end, debug.traceback)
  note(handled)
  _, handled = xpcall(co, function(message) return debug.traceback(message .. ' in handler') end)
  note(handled)
  local failed = coroutine.create(function() local x = nil; x() end)
  coroutine.resume(failed)
  note(debug.traceback(failed))
end

local list = {}
for text in pairs(seen) do list[#list + 1] = text end
table.sort(list)
return string.format('%d %d\n', h, #list) .. table.concat(list, '\n')
