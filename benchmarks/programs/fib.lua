-- Calls and integer arithmetic: the Fibonacci number of `size`, by plain recursion.

local format = string.format

local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

return function(size) return format('%d', fib(size)) end
