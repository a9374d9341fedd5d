-- A page made anew for each request.
--
-- What comes from outside (arguments, header fields, addresses) goes through html.escape on its
-- way into the page, without exception: one forgotten place is enough for cross-site scripting.

local arguments = require "arguments"
local html = require "html"

local escape = html.escape
local args = cd.req.get_uri_args()
local name = arguments.text(args, "name")
if name == "" then name = "stranger" end

local rows = {}
local headers = cd.req.get_headers()
for field, value in pairs(headers) do
  -- A field that came several times is a table.
  if type(value) == "table" then value = table.concat(value, ", ") end
  rows[#rows + 1] = "<tr><th>" .. escape(field) .. "</th><td>" .. escape(value) .. "</td></tr>\n"
end
table.sort(rows)      -- pairs has no order, a page should have one

cd.header["Cache-Control"] = "no-store"
cd.print(html.page("Hello, " .. name .. "!", table.concat {
  '<form><label>Your name <input name="name" value="', escape(name), '" maxlength="60"></label>',
  " <button>Greet me</button></form>\n",
  "<p>It is ", escape(cd.localtime()), ". You asked for <code>", escape(cd.var.request_uri),
  "</code> from ", escape(cd.var.remote_addr), " and were answered by ", escape(candy.name), " ",
  escape(candy.version), " on ", escape(candy.engine), ".</p>\n",
  "<table>\n", table.concat(rows), "</table>\n",
}))
