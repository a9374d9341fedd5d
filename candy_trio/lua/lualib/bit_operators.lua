-- What bit.lua takes from the operators of 5.3 and newer; older engines can't parse this file. All of
-- it on integers from 0 to 2^32 - 1, but for the first argument of `both`.

local function both(a, b) return a & b end
local function either(a, b) return a | b end
local function one(a, b) return a ~ b end
local function left(a, n) return a << n & 0xFFFFFFFF end
local function right(a, n) return a >> n end

return both, either, one, left, right
