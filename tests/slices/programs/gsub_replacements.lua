-- gsub: replaced by strings with captures, by tables, by functions that keep, drop, count and nest.

local h = 0
local function mix(text)
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
end
local function note(text, count)
  mix(text)
  h = (h * 31 + count) % 1000000007
end

local values = {name = 'Lua', version = 5.4, ['1'] = 'one', gone = false}
local with_default = setmetatable({}, {__index = function(_, key) return '<' .. key .. '>' end})

local last
for i = 1, 55 do
  local text = ('hello world foo$name bar$version ' .. i .. ' '):rep(3)
  local letters = 0
  note(text:gsub('%w+', function(word)
    letters = letters + #word
    return word:reverse()
  end))
  note(text:gsub('(%w)(%w*)', '%2%1'))
  note(text:gsub('o', {o = '0'}))
  note(text:gsub('%$(%w+)', values))
  note(text:gsub('%$(%w+)', with_default))
  note(text:gsub('%w+', '%0 %0', 4))
  note(text:gsub('', '-', i % 9))
  note(text:gsub('^hello', 'bye'))
  note(text:gsub('l+', function(run) if #run == 1 then return nil end return false end))
  note(text:gsub('()o()', function(from, to) return from .. '-' .. to end))
  note(text:gsub('(%a+) (%a+)', function(a, b)
    return (b:gsub('%a', function(c) return c:byte() % 10 end)) .. ' ' .. a
  end))
  note(('(a (b) c) d (e)'):gsub('%b()', function(group) return '[' .. group:sub(2, -2) .. ']' end))
  note(('THE (quick) fox'):gsub('%f[%a]%a+', string.lower))
  note(('%d%% of %s'):gsub('%%(.)', {d = i, s = 'all', ['%'] = '%'}))
  note(('a,b,,c'):gsub(',', '%%'))
  last = ('key = value; other=thing'):gsub('(%w+)%s*=%s*(%w+)', '%2=%1')
  mix(last)
  local ok, message = pcall(string.gsub, text, 'o', function() error('in callback', 0) end)
  mix(message)
  h = (h * 31 + letters) % 1000000007
end

return string.format('%d %s', h, last)
