"""The names that a configuration is checked against are those that the server knows."""

from __future__ import annotations

from candy_trio.config import variables as checked
from candy_trio.pipeline import variables as served


def test_built_in_names_are_those_of_the_pipeline() -> None:
    """What the server can look up is what a file may name, and may not define."""
    assert set(served._GETTERS) == set(checked.BUILT_IN)
