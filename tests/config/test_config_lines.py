"""The line finder."""

from __future__ import annotations

from pathlib import Path

import tomli
from hypothesis import given
from hypothesis import strategies as st

from candy_trio.config.lines import Path as KeyPath
from candy_trio.config.lines import key_lines

EXAMPLE = (Path(__file__).parent / "positions.toml").read_text()

LINES: dict[KeyPath, int] = {
    ("top",): 2,
    ("quoted key",): 3,
    ("a",): 4,
    ("a", "b"): 4,
    ("a", "b", "c.d"): 4,
    ("host",): 6,
    ("host", 0): 6,
    ("host", 0, "ip"): 7,
    ("host", 0, "script"): 8,
    ("host", 0, "route"): 12,
    ("host", 0, "route", 0): 12,
    ("host", 0, "route", 0, "location"): 13,
    ("host", 0, "route", 0, "text"): 14,
    ("host", 0, "route", 1): 17,
    ("host", 0, "route", 1, "set"): 18,
    ("host", 0, "route", 1, "set", "a"): 18,
    ("host", 0, "route", 1, "set", "b c"): 18,
    ("host", 0, "route", 1, "set", "b c", 0): 18,
    ("host", 0, "route", 1, "set", "b c", 1): 18,
    ("host", 0, "route", 1, "set", "b c", 1, "d"): 18,
    ("host", 0, "route", 1, "set", "e"): 18,
    ("host", 0, "route", 1, "error_page"): 20,
    ("host", 0, "route", 1, "error_page", "status"): 21,
    ("host", 1): 22,
    ("host", 1, "list"): 23,
    ("host", 1, "list", 0): 25,
    ("host", 1, "list", 0, "name"): 25,
    ("host", 1, "list", 1): 26,
    ("host", 1, "list", 1, 0): 27,
    ("host", 1, "list", 1, 1): 28,
    ("host", 1, "list", 1, 1, "name"): 28,
    ("host", 1, "list", 1, 1, "size"): 29,
    ("host", 1, "route"): 32,
    ("host", 1, "route", 0): 32,
    ("host", 1, "route", 0, "last"): 33,
    ("plain",): 34,
    ("plain", "x"): 35,
}


def paths_of(value: object, path: KeyPath = ()) -> set[KeyPath]:
    """Every path that tomli's result holds."""
    found = {path} if path else set()
    if isinstance(value, dict):
        return found.union(*(paths_of(item, (*path, key)) for key, item in value.items()))
    if isinstance(value, list):
        return found.union(*(paths_of(item, (*path, i)) for i, item in enumerate(value)))
    return found


def test_every_key_and_table_has_its_line() -> None:
    """Comments, all kinds of string, dotted and quoted keys, inline and nested tables."""
    assert paths_of(tomli.loads(EXAMPLE)) == LINES.keys()
    assert key_lines(EXAMPLE) == LINES


def test_carriage_returns_do_not_count_as_lines() -> None:
    """A file from Windows has the same lines."""
    assert key_lines(EXAMPLE.replace("\n", "\r\n")) == LINES


def test_deep_nesting_needs_no_stack() -> None:
    """A value nested hundreds deep is walked."""
    assert key_lines("a = " + "[" * 900 + "]" * 900 + "\nb = 1")["b",] == 2


_KEYS = st.text("ab-é \"'\\#[].=", min_size=1, max_size=4)
_SCALARS = st.integers() | st.booleans() | st.text("a\"'\\\n#[]{}=,", max_size=6)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3)
)


def written(value: object) -> str:
    """Write ``value`` as inline TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    if isinstance(value, list):
        return "[" + " , ".join(written(item) for item in value) + "]"
    assert isinstance(value, dict)
    return "{" + ", ".join(f"{written(k)} = {written(v)}" for k, v in value.items()) + "}"


@given(st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_it_finds_exactly_the_paths_that_tomli_finds(table: dict[str, object]) -> None:
    """Whatever the keys and values hold, each key stands on the line it was written on."""
    text = "\n".join(f"{written(key)} = {written(value)}" for key, value in table.items())
    lines = key_lines(text)
    assert lines.keys() == paths_of(tomli.loads(text))
    assert [lines[key,] for key in table] == list(range(1, len(table) + 1))
