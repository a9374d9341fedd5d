-- The frame that the example's pages share. Modules are found under lua_package_path, "lualib/"
-- by default, and kept: their first line runs once, not once for each request.

local page = {}

local ENTITIES = {
  ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;",
}

-- Text from outside, safe between tags and in quoted attributes.
function page.escape(text)
  return (tostring(text):gsub("[&<>\"']", ENTITIES))
end

local STYLE = [[
:root { color-scheme: light dark; }
body { font: 1.1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 36rem; padding: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; }
a, button { color: #b0326b; }
@media (prefers-color-scheme: dark) { a, button { color: #f4a3c6; } }
li { margin: .6rem 0; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8886; padding: .4rem .6rem .4rem 0; text-align: left; }
label { display: block; margin: .8rem 0; }
input, textarea, button { box-sizing: border-box; font: inherit; padding: .5rem; width: 100%; }
button { cursor: pointer; }
article { border-top: 1px solid #8886; overflow-wrap: anywhere; padding: .6rem 0; }
]]

-- Prints a whole page; `body` is HTML.
function page.show(title, body)
  cd.print({
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>',
    page.escape(title), "</title>\n<style>\n", STYLE, "</style>\n</head>\n<body>\n<h1>",
    page.escape(title), "</h1>\n", body,
    cd.var.uri == "/" and "" or '<p><a href="/">All examples</a></p>\n', "</body>\n</html>\n",
  })
end

return page
