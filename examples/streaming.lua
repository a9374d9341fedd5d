-- A long answer, sent while it is made: it begins at once and never lies in memory as a whole.
--
-- cd.flush(true) sends what has been said and waits until the client's side has taken it. A
-- client that reads slowly slows the script down, instead of filling the server's memory; and
-- while the script waits, all other requests go on.

local arguments = require "arguments"

local BATCH = 500              -- rows between two flushes: some 10 KB
local MAX_ROWS = 1000000
local QUERY = 0.01             -- seconds that our pretended database takes for a batch

local text = arguments.text(cd.req.get_uri_args(), "rows")
local rows = text == "" and 5000 or (text:find("^%d%d?%d?%d?%d?%d?%d?$") and tonumber(text))
if not rows or rows > MAX_ROWS then
  -- Mistakes are found before the first byte is sent: the status can't be changed afterwards.
  cd.status = cd.HTTP_BAD_REQUEST
  cd.header["Content-Type"] = "text/plain"
  cd.say("rows: a number from 0 to ", MAX_ROWS)
  return
end

cd.header["Content-Disposition"] = 'attachment; filename="measurements.csv"'
cd.header["X-Accel-Buffering"] = "no"      -- asks an nginx in front of us not to collect it
cd.say("row,value")
for first = 1, rows, BATCH do
  cd.sleep(QUERY)
  for row = first, math.min(first + BATCH - 1, rows) do
    cd.say(row, ",", row * row % 1009)
  end
  local ok, err = cd.flush(true)
  if not ok and err ~= "header only" and err ~= "buffering" then
    cd.log(cd.INFO, "export ended at row ", first, ": ", err)
    return
  end
end
