-- The routes of the books API. This is a module, not part of the script, because a script runs
-- from its first line for each request, a module once: the routes are compiled once.

local cjson = require "cjson"
local router = require "router"

local BOOKS = {
  {id = 1, title = "Programming in Lua", year = 2003},
  {id = 2, title = "Lua Programming Gems", year = 2008},
}

local function send(value) ngx.say(cjson.encode(value)) end

local function send_problem(status, problem)
  ngx.status = status
  send {error = problem}
end

local function with_book(handler)
  return function(params)
    local book = params.id:find("^%d+$") and BOOKS[tonumber(params.id)]
    if not book then return send_problem(ngx.HTTP_NOT_FOUND, "no such book") end
    return handler(book)
  end
end

local function list() send {books = BOOKS} end

local function show(book)
  local votes = ngx.shared.votes:get(book.id) or 0
  send {id = book.id, title = book.title, year = book.year, votes = votes}
end

local function vote(book)
  local votes, err = ngx.shared.votes:incr(book.id, 1, 0)      -- atomic: no vote is lost
  if not votes then
    ngx.log(ngx.ERR, "vote: ", err)
    return send_problem(ngx.HTTP_SERVICE_UNAVAILABLE, "try again later")
  end
  send {votes = votes}
end

return {
  send_problem = send_problem,
  routes = router.new()
    :on("GET", "/api/books", list)
    :on("GET", "/api/books/:id", with_book(show))
    :on("POST", "/api/books/:id/votes", with_book(vote)),
}
