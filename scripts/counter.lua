local page = require "page"

-- incr adds and gives the new value in one step, so no visit is lost however many come at once.
-- The third argument is the value to begin with.
local visits, err = candy.shared:incr("visits", 1, 0)
if not visits then
  cd.log(cd.ERR, "counter: ", err)
  return cd.exit(cd.HTTP_SERVICE_UNAVAILABLE)
end

cd.header["Cache-Control"] = "no-store"
page.show("Counter", {"<p>This page was shown <strong>", visits, "</strong> ",
                      visits == 1 and "time" or "times", " since the server started.</p>\n"})
