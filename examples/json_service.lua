-- Notes over JSON: POST /notes, GET /notes, GET /notes/N, DELETE /notes/N.
--
-- The notes live in a shared dictionary: they are bounded by its size (the least recently used go
-- first) and gone when the server stops.

local cjson = require "cjson.safe"

local MAX_TEXT = 1000          -- bytes of one note
local MAX_LISTED = 100

local notes = ngx.shared.notes

local function reply(status, value)
  ngx.status = status
  ngx.say(cjson.encode(value))
  return ngx.exit(ngx.OK)
end

local function refuse(status, problem) return reply(status, {error = problem}) end

-- The note in the body, or an answer that says what is wrong with it.
local function read_note()
  -- A page of another site can't send this type without asking first (CORS): no forged requests.
  local media_type = (ngx.var.http_content_type or ""):lower():match("^[^;%s]*")
  if media_type ~= "application/json" then
    return refuse(415, "send Content-Type: application/json")
  end
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  if not body then
    -- Nothing was sent; or so much that it went to a file, which no note needs.
    if ngx.req.get_body_file() then return refuse(413, "too long") end
    return refuse(ngx.HTTP_BAD_REQUEST, "no body")
  end
  local note, problem = cjson.decode(body)
  if problem then return refuse(ngx.HTTP_BAD_REQUEST, problem) end
  if type(note) ~= "table" or type(note.text) ~= "string" or note.text == "" then
    return refuse(422, 'expected an object with a string "text"')
  end
  if #note.text > MAX_TEXT then
    return refuse(422, "a text has at most " .. MAX_TEXT .. " bytes")
  end
  return {text = note.text}      -- what else the client sent is not kept
end

local function create()
  local note = read_note()
  note.id = notes:incr("last id", 1, 0)      -- two requests never get the same number
  if not note.id then return refuse(ngx.HTTP_SERVICE_UNAVAILABLE, "no room for it") end
  local ok, err = notes:set("note " .. note.id, cjson.encode(note))
  if not ok then
    ngx.log(ngx.ERR, "note ", note.id, ": ", err)
    return refuse(ngx.HTTP_SERVICE_UNAVAILABLE, "no room for it")
  end
  ngx.header["Location"] = "/notes/" .. note.id
  return reply(ngx.HTTP_CREATED, note)
end

local function list()
  local last = notes:get("last id") or 0
  local found = setmetatable({}, cjson.array_mt)      -- [], where there are none
  for id = last, math.max(1, last - 10 * MAX_LISTED), -1 do
    local text = notes:get("note " .. id)
    if text then found[#found + 1] = cjson.decode(text) end
    if #found == MAX_LISTED then break end
  end
  return reply(ngx.HTTP_OK, {notes = found})
end

local function show(id)
  local text = notes:get("note " .. id)
  if not text then return refuse(ngx.HTTP_NOT_FOUND, "no such note") end
  return reply(ngx.HTTP_OK, cjson.decode(text))
end

local function delete(id)
  -- Deleting what is not there is no mistake: a client that tries again gets the same answer.
  notes:delete("note " .. id)
  return ngx.exit(ngx.HTTP_NO_CONTENT)
end

local ACTIONS = {
  ["/notes"] = {GET = list, HEAD = list, POST = create},
  ["/notes/N"] = {GET = show, HEAD = show, DELETE = delete},
}

local id = ngx.var[1]          -- what the location's regular expression captured
if id == "" then id = nil end
local actions = ACTIONS[id and "/notes/N" or "/notes"]
local action = actions[ngx.req.get_method()]
if not action then
  local methods = {}
  for method in pairs(actions) do methods[#methods + 1] = method end
  table.sort(methods)
  ngx.header["Allow"] = table.concat(methods, ", ")
  return refuse(ngx.HTTP_NOT_ALLOWED, "no such method here")
end
return action(id and tonumber(id))
