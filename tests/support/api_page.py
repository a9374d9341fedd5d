"""Makes docs/api-functions.md from the registry of functions and the answers of a real VM.

To write it anew: ``PYTHONPATH=.:tests python -m support.api_page``
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from candy_trio.lua.api.functions import Area, Function, load
from candy_trio.phase import Phase
from support.site import one_route, open_site

PAGE = Path(__file__).parents[2] / "docs" / "api-functions.md"
COMMAND = "PYTHONPATH=.:tests python -m support.api_page"

ENGINES = ("luajit", "lua51", "lua54", "lua55")
SHARED_DICT = 'lua_shared_dict = [{name = "d", size = "100k"}]\n'
THERE = """
local function there(f)
  local ok, value = pcall(f)
  cd.say(ok and value ~= nil)
end
"""

HEAD = f"""# All functions

Both projects' APIs in full, made from the code by `{COMMAND}`.
A test fails where page and code differ: the phases are those of
`candy_trio/lua/api/functions.toml`, with which the server's operations must agree, and whether
something is supported a script has found out on {", ".join(ENGINES)}.
What each function does: [The Lua API](lua-api.md).

- *phases*: where the documentation allows it. This release runs scripts in the content phase only.
  No phases: each function of the module has its own.
- *in*: `cd`, `ngx`, `candy`, or a global of its own.
- *source*: the heading in the documentation of the project that it comes from.
"""


def expressions(function: Function) -> Iterator[str]:
    """What a script evaluates to see whether all of a row is there."""
    for name in function.names:
        if function.kind == "module":
            yield f'require("{name}")'
        elif not function.views:
            yield name
        for view in function.views:
            yield f"{view}.{name}"


async def supported(areas: tuple[Area, ...], engine: str, folder: Path) -> set[str]:
    """Which of all expressions are there, as a script on ``engine`` finds them."""
    asked = [e for area in areas for function in area.functions for e in expressions(function)]
    script = THERE + "\n".join(f"there(function() return {e} end)" for e in asked)
    config = SHARED_DICT + one_route(engine)
    async with open_site(folder, config, {"t.lua": script}) as site:
        reply = await site.request()
    answers = reply.text.split()
    if reply.status != 200 or len(answers) != len(asked):
        raise RuntimeError(f"the VM answered {reply.status}: {reply.text}")
    return {e for e, answer in zip(asked, answers, strict=True) if answer == "true"}


def page(areas: tuple[Area, ...], there: dict[str, set[str]]) -> str:
    """The text of the page; ``there`` by engine."""
    rows = [function for area in areas for function in area.functions]
    everywhere = set.intersection(*there.values())
    complete = sum(everywhere.issuperset(expressions(function)) for function in rows)
    parts = [HEAD, f"Supported on every engine: {complete} of {len(rows)} rows."]
    for area in areas:
        parts.append(f"\n## {area.title}\n")
        parts.append("| call | phases | in | supported | source |\n|---|---|---|---|---|")
        parts.extend(_row(function, there) for function in area.functions)
    return "\n".join(parts) + "\n"


def _row(function: Function, there: dict[str, set[str]]) -> str:
    answers = {engine: _answer(function, names) for engine, names in there.items()}
    if len(set(answers.values())) == 1:
        answer = next(iter(answers.values()))
    else:
        answer = "; ".join(f"{engine}: {answer}" for engine, answer in answers.items())
    views = ", ".join(f"`{view}`" for view in function.views)
    where = views or ("`require`" if function.kind == "module" else "global")
    call = function.call
    if function.kind == "constants":
        call += ": " + ", ".join(f"`{name}`" for name in function.names)
    else:
        call = f"`{call}`"
    return f"| {call} | {_phases(function.phases)} | {where} | {answer} | {function.source} |"


def _answer(function: Function, there: set[str]) -> str:
    asked = list(expressions(function))
    missing = [e for e in asked if e not in there]
    if not missing:
        return "yes"
    if missing == asked:
        return "not yet"
    return "not yet: " + ", ".join(f"`{e}`" for e in missing)


def _phases(phases: Phase) -> str:
    """The names, or the few that are not among them where that is shorter."""
    absent = [_name(phase) for phase in Phase if phase not in phases]
    if not absent:
        return "all"
    if len(absent) <= 5:
        return "all but " + ", ".join(absent)
    return ", ".join(_name(phase) for phase in Phase if phase in phases)


def _name(phase: Phase) -> str:
    return (phase.name or "").lower()


async def make() -> str:
    """The page as it is now."""
    areas = load()
    there = {}
    for engine in ENGINES:
        with TemporaryDirectory() as folder:
            there[engine] = await supported(areas, engine, Path(folder))
    return page(areas, there)


if __name__ == "__main__":
    PAGE.write_text(trio.run(make), "utf-8")
