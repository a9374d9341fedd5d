-- Coroutines made, resumed and ended: numbers go through three of them, one behind the other, and a
-- tree is walked by one that calls itself; `size` times.

local create, resume, status, wrap, yield =
      coroutine.create, coroutine.resume, coroutine.status, coroutine.wrap, coroutine.yield
local assert, format = assert, string.format

local function count(last)
  return wrap(function()
    for i = 1, last do yield(i) end
  end)
end

local function squares(numbers)
  return wrap(function()
    for n in numbers do yield(n * n) end
  end)
end

local function odd(numbers)
  return wrap(function()
    for n in numbers do
      if n % 2 == 1 then yield(n) end
    end
  end)
end

local function tree(depth, name)
  if depth == 0 then return nil end
  return {name = name, left = tree(depth - 1, 2 * name), right = tree(depth - 1, 2 * name + 1)}
end

local function walk(node)
  if not node then return end
  walk(node.left)
  yield(node.name)
  walk(node.right)
end

local names = tree(5, 1)

return function(size)
  local sum, turns = 0, 0
  for i = 1, size do
    for n in odd(squares(count(20))) do sum = sum + n end
    local walker = create(walk)
    local ok, name = assert(resume(walker, names))
    while status(walker) ~= 'dead' do
      turns = turns + 1
      sum = sum + name * i % 7
      ok, name = assert(resume(walker))
    end
    if not ok then return 'failed' end
  end
  return format('%d %d', sum, turns)
end
