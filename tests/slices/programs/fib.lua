-- The Fibonacci numbers by recursion (micro-benchmark).

local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

local out = {}
for n = 0, 24 do out[#out + 1] = string.format('%d', fib(n)) end
return table.concat(out, ' ')
