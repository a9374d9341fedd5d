-- Three kinds of failure, and what each one's visitor and each one's administrator get to see.
--
-- * The visitor's mistake: a table {status, message}, raised where it is noticed, however deep.
--   The message is for the visitor.
-- * Ours: any other error. It goes to the log with its traceback; the visitor gets a number to
--   quote and not a word more, for messages and tracebacks tell attackers what they need.
-- * A decision to stop: cd.exit. It ends the script from any depth, through the xpcall below:
--   nothing here can catch it, and nothing needs to.

local arguments = require "arguments"

local ORDERS = {
  ["1"] = {item = "tea", cups = 2, price = 3},
  ["2"] = {item = "coffee", cups = 1, price = 4},
  ["3"] = {item = "cocoa", cups = 1},          -- somebody forgot the price
  ["4"] = {item = "the owner's tea", secret = true},
}

local function fail(status, message) error({status = status, message = message}, 0) end

local function total(order) return order.cups * order.price end

local function show_order(id)
  if not id:find("^%d+$") then fail(cd.HTTP_BAD_REQUEST, "Ask for ?id= and a number.") end
  local order = ORDERS[id]
  if not order then fail(cd.HTTP_NOT_FOUND, "There is no order " .. id .. ".") end
  if order.secret then cd.exit(cd.HTTP_FORBIDDEN) end
  cd.say(order.cups, " of ", order.item, ": ", total(order), " euros")
end

-- Only here is the stack of the failing call still there to be described.
local function describe(err)
  if type(err) == "table" then return err end
  return {status = cd.HTTP_INTERNAL_SERVER_ERROR, trace = debug.traceback(tostring(err))}
end

local ok, failure = xpcall(function()
  return show_order(arguments.text(cd.req.get_uri_args(), "id"))
end, describe)

if not ok then
  -- With cd, what was printed is kept until the end, so the status can still be set.
  cd.status = failure.status
  if failure.trace then
    cd.log(cd.ERR, failure.trace)      -- every line of the log carries its request's id
    cd.say("Something went wrong on our side. Please quote ", cd.var.request_id, ".")
  else
    cd.say(failure.message)
  end
end
