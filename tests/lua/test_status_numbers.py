"""Numbers that are no status, and lengths that no number holds, are the script's errors."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.site import ENGINES, one_route, open_site

SCRIPT = """
local function try(f, value)
  local ok, e = pcall(f, value)
  cd.say(ok, " ", (tostring(e):gsub("^t.lua:%d+: ", "")))
end
local function status(value) cd.status = value end
local function length(value) cd.header["Content-Length"] = value end
for _, value in ipairs({math.huge, -math.huge, 0 / 0}) do
  try(status, value)
  try(cd.exit, value)
end
try(length, ("9"):rep(400))
cd.say(cd.status, " ", tostring(cd.header["Content-Length"]))
"""


@pytest.mark.parametrize("engine", ENGINES)
async def test_infinity_and_nan_are_no_status(engine: str, tmp_path: Path) -> None:
    """They raise where they are set; the response is not spoilt by them."""
    async with open_site(tmp_path, one_route(engine), {"t.lua": SCRIPT}) as site:
        reply = await site.request()
        assert reply.status == 200, site.log()
        *tries, last = reply.text.splitlines()
        for line in tries[0:6:2]:
            assert line.startswith("false bad status: "), line
        for line in tries[1:6:2]:
            assert line.startswith("false bad argument to 'ngx.exit': "), line
        assert tries[6:] == ["false failed to set header"]
        assert last == "200 nil"
