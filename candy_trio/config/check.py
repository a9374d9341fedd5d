"""What ``--check`` says about a configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candy_trio.config.load import load_config
from candy_trio.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def check(path: Path, *, engines: Collection[str]) -> tuple[str, int]:
    """Return the text to print, without a final newline, and the exit status, 0 or 1."""
    try:
        config = load_config(path, engines=engines)
    except ConfigError as error:
        return "\n".join(error.problems), 1
    return "\n".join((*config.warnings, f"{path}: ok")), 0
