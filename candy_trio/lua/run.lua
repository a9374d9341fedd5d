-- A run: what happens to one request in Lua, from its first instruction to its answer.

local K, host, scripts, sandbox, headers, body, output = ...
local areas = {select(8, ...)}

local concat, setmetatable = table.concat, setmetatable
local S, adopt = K.S, K.adopt
local compile = scripts.compile

-- What finish() answers with first; handlers/lua_script.py has the same numbers.
local COMPLETE, STREAMED, PAGE, JUMP, OVERFLOW = 1, 2, 3, 4, 5

local LARGE = 2 ^ 20      -- bytes of a response that can't cross in one

local isolates, routes = {}, {}

-- ---------------------------------------------------------------------- isolates
-- Makes isolate `id`: its own libraries, modules and API tables.
local function new_isolate(id, sandboxed)
  local I = {id = id, sandboxed = sandboxed, cd = {}, ngx = {}, candy = {}}
  local env = sandbox.fill({}, I)
  for i = 1, #areas do areas[i].install(I, env) end
  env.cd, env.ngx, env.candy = I.cd, I.ngx, I.candy
  I.loaded.ngx, I.loaded.cd, I.loaded.candy = I.ngx, I.cd, I.candy
  -- Writes go to the request's own table; whoever could reach the isolate's through its
  -- metatable would write globals for every request.
  I.globals_meta = {__index = env, __metatable = false}
  I.strings = env.string
  isolates[id] = I
end

local function drop_isolate(id) isolates[id] = nil end

-- ---------------------------------------------------------------------- routes
local function set_route(id, default_type, use_default_type, underscores, http10_buffering, need_body)
  routes[id] = {
    default_type = use_default_type and default_type or nil,
    default_lines = use_default_type and 'Content-Type: ' .. default_type .. '\r\n' or '',
    underscores = underscores, http10_buffering = http10_buffering, need_body = need_body,
  }
end

-- ---------------------------------------------------------------------- the run itself
local finish

-- A function called as the result of a call has no name in tracebacks. Whatever the script
-- tail-calls would have its name on LuaJIT, and look like the main chunk.
local function unnamed(f) return f end

-- The thread function of a script's requests: `kind` is 1 for HEAD, 2 for HTTP/1.0, 3 for both, else 0.
-- It holds the script: whose slice is over before its first instruction finds it, replaced or not.
local function server_of(factory)
  return function(route, isolate, kind, has_body, handed_on)
    local I = isolates[isolate]
    local globals = setmetatable({}, I.globals_meta)
    globals._G = globals
    local main = factory(globals)
    local R = {
      route = routes[route], isolate = I, globals = globals, strings = I.strings,
      out = {}, n = 0, size = 0,
      head_only = kind == 1 or kind == 3, http10 = kind >= 2, has_body = has_body,
    }
    adopt(R)
    if handed_on then
      local status, lines, untyped, body_read = host.kept_head()
      headers.restore(R, status, lines, untyped)
      if body_read then
        R.has_body = true      -- it may have made one
        body.read(R)
      end
    end
    if R.route.need_body then body.read(R) end
    unnamed(main)()
    local finalize = I.finalize
    if finalize then finalize() end
    return finish(R)
  end
end

-- Gives the function that serves requests by the script `source`, or nil and Lua's message.
local function new_server(source, name)
  local factory, err = compile(source, name)
  if not factory then return nil, err end
  return server_of(factory)
end

-- What exit() takes that closes the connection, without an answer or the rest of one, and the
-- status that the access log shows.
local CLOSING = {[-1] = 444, [408] = 408, [444] = 444, [499] = 499}
local DECLINED, ANSWER_OF_DECLINED = -5, 404

function finish(R)
  local ended = R.isolate.ended
  if ended then ended(R) end
  if R.overflow then return OVERFLOW, R.overflow end
  if R.jump then
    host.keep_head(R.status, headers.dump(R), R.untyped, R.body_read)
    return JUMP, R.jump, R.jump_args
  end
  local exit = R.exit
  if exit and CLOSING[exit] and not R.eof then return PAGE, CLOSING[exit], '' end
  if R.begun then return STREAMED, concat(R.out, '', 1, R.n) end
  if exit and not R.sent and not R.held then
    if exit == DECLINED then exit = ANSWER_OF_DECLINED end
    if exit > 0 and exit < 200 then exit = 500 end
    if exit >= 300 and not R.printed then return PAGE, exit, headers.header_lines(R, true) end
    -- An answer of the server's own, as an error page is.
    if exit == 204 and not R.printed then return COMPLETE, exit, headers.header_lines(R, true), '' end
    if exit >= 300 or exit >= 200 and not R.status then R.status = exit end
  end
  local status = R.status or 200
  if R.size > LARGE then      -- to HTTP/1.0, which gets it in one as well, with its length
    R.whole = R.size
    output.give(R)
    return STREAMED, ''
  end
  local lines, length = headers.header_lines(R), R.declared_length
  local text = concat(R.out, '', 1, R.n)
  if length and (R.head_only or length ~= #text) then
    -- The script's own Content-Length is a promise: the server sees to what does not keep it.
    host.begin_response(status, lines, length)
    return STREAMED, R.head_only and '' or text
  end
  return COMPLETE, status, lines, text
end

S.finish = finish

-- For a run that has just failed. The header lines for the page of its error; or nil where its
-- script takes the head for sent: then what there is goes out, as it has by then on OpenResty.
local function failed_head()
  local R = S.R
  if not R.sent then return headers.header_lines(R, true) end
  if not R.eof then output.give(R) end
  return nil
end

return {
  new_isolate = new_isolate, drop_isolate = drop_isolate,
  set_route = set_route, new_server = new_server, failed_head = failed_head,
}
