-- Run by wrk: sends the requests that stand in files, its arguments, in turn and just as they are;
-- tells what it has seen as one line of JSON behind a mark.

local requests = {}

function init(files)
  for i, name in ipairs(files) do
    local file = assert(io.open(name, "rb"))
    requests[i] = file:read("*a")
    file:close()
  end
  if #requests == 1 then
    -- wrk asks once and repeats it, without a call of Lua for each request.
    wrk.format = function() return requests[1] end
    return
  end
  local turn = 0
  request = function()
    turn = turn % #requests + 1
    return requests[turn]
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nresult: {"requests": %d, "seconds": %.6f, "p50_ms": %.4f, "p99_ms": %.4f, "errors": '
      .. '{"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout
  ))
end
