-- candy: what the server says of itself, and cd.config, cd.worker.

local K, host, A = ...

local function install(I)
  local candy, cd, ngx = I.candy, I.cd, I.ngx
  candy.version, candy.name, candy.os, candy.arch, candy.compiler, candy.commit, candy.engine = host.server_info()
  local config = {
    subsystem = 'http', debug = false, nginx_version = 1022001, ngx_lua_version = 10023,
    prefix = function() return (host.prefix()) end,
    nginx_configure = function() return '' end,
  }
  cd.config, ngx.config = config, config
  local worker = {
    pid = function() return (host.pid()) end,
    pids = function() return {(host.pid())} end,
    count = function() return 1 end,
    id = function() return 0 end,
    exiting = function() return (host.exiting()) end,
  }
  cd.worker, ngx.worker = worker, worker
end

return {install = install}
