-- Strings built by concatenation, in a table, with repeats, and as a stack of pieces (micro-benchmark).

local h = 0
local function mix(text)
  for i = 1, #text, 7 do h = (h * 31 + text:byte(i)) % 1000000007 end
end

local s = ''
for i = 1, 600 do s = s .. i .. ',' .. (i % 7 == 0 and 'seven' or '') end
mix(s)

local t = {}
for i = 1, 6000 do
  t[#t + 1] = i * i
  t[#t + 1] = ('x'):rep(i % 5)
end
mix(table.concat(t, ';'))
mix(table.concat(t, '', 100, 900))

-- Pieces are joined when the one before is not longer, so that each byte is copied few times.
local stack = {}
local function add(piece)
  stack[#stack + 1] = piece
  for i = #stack - 1, 1, -1 do
    if #stack[i] > #stack[i + 1] then break end
    stack[i] = stack[i] .. table.remove(stack)
  end
end
for i = 1, 3000 do add('line ' .. i .. '\n') end
local whole = table.concat(stack)
mix(whole)

local lines = 0
for line in whole:gmatch('[^\n]+') do lines = lines + #line end
local upper = {}
for i = 1, 300 do upper[i] = ('%s=%s'):format(('k' .. i):upper(), ('v'):rep(i % 9)) end
mix(table.concat(upper, '&'))

return string.format('%d %d %d', h, #whole, lines)
