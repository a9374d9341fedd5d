"""docs/api-functions.md, its registry and the code say the same."""

from __future__ import annotations

import re
from pathlib import Path

from lua.test_case_coverage import list_names
from lua.test_lua_cases import CASES
from support.api_page import COMMAND, PAGE, expressions, make, supported

from candy_trio.lua.api.functions import load
from candy_trio.lua.operations import OPERATIONS

FUNCTIONS = [function for area in load() for function in area.functions]


async def test_the_page_is_what_the_code_says() -> None:
    """The page in docs/ is the one made now."""
    same = PAGE.read_text("utf-8") == await make()
    assert same, f"docs/api-functions.md is out of date, write it anew: {COMMAND}"


async def test_every_name_of_an_isolate_is_in_the_registry(tmp_path: Path) -> None:
    """What a script can reach has a row, or is a table whose members have."""
    listed = {e for function in FUNCTIONS for e in expressions(function)}
    known = listed | {e.rpartition(".")[0] for e in listed}
    # candy's constants are cd's, and the dictionary "candy" is one like the others.
    known |= {"candy" + e.removeprefix("cd") for e in listed if e.startswith("cd.")}
    known |= {"cd.shared.candy", "ngx.shared.candy"}
    missing = sorted(name for name in await list_names(tmp_path) if name not in known)
    assert missing == []


async def test_what_is_supported_has_a_case(tmp_path: Path) -> None:
    """What the page promises is called by a case; methods, globals and modules, too."""
    scripts = "\n".join(
        "\n".join([case.get("script", ""), *case.get("files", {}).values()]) for _, case, _ in CASES
    )
    words = set(re.findall(r"\w+", scripts))
    there = await supported(load(), "lua54", tmp_path)
    untried = sorted(e for e in there if re.findall(r"\w+", e)[-1] not in words)
    assert untried == []


def test_no_row_stands_twice() -> None:
    """Each expression is asked for by one row only."""
    listed = [e for function in FUNCTIONS for e in expressions(function)]
    assert sorted(listed) == sorted(set(listed))


def test_operations_are_legal_where_the_registry_says() -> None:
    """What waits is legal in the phases of every function that waits for it."""
    said = [(f.waits.encode(), f.call, f.phases) for f in FUNCTIONS if f.waits is not None]
    assert [row for row in said if OPERATIONS[row[0]].phases != row[2]] == []
    # coroutine.yield is legal inside coroutines of any phase, and get_body_data (of cd) waits only
    # for what is in a file: neither has the phases of its operation.
    assert OPERATIONS.keys() - {row[0] for row in said} == {b"yield", b"load_body"}
