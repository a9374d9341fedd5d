-- The string library as scripts use it: `size` lines formatted, cut, joined, and replaced in.

local format, gmatch, gsub, rep, sub, upper =
      string.format, string.gmatch, string.gsub, string.rep, string.sub, string.upper
local concat, tostring = table.concat, tostring

return function(size)
  local lines = {}
  for i = 1, size do
    local name = 'user' .. i
    local line = format('%05d;%s;%s', i, upper(sub(name, 1, 4)) .. sub(name, 5), rep('ab', i % 5))
    lines[#lines + 1] = line .. ';' .. tostring(i * 3)
  end
  local text = concat(lines, '\n')
  local replaced, count = gsub(text, '(%d+);USER', '%1;<user>')
  local fields = 0
  for _ in gmatch(replaced, '[^;\n]+') do fields = fields + 1 end
  return format('%d %d %d', #replaced, count, fields)
end
