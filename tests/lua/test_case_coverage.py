"""Every function and constant of the API stands in a case of ``tests/lua_cases``."""

from __future__ import annotations

import re
from pathlib import Path

from lua.test_lua_cases import CASES
from support.site import one_route, open_site

LIST_NAMES = """
local function list(prefix, t, depth)
  for name, value in pairs(t) do
    local full = prefix .. "." .. tostring(name)
    cd.say(full)
    if type(value) == "table" and depth > 0 then list(full, value, depth - 1) end
  end
end
list("cd", cd, 1) list("ngx", ngx, 1) list("candy", candy, 0) list("cd.shared.d", cd.shared.d, 0)
"""

PROPERTIES = ("status", "headers_sent", "ctx", "is_subrequest")
"""What no table lists, because reading it calls a function."""


async def list_names(tmp_path: Path) -> list[str]:
    """Every name that a script can reach."""
    config = 'lua_shared_dict = [{name = "d", size = "100k"}]\n' + one_route("luajit")
    async with open_site(tmp_path, config, {"t.lua": LIST_NAMES}) as site:
        names = (await site.request()).text.split()
    return names + [f"{view}.{name}" for view in ("cd", "ngx") for name in PROPERTIES]


async def test_each_name_has_a_case(tmp_path: Path) -> None:
    """No name that a script can reach is missing from the scripts of the cases."""
    names = await list_names(tmp_path)
    assert len(names) > 300
    scripts = "\n".join(
        "\n".join([case.get("script", ""), *case.get("files", {}).values()]) for _, case, _ in CASES
    )
    words = set(re.findall(r"\w+", scripts))
    missing = sorted(name for name in names if name.rpartition(".")[2] not in words)
    assert missing == []
