-- What the engine itself says of wrong operations: values that are no tables, functions or numbers.
-- differs between engines: each has its own words
-- differs from plain Lua: functions of ours name themselves in their errors

local h, seen = 0, {}
local function note(ok, message)
  message = tostring(message):gsub("to '[%w_]+%.", "to '")     -- '_G.ipairs' or 'ipairs', as it comes
  seen[message] = true
  for i = 1, #message do h = (h * 31 + message:byte(i)) % 1000000007 end
end

local up = nil
local t = {field = nil, number = 5, text = 'text'}

for i = 1, 110 do
  note(pcall(function() local x = nil; return x.y end))
  note(pcall(function() return up.y end))
  note(pcall(function() return t.field.y end))
  note(pcall(function() t.field.y = 1 end))
  note(pcall(function() return t.number() end))
  note(pcall(function() return t:absent() end))
  note(pcall(function() return undefined_function(1) end))
  note(pcall(function() return t + 1 end))
  note(pcall(function() return t.text + 1 end))
  note(pcall(function() return t .. 'x' end))
  note(pcall(function() return #t.number end))
  note(pcall(function() return -t.field end))
  note(pcall(function() return t < 1 end))
  note(pcall(function() return {} < {} end))
  note(pcall(function() return 'a' < 1 end))
  note(pcall(function() t[nil] = 1 end))
  note(pcall(function() t[0 / 0] = 1 end))
  note(pcall(function() for j = 1, 'x' do mix(j) end end))
  note(pcall(function() for j = 1, 10, 0 do return j end return 'nothing' end))
  note(pcall(function() for j in 5 do return j end end))
  note(pcall(string.rep))
  note(pcall(string.char, 256 + i % 2))
  note(pcall(setmetatable, 1, {}))
  note(pcall(function() return ('x'):bad() end))
  note(pcall(string.format, '%d', 'x'))
  note(pcall(table.concat, {1, {}, 3}))
  note(pcall(ipairs))
  note(pcall(tonumber, 'z', 99))
end

local list = {}
for message in pairs(seen) do list[#list + 1] = message end
table.sort(list)
return string.format('%d ', h) .. table.concat(list, '; ')
