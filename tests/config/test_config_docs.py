"""The reference and the code know the same keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from candy_trio.config.keys import HOST, ROUTE, SHARED_DICT, TOP
from candy_trio.config.load import load_config

REFERENCE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
SUPPORTED, _, UNSUPPORTED = REFERENCE.partition("## Not supported yet")
LEVELS = (TOP, HOST, ROUTE, SHARED_DICT)


@pytest.mark.parametrize(
    "key", sorted({key for level in LEVELS for key in level.keys.__struct_fields__})
)
def test_every_key_that_works_is_in_the_reference(key: str) -> None:
    """Named before the list of what is not supported."""
    assert f"`{key}`" in SUPPORTED


def test_the_list_of_what_is_not_supported_is_complete() -> None:
    """It names all that is refused as such, and beside it only where such keys do work."""
    listed = set(re.findall(r"`(\w+)`", UNSUPPORTED))
    refused = {key for level in LEVELS for key in level.unsupported}
    assert refused <= listed
    assert listed - refused == {"lua_shared_dict"}


def test_its_examples_are_valid(folder: Path) -> None:
    """Every TOML block loads, hosts and routes added where it shows none."""
    for script in ("index", "report", "user", "form"):
        (folder / "scripts" / f"{script}.lua").touch()
    blocks = re.findall(r"```toml\n(.*?)```", REFERENCE, re.DOTALL)
    assert len(blocks) == 6
    for block in blocks:
        text = block
        if text.startswith("[[host.route]]"):
            text = f"[[host]]\n{text}"
        if "[[host]]" not in text:
            text += "[[host]]\n"
        if "[[host.route]]" not in text:
            text += '[[host.route]]\nlocation = "/"\nredirect_to = "/x"\n'
        (folder / "config.toml").write_text(text)
        load_config(Path("config.toml"), engines=["luajit", "lua54"])
