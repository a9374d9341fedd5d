-- A page that stays harmless even if somebody gets HTML into it.
--
-- In OpenResty the fields stand in header_filter_by_lua, for all routes at once; that phase comes
-- with a later release. Until then each script calls security.apply().

local arguments = require "arguments"
local html = require "html"
local security = require "security"

local STYLE = [[
body { font: 1.1rem/1.5 sans-serif; margin: 2rem auto; max-width: 40rem; padding: 0 1rem; }
]]

security.apply()

-- The policy forbids inline styles (and would want a secret random nonce to allow one), so the
-- style sheet has an address of its own.
local path = ngx.var.uri
if path == "/secure/style.css" then
  ngx.header["Content-Type"] = "text/css"
  ngx.header["Cache-Control"] = "public, max-age=3600"
  return ngx.print(STYLE)
end
if path ~= "/secure/" then return ngx.exit(ngx.HTTP_NOT_FOUND) end

ngx.header["Content-Type"] = "text/html; charset=utf-8"
local query = arguments.text(ngx.req.get_uri_args(), "q")
ngx.print(html.page("Search", table.concat {
  '<link rel="stylesheet" href="/secure/style.css">\n',
  '<form action="/secure/"><input name="q" value="', html.escape(query), '"> <button>Search</button></form>\n',
  query ~= "" and "<p>Nothing found for " .. html.escape(query) .. ".</p>\n" or "",
}))
