-- Methods: classes, inheritance over three levels, super calls, mixins, accessors, chained calls.

local h = 0
local function mix(n) h = (h * 31 + n) % 1000000007 end

local function class(base)
  local c = setmetatable({}, {__index = base})
  c.__index = c
  c.super = base
  function c.new(...)
    local object = setmetatable({}, c)
    object:init(...)
    return object
  end
  return c
end

local Shape = class()
function Shape:init(name) self.name, self.calls = name, 0 end
function Shape:area() return 0 end
function Shape:describe()
  self.calls = self.calls + 1
  return self.name .. ':' .. string.format('%d', self:area())
end
function Shape:scale(n) self.factor = (self.factor or 1) * n return self end

local Rectangle = class(Shape)
function Rectangle:init(w, h2)
  Rectangle.super.init(self, 'rectangle')
  self.w, self.h = w, h2
end
function Rectangle:area() return self.w * self.h * (self.factor or 1) end

local Square = class(Rectangle)
function Square:init(w)
  Rectangle.init(self, w, w)
  self.name = 'square'
end
function Square:describe() return '[' .. Rectangle.describe(self) .. ']' end

local Comparable = {}
function Comparable:larger(other) return self:area() > other:area() and self or other end
for name, f in pairs(Comparable) do Shape[name] = f end

local last
for i = 1, 1500 do
  local r, s = Rectangle.new(i, i + 1), Square.new(i)
  r:scale(2):scale(3):scale(i % 3 + 1)
  s:scale(i % 7 + 5)
  mix(#r:describe() + r:area())
  mix(#s:describe() + s:area())
  last = s:larger(r):describe()
  mix(#last)
  mix(r.calls * 10 + s.calls)
  mix(('text'):rep(i % 5):upper():len())
end

return string.format('%d %s', h, last)
