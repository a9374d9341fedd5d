"""Read a configuration file: TOML text in, a resolved and frozen Config out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli

from candy_trio.config.problems import Problems
from candy_trio.config.resolve import Resolver
from candy_trio.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection

    from candy_trio.config.schema import Config


def load_config(path: Path, *, engines: Collection[str]) -> Config:
    """Load the file at ``path``; ``engines`` are the names of the engines that are installed.

    Raises ConfigError with every problem of the file, in the order of its lines; each names the
    file as ``path`` was given. What a file can't be parsed for is one problem.
    """
    text = _read(path)
    tables = _parse(path, text)
    problems = Problems(str(path), text)
    config = Resolver(Path(os.path.abspath(path)), engines, problems).config(tables)
    problems.raise_if_any()
    return config


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError([f"{path}: can't be read: {error.strerror}"]) from None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path}: is not UTF-8 text (at line {line})"]) from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise ConfigError([f"{path}: {error}"]) from None
    except (ValueError, RecursionError) as error:
        # Numbers of thousands of digits, arrays thousands deep: tomli lets Python's errors out.
        raise ConfigError([f"{path}: can't be parsed: {error}"]) from None
