-- A guestbook in memory: it is empty again when the server starts anew.
local page = require "page"

local SHOWN = 10            -- entries on the page
local KEPT = 24 * 60 * 60   -- seconds

local book = candy.shared

-- One field of the form as trimmed text; "a" and "a=1&a=2" come as true and as a table.
local function field(args, name, longest)
  local value = args[name]
  if type(value) ~= "string" or #value > longest then return "" end
  return value:match("^%s*(.-)%s*$")
end

local function add()
  local args = cd.req.get_post_args()
  -- Lua counts bytes, the form's maxlength characters: of up to four bytes.
  local name, text = field(args, "name", 4 * 40), field(args, "text", 4 * 500)
  if name == "" or text == "" then return false end
  local number, err = book:incr("guestbook", 1, 0)
  if number then
    -- name and text in one value: an entry is there as a whole or not at all.
    number, err = book:set("guestbook " .. number, name:gsub("%c", " ") .. "\n" .. text, KEPT)
  end
  if not number then
    cd.log(cd.ERR, "guestbook: ", err)
    return cd.exit(cd.HTTP_SERVICE_UNAVAILABLE)
  end
  return true
end

local function entries()
  local shown = {}
  local last = book:get("guestbook") or 0
  for number = last, math.max(1, last - SHOWN + 1), -1 do
    local entry = book:get("guestbook " .. number)
    if entry then
      local name, text = entry:match("^([^\n]*)\n(.*)$")
      shown[#shown + 1] = {"<article><strong>", page.escape(name), "</strong><br>",
                           page.escape(text), "</article>\n"}
    end
  end
  return shown
end

local problem = ""
if cd.req.get_method() == "POST" then
  -- After a redirect, reloading the page does not post the form again.
  if add() then return cd.redirect("/guestbook", cd.HTTP_SEE_OTHER) end
  cd.status = 422
  problem = "<p><strong>A name and a message that are not too long, please.</strong></p>\n"
end

page.show("Guestbook", {
  problem,
  '<form method="post" action="/guestbook">\n',
  '<label>Your name <input name="name" maxlength="40" required></label>\n',
  '<label>Your message <textarea name="text" maxlength="500" rows="3" required></textarea></label>\n',
  "<button>Sign the guestbook</button>\n</form>\n",
  entries(),
})
