-- HTML from text that nobody can be trusted with.

local html = {}

local ENTITIES = {
  ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;",
}

-- Safe between tags and inside a quoted attribute; not inside <script>, <style> or a URL.
function html.escape(text)
  return (tostring(text):gsub("[&<>\"']", ENTITIES))
end

-- A whole page around `body`, which is HTML already.
function html.page(title, body)
  return table.concat {
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
    "<title>", html.escape(title), "</title>\n</head>\n<body>\n<h1>", html.escape(title), "</h1>\n",
    body, "</body>\n</html>\n",
  }
end

return html
