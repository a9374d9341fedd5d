-- Many paths behind one location.
--
-- ngx.var.uri is decoded and normalised by the server ("/api//x/../books" is "/api/books"), so a
-- pattern here can't be walked around with escapes or dots.

local books = require "books"

local handler, found = books.routes:find(ngx.req.get_method(), ngx.var.uri)
if handler then return handler(found) end

local allowed = found
if #allowed == 0 then
  return books.send_problem(ngx.HTTP_NOT_FOUND, "no such path")
end
ngx.header["Allow"] = table.concat(allowed, ", ")
books.send_problem(ngx.HTTP_NOT_ALLOWED, "no such method here")
