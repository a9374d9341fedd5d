"""No single call that a script can make keeps everybody else waiting for more than 20 ms.

The worst input of each function that fits into the default ``lua_memory_limit`` is data,
``tests/lua/worst_inputs/*.toml``::

    [[entry]]
    name = "md5 of tens of MB"
    calls = ["md5(str)"]              # rows of functions.toml, or functions by their global names;
                                      # default: the name up to a colon
    prepare = '''...'''               # runs before it in the same script
    script = '''...'''                # builds the input, calls the function; what it says is shown
    engines = ["luajit"]              # default: luajit lua54 lua55
    status = 500                      # default 200
    route = "..."                     # more keys of the route
    config = "..."                    # more keys at the top
    body_sent = 60_000_000            # bytes of a body that comes with the request

Scripts have ``text(unit, mb)``: ``unit`` again and again, made without a long call; its length must
be a power of two. It goes to 16 MB: what is longer comes in a body.  ::

    [[constant]]
    calls = ["now()"]
    why = "what it costs does not depend on any argument"
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli
from support.api_page import ENGINES as ASKED
from support.api_page import expressions, supported
from support.extension import need_extension
from support.longest_call import Steps, watch
from support.site import one_route, open_site

from candy_trio.lua.api.functions import load

FOLDER = Path(__file__).parent / "worst_inputs"
LONG = os.environ.get("CANDY_TRIO_LONG") == "1"
ENGINES = ("luajit", "lua54", "lua55") if LONG else ("luajit", "lua54")
LIMIT = 0.020
"""Seconds."""

RUNS = 3
"""The quickest counts: what else the machine does is not the call's doing."""

KEYS = {
    "name", "calls", "prepare", "script", "engines", "status", "route", "config", "body_sent",
}  # fmt: skip

PRELUDE = (
    "local function text(unit, mb) while #unit < mb * 1048576 do unit = unit .. unit end"
    " return unit end "
)

LONGEST: dict[str, float] = {}
"""By test, for the line at the end."""


def documents() -> dict[str, dict[str, Any]]:
    return {path.stem: tomli.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*"))}


def entries() -> Iterator[tuple[str, dict[str, Any], str]]:
    for stem, document in documents().items():
        for entry in document.get("entry", ()):
            assert set(entry) <= KEYS, f"{stem}: {entry['name']}: {set(entry) - KEYS}"
            for engine in entry.get("engines", ENGINES):
                yield f"{stem}:{entry['name']}", entry, engine


def configuration(entry: dict[str, Any], engine: str) -> str:
    return f"""
lua_engine = "{engine}"
lua_cpu_limit = 600
lua_time_limit = 600
lua_shared_dict = [{{name = "d", size = "64m"}}, {{name = "full", size = "64m"}}]
{entry.get("config", "")}
[[host]]
port = 8080
max_body_size = "100m"
[[host.route]]
location = "/"
lua_script = "t.lua"
{entry.get("route", "")}
"""


async def longest(entry: dict[str, Any], engine: str, folder: Path, steps: Steps) -> str:
    """Runs it; what it said."""
    script = PRELUDE + entry.get("prepare", "") + "\n" + entry["script"]
    body = b"x" * entry.get("body_sent", 0)
    async with open_site(folder, configuration(entry, engine), {"t.lua": script}) as site:
        steps.forget()
        method = "POST" if body else "GET"
        reply = await site.request(method=method, body=body)
        assert reply.status == entry.get("status", 200), (reply.text[:500], site.log()[-2000:])
    return reply.text[:200].strip()


@pytest.mark.parametrize(
    ("name", "entry", "engine"),
    [pytest.param(*case, id=f"{case[0]}-{case[2]}") for case in entries()],
)
async def test_longest_call(name: str, entry: dict[str, Any], engine: str, tmp_path: Path) -> None:
    need_extension()  # whose slices end on time: what is longer is a call
    with watch() as steps:
        best, where, said = 1e9, "", ""
        for number in range(RUNS):
            said = await longest(entry, engine, tmp_path / str(number), steps)
            if steps.longest < best:
                best, where = steps.longest, steps.where
            if best <= LIMIT / 2:
                break
    LONGEST[f"{name} on {engine}"] = best
    print(f"{best * 1000:.1f} ms {where} {said}")
    assert best <= LIMIT, f"{best * 1000:.1f} ms {where} {said}"


# ---------------------------------------------------------------------- nothing is left out
LIBRARY_FUNCTIONS = """
for _, name in ipairs({"cjson", "cjson.safe", "ngx.base64", "ngx.errlog", "ngx.re", "ngx.req",
                       "ngx.resp", "resty.core.base", "resty.core.request", "resty.core.utils"}) do
  for key, value in pairs(require(name)) do
    if type(value) == "function" then cd.say(name, ".", key) end
  end
end
"""


def covered() -> set[str]:
    """What some entry calls, or some line says of that it costs the same whatever it gets."""
    names: set[str] = set()
    for document in documents().values():
        for entry in document.get("entry", ()):
            names.update(entry.get("calls", [entry["name"].partition(":")[0]]))
        for constant in document.get("constant", ()):
            assert constant["why"]
            names.update(constant["calls"])
    return names


async def test_each_function_of_the_api_has_its_worst_input(tmp_path: Path) -> None:
    """Rows of functions.toml that a script can call, but those of Lua's own libraries."""
    areas = load()
    there = await supported(areas, ASKED[0], tmp_path)
    rows = {
        function.call
        for area in areas
        for function in area.functions
        if function.kind in ("function", "method", "property")
        and area.title != "Coroutines"
        and there.issuperset(expressions(function))
    }
    assert len(rows) > 100
    assert sorted(rows - covered()) == []


async def test_each_function_of_a_module_has_its_worst_input(tmp_path: Path) -> None:
    async with open_site(tmp_path, one_route("luajit"), {"t.lua": LIBRARY_FUNCTIONS}) as site:
        names = set((await site.request()).text.split())
    assert len(names) > 40
    assert sorted(names - covered()) == []


def test_longest_of_all() -> None:
    """What the tests of this file that ran before have found."""
    need_extension()
    for name, seconds in sorted(LONGEST.items(), key=lambda item: -item[1])[:3]:
        print(f"{seconds * 1000:.1f} ms: {name}")
    assert all(seconds <= LIMIT for seconds in LONGEST.values())
