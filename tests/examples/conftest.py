"""The examples, served by a process of their own for each engine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from serving_process import ROOT, Server, rewritten, serve

ENGINES = ("luajit", "lua54")


def copy_examples(folder: Path, engine: str) -> Path:
    """A copy of examples/ on ``engine``, nothing else changed; gives its configuration."""
    shutil.copytree(ROOT / "examples", folder)
    config = folder / "config.toml"
    config.write_text(rewritten(config.read_text(), engine=engine))
    return config


@pytest.fixture(scope="module", params=ENGINES)
def examples(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The examples as they are."""
    config = copy_examples(tmp_path_factory.mktemp("examples") / "examples", request.param)
    with serve(config) as server:
        yield server
        # Whatever the tests sent, no script has failed in a way it does not handle.
        assert "lua entry thread aborted" not in server.log()


@pytest.fixture(params=ENGINES)
def changed_examples(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[..., AbstractContextManager[Server]]:
    """``changed_examples(script, {old text: new text})``: for what would take long to wait for."""

    @contextmanager
    def start(script: str, changes: Mapping[str, str]) -> Iterator[Server]:
        config = copy_examples(tmp_path / "examples", request.param)
        path = config.parent / script
        text = path.read_text()
        for old, new in changes.items():
            assert text.count(old) == 1
            text = text.replace(old, new)
        path.write_text(text)
        with serve(config) as server:
            yield server

    return start


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The configuration at the top, with its scripts and modules."""
    folder = tmp_path_factory.mktemp("example")
    for name in ("scripts", "lualib"):
        shutil.copytree(ROOT / name, folder / name)
    config = folder / "config.toml"
    config.write_text(rewritten((ROOT / "config.toml").read_text()))
    with serve(config) as server:
        yield server
        assert "[error]" not in server.log()
