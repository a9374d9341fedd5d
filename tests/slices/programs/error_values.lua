-- Error values of every kind, and that they stay themselves through pcall, xpcall, coroutines and rethrows.
-- engines: luajit lua53 lua54 lua55

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local Problem = {}
Problem.__index = Problem
Problem.__tostring = function(p) return 'problem ' .. p.kind .. ' ' .. p.n end
Problem.__eq = function() return false end
local function problem(kind, n) return setmetatable({kind = kind, n = n, trail = {}}, Problem) end

local function rethrow(times, value)
  if times == 0 then error(value, 0) end
  local ok, e = pcall(rethrow, times - 1, value)
  mix(ok and 1 or 2)
  if getmetatable(e) == Problem then e.trail[#e.trail + 1] = times end
  error(e, 0)
end

local function thread() end
local values = {
  0, -1.5, '', 'text', true, false, {}, print, thread, coroutine.create(thread), problem('a', 1), '12', 12,
}

for round = 1, 34 do
  for i, value in ipairs(values) do
    local ok, e = pcall(error, value, 0)
    mix((ok and 1 or 0) + (rawequal(e, value) and 2 or 0))
    ok, e = pcall(rethrow, round % 6, value)
    mix((ok and 1 or 0) + (rawequal(e, value) and 2 or 0) + #type(e))
    local co = coroutine.create(function() error(value, 0) end)
    ok, e = coroutine.resume(co)
    mix((ok and 1 or 0) + (rawequal(e, value) and 2 or 0) + #coroutine.status(co))
    local _, seen = xpcall(function() error(value, 0) end, function(v) return {v} end)
    mix(rawequal(seen[1], value) and 3 or 4)
  end
  local p = problem('round', round)
  local ok, e = pcall(rethrow, 5, p)
  mix(#tostring(e) + #table.concat(e.trail, ','))
  ok, e = pcall(error, setmetatable({n = round}, {__tostring = function(s) return 'n' .. s.n end}))
  mix(#tostring(e) + e.n)
  ok, e = pcall(assert, false, p)
  mix(rawequal(e, p) and 5 or 6)
  ok, e = pcall(assert, nil, 'message ' .. round)
  mix(#e)
  mix(select('#', assert(1, nil, round, nil)))
end

return string.format('%d', h)
