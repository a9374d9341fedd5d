"""A folder with scripts to name, and a loader of texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from candy_trio.config.load import load_config
from candy_trio.config.schema import Config

ENGINES = ("luajit", "lua51", "lua54", "lua55")

Load = Callable[[str], Config]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where ``config.toml`` lies, made the working directory so that messages name it so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "a.lua").write_text("cd.say('a')")
    return tmp_path


@pytest.fixture
def load(folder: Path) -> Load:
    """Write the text to ``config.toml`` and load that."""

    def load_text(text: str) -> Config:
        (folder / "config.toml").write_text(text)
        return load_config(Path("config.toml"), engines=ENGINES)

    return load_text
