local page = require "page"

local LINKS = {
  {"/hello?name=Lua", "Hello", "the shortest script there is"},
  {"/counter", "Counter", "a number that all scripts share, in candy.shared"},
  {"/guestbook", "Guestbook", "a form, on PUC-Lua"},
  {"/engine/luajit", "This engine: LuaJIT", "what the engine of a route is like"},
  {"/engine/puc", "This engine: PUC-Lua", "the same script on the other one"},
  {"/old", "An old address", "a redirect, without any script"},
}

local items = {}
for i, link in ipairs(LINKS) do
  items[i] = {'<li><a href="', page.escape(link[1]), '">', page.escape(link[2]), "</a>: ",
              page.escape(link[3]), "</li>\n"}
end

-- print takes nested arrays and flattens them, so nothing needs to be joined.
page.show("It works!", {
  "<p>This page was made by a Lua script, <code>scripts/index.lua</code>, on ",
  page.escape(candy.compiler), ". Change the script and reload: that is all it takes.</p>\n<ul>\n",
  items, "</ul>\n",
})
