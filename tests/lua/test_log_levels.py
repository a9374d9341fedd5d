"""Which levels of a script's messages the key ``log_level`` shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.site import one_route, open_site

LEVELS = ("EMERG", "ALERT", "CRIT", "ERR", "WARN", "NOTICE", "INFO", "DEBUG")
SHOWN = {"error": 4, "warn": 5, "info": 7, "debug": 8, "trace": 8}

SCRIPT = """
for _, name in ipairs{"EMERG", "ALERT", "CRIT", "ERR", "WARN", "NOTICE", "INFO", "DEBUG"} do
  ngx.log(ngx[name], "ngx:", name)
  cd.log(cd[name], "cd:", name)
end
ngx.log(ngx.STDERR, "ngx:STDERR")
print("printed")
candy.log("by candy")
"""


@pytest.mark.parametrize("engine", ["luajit", "lua54"])
@pytest.mark.parametrize("level", list(SHOWN))
async def test_log_level_filters_what_scripts_log(level: str, engine: str, tmp_path: Path) -> None:
    """Levels above the threshold never reach the log, in either view; STDERR always does."""
    config = one_route(engine).replace('log_level = "debug"', f'log_level = "{level}"')
    async with open_site(tmp_path, config, {"t.lua": SCRIPT}) as site:
        reply = await site.request()
        log = site.log()
    assert reply.status == 200, log
    expected = [f"{view}:{name}" for name in LEVELS[: SHOWN[level]] for view in ("ngx", "cd")]
    assert re.findall(r"(?:ngx|cd):[A-Z]+", log) == [*expected, "ngx:STDERR"]
    assert ("printed" in log) == ("by candy" in log) == (SHOWN[level] >= 7)
