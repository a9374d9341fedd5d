-- A form: shown by GET, checked on POST, and answered by a redirect when all is well, so that
-- reloading the page after it does not send the form again.

local arguments = require "arguments"
local html = require "html"

local escape = html.escape

-- Each check gets the text, trimmed, and gives what is wrong with it or nil. The browser's own
-- checks (required, maxlength) are a convenience: nobody is bound to use a browser.
local FIELDS = {
  {name = "name", label = "Name", check = function(text)
    if text == "" then return "Please tell us your name." end
    if #text > 60 then return "At most 60 bytes, please." end
    if text:find("%c") then return "No control characters, please." end
  end},
  {name = "email", label = "E-mail", check = function(text)
    -- Only a message to it proves an address; this finds slips of the finger.
    if #text > 254 or not text:find("^[^@%s%c]+@[^@%s%c]+%.[^@%s%c]+$") then
      return "This does not look like an e-mail address."
    end
  end},
  {name = "guests", label = "Guests", check = function(text)
    local number = text:find("^%d%d?$") and tonumber(text)      -- not "1e1", "0x8" or " 3"
    if not number or number < 1 or number > 12 then return "A whole number from 1 to 12, please." end
  end},
}

local function show(values, problems)
  local parts = {'<form method="post" action="/form">\n'}
  for _, field in ipairs(FIELDS) do
    local problem = problems[field.name]
    parts[#parts + 1] = table.concat {
      "<p><label>", field.label, ' <input name="', field.name, '" value="',
      escape(values[field.name] or ""), '"', problem and ' aria-invalid="true"' or "", "></label>",
      problem and " <strong>" .. escape(problem) .. "</strong>" or "", "</p>\n",
    }
  end
  parts[#parts + 1] = "<button>Book a table</button></form>\n"
  cd.print(html.page("Book a table", table.concat(parts)))
end

local function refuse(status, why)
  cd.status = status
  cd.print(html.page("Sorry", "<p>" .. escape(why) .. "</p>\n"))
end

local function get()
  if cd.req.get_uri_args().booked then
    return cd.print(html.page("Thank you", "<p>Your table is booked.</p>\n"))
  end
  show({}, {})
end

local function post()
  local headers = cd.req.get_headers()
  -- Another site's page can send this form in our visitor's name; a browser says so. (Over plain
  -- http browsers leave the field out, unless the server is on localhost.)
  local site = headers["sec-fetch-site"]
  if site and site ~= "same-origin" and site ~= "none" then
    return refuse(cd.HTTP_FORBIDDEN, "This form was sent by another site.")
  end
  local media_type = tostring(headers["content-type"]):lower():match("^[^;%s]*")
  if media_type ~= "application/x-www-form-urlencoded" then
    return refuse(415, "Send the form as a browser does.")
  end
  local args, truncated = cd.req.get_post_args(10)
  if truncated then return refuse(cd.HTTP_BAD_REQUEST, "Too many fields.") end

  local values, problems = {}, {}
  for _, field in ipairs(FIELDS) do
    local text = arguments.text(args, field.name):match("^%s*(.-)%s*$")
    values[field.name], problems[field.name] = text, field.check(text)
  end
  if next(problems) then
    cd.status = 422
    return show(values, problems)
  end
  cd.log(cd.NOTICE, "booked: ", values.name, ", ", values.guests, " guests")
  return cd.redirect("/form?booked", cd.HTTP_SEE_OTHER)
end

local method = cd.req.get_method()
if method == "POST" then
  post()
elseif method == "GET" or method == "HEAD" then
  get()
else
  cd.header["Allow"] = "GET, HEAD, POST"
  refuse(cd.HTTP_NOT_ALLOWED, "Use GET or POST.")
end
