-- An interpreter in Lua: tokens, a parser by precedence, trees, closures; programs that it runs.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function tokens(text)
  local list, at = {}, 1
  while at <= #text do
    local from, to, token = text:find('^%s*(%d+)', at)
    if not from then from, to, token = text:find('^%s*(%a%w*)', at) end
    if not from then from, to, token = text:find('^%s*([=<>~]=)', at) end
    if not from then from, to, token = text:find('^%s*([^%s%w])', at) end
    if not from then break end
    list[#list + 1] = token
    at = to + 1
  end
  return list
end

local PRECEDENCE = {['<'] = 1, ['=='] = 1, ['+'] = 2, ['-'] = 2, ['*'] = 3, ['%'] = 3}
local OPERATIONS = {
  ['+'] = function(a, b) return a + b end, ['-'] = function(a, b) return a - b end,
  ['*'] = function(a, b) return a * b % 1000003 end, ['%'] = function(a, b) return a % b end,
  ['<'] = function(a, b) return a < b and 1 or 0 end, ['=='] = function(a, b) return a == b and 1 or 0 end,
}

local function compile(text)
  local list, at = tokens(text), 1
  local expression, block
  local function take(wanted)
    local token = list[at]
    if wanted and token ~= wanted then error(('expected %s, got %s'):format(wanted, tostring(token)), 0) end
    at = at + 1
    return token
  end
  local function primary()
    local token = take()
    if token == '(' then
      local inner = expression(1)
      take(')')
      return inner
    end
    local number = tonumber(token)
    if number then return function() return number end end
    if not token or not token:match('^%a') then error('unexpected ' .. tostring(token), 0) end
    return function(env) return env[token] or error('undefined ' .. token, 0) end
  end
  function expression(least)
    local left = primary()
    while PRECEDENCE[list[at]] and PRECEDENCE[list[at]] >= least do
      local operator = take()
      local operation, a, b = OPERATIONS[operator], left, expression(PRECEDENCE[operator] + 1)
      left = function(env) return operation(a(env), b(env)) end
    end
    return left
  end
  local function statement()
    local word = take()
    if word == 'while' or word == 'if' then
      local condition, body = expression(1), block()
      if word == 'if' then return function(env) if condition(env) ~= 0 then body(env) end end end
      return function(env) while condition(env) ~= 0 do body(env) end end
    end
    take('=')
    local value = expression(1)
    return function(env) env[word] = value(env) end
  end
  function block()
    take('{')
    local statements = {}
    while list[at] ~= '}' do statements[#statements + 1] = statement() end
    take('}')
    return function(env) for i = 1, #statements do statements[i](env) end end
  end
  return block()
end

local program = compile([[{
  i = 0  a = 0  b = 1  odd = 0
  while i < n {
    t = a + b  a = b  b = t % 1000003
    if b % 2 == 1 { odd = odd + 1 }
    i = i + 1
  }
}]])
local nested = compile('{ s = 0 i = 0 while i < n { j = 0 while j < i { s = s + i * j j = j + 1 } i = i + 1 } }')
for n = 5, 160, 5 do
  local env = {n = n}
  program(env)
  mix(env.b) mix(env.odd)
  env = {n = math.floor(n / 2)}
  nested(env)
  mix(env.s)
end
for _, bad in ipairs({'{ x = }', '{ x 1 }', '{ while 1 x }', '{ y = x + 1 }', '{ x = (1 }'}) do
  local ok, result = pcall(function() return compile(bad)({}) end)
  mix(ok and 1 or #result)
end

return string.format('%d', h)
