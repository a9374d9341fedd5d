-- Globals: written, read, shadowed by locals, functions that find each other by them, erased at the end.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

assert(program_total == nil and program_step == nil)
program_total = 0
function program_step(n)
  program_total = program_total + n
  if n > 0 then return program_step(n - 1) end
  return program_total
end
function program_table() return program_names end
program_names = {}
function program_names.add(name) program_names[#program_names + 1] = name end

for i = 1, 9000 do
  mix(program_step(i % 17))
  local program_total = 5
  program_total = program_total + i
  mix(program_total)
  program_names.add('n' .. i)
  mix(#program_table())
  _G['program_' .. i % 10] = i
  mix(_G.program_0 or 1000)
  local print = print
  mix(type(print) == 'function' and 1 or 0)
end
mix(program_total)
for i = 0, 9 do mix(_G['program_' .. i]) _G['program_' .. i] = nil end
program_total, program_step, program_table, program_names = nil, nil, nil, nil

return string.format('%d', h)
