-- Lua is not one language: what this engine makes of a few expressions.
local page = require "page"

-- Some of them are syntax errors on some engines, so each is compiled when its turn comes.
local EXPRESSIONS = {
  "candy.engine", "candy.compiler", "_VERSION", "jit and jit.version", "10 / 2", "2^53", "1e15",
  "7 // 2", "6 & 3", "bit and bit.band(6, 3)", "math.type and math.type(1)",
  "utf8 and utf8.char(955)", "#'\\u{3bb}'", "table.unpack ~= nil", "unpack ~= nil",
  "setfenv ~= nil",
}

local compile = loadstring or load

local rows = {}
for i, expression in ipairs(EXPRESSIONS) do
  local f = compile("return " .. expression)
  local result = f and tostring(f()) or "(a syntax error here)"
  rows[i] = {"<tr><th><code>", page.escape(expression), "</code></th><td>", page.escape(result),
             "</td></tr>\n"}
end

page.show("Engine: " .. candy.engine, {
  "<table>\n", rows, "</table>\n",
  '<p>The same script on <a href="/engine/luajit">LuaJIT</a> and on ',
  '<a href="/engine/puc">PUC-Lua</a>.</p>\n',
})
