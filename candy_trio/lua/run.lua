-- A run: what happens to one request in Lua, from its first instruction to its answer.

local K, host, scripts, sandbox, headers, body = ...
local areas = {select(7, ...)}

local concat, setmetatable = table.concat, setmetatable
local S, adopt = K.S, K.adopt
local compile = scripts.compile

-- What finish() answers with first; lua/outcome.py has the same numbers.
local COMPLETE, STREAMED, PAGE, CLOSE, JUMP = 1, 2, 3, 4, 5

local isolates, routes, compiled = {}, {}, {}

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

-- ---------------------------------------------------------------------- scripts and routes
local function set_script(id, source, name)
  local factory, err = compile(source, name)
  if not factory then return err end
  compiled[id] = factory
  return nil
end

local function drop_script(id) compiled[id] = nil end

local function set_route(id, default_type, use_default_type, underscores, http10_buffering, need_body)
  routes[id] = {
    default_type = use_default_type and default_type or nil,
    default_lines = use_default_type and 'Content-Type: ' .. default_type .. '\r\n' or '',
    underscores = underscores, http10_buffering = http10_buffering, need_body = need_body,
  }
end

-- ---------------------------------------------------------------------- the run itself
local finish

-- The thread function of every request: `kind` is 1 for HEAD, 2 for HTTP/1.0, 3 for both, else 0.
local function serve(route, isolate, script, kind, has_body)
  local I = isolates[isolate]
  local globals = setmetatable({}, I.globals_meta)
  globals._G = globals
  local R = {
    route = routes[route], isolate = I, globals = globals, strings = I.strings,
    out = {}, n = 0, size = 0,
    head_only = kind == 1 or kind == 3, http10 = kind >= 2, has_body = has_body,
  }
  adopt(R)
  if R.route.need_body and has_body then body.read(R) end
  compiled[script](globals)()
  return finish(R)
end

function finish(R)
  local exit = R.exit
  if R.jump then return JUMP, R.jump, R.jump_args end
  if R.begun then return STREAMED, concat(R.out, '', 1, R.n) end
  if exit then
    if exit == 444 or exit == -1 then return CLOSE end
    if not R.printed and not R.sent then
      if exit == -5 then return PAGE, 404, '' end
      if exit > 0 and exit < 200 then return PAGE, 500, '' end
      if exit >= 300 then return PAGE, exit, headers.header_lines(R, true) end
    end
    if exit >= 300 and not R.sent then R.status = exit end
    if exit >= 200 and exit < 300 and not R.status and not R.sent then R.status = exit end
  end
  return COMPLETE, R.status or 200, headers.header_lines(R), concat(R.out, '', 1, R.n), R.declared_length
end

S.finish = finish

return {
  new_isolate = new_isolate, drop_isolate = drop_isolate,
  set_script = set_script, drop_script = drop_script,
  set_route = set_route, serve = serve,
}
