-- One argument of a query string or a form, as text.

local arguments = {}

-- get_uri_args and get_post_args give a string for "?a=b", true for "?a", and a table for
-- "?a=1&a=2". A script that wants one text and forgets the other two fails on the first visitor
-- who tries them: here the first text counts, and what is missing is "".
function arguments.text(args, name)
  local value = args[name]
  if type(value) == "table" then value = value[1] end
  if type(value) ~= "string" then return "" end
  return value
end

return arguments
