"""The choice between a compiled module and its source, on a package made for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose one module is compiled, to something that can't be loaded."""
    package = tmp_path / "engines"
    package.mkdir()
    for name in ("__init__.py", "compiled.py"):
        shutil.copy(ROOT / "engines" / name, package)
    (tmp_path / "setup.py").touch()
    (package / "module.py").write_text("print('the source')")
    (package / f"module{EXTENSION_SUFFIXES[0]}").write_bytes(b"nothing to load")
    return tmp_path


def age(checkout: Path, name: str, seconds: float) -> None:
    os.utime(checkout / "engines" / name, (1e9 - seconds, 1e9 - seconds))


def import_module(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **environment}
    if not environment:
        variables.pop("CANDY_TRIO_PURE", None)
    command = [sys.executable, "-c", "import engines.module"]
    return subprocess.run(command, cwd=checkout, env=variables, capture_output=True, text=True)


def test_what_is_compiled_is_preferred(checkout: Path) -> None:
    """As Python does by itself: the compiled module is loaded, which fails here."""
    age(checkout, "module.py", 10)
    said = import_module(checkout)
    assert said.returncode == 1
    assert "ImportError" in said.stderr


def test_a_newer_source_is_preferred(checkout: Path) -> None:
    """An edit takes effect, and a line says why all is slower."""
    age(checkout, f"module{EXTENSION_SUFFIXES[0]}", 10)
    said = import_module(checkout)
    assert said.stdout == "the source\n"
    assert f"engines{os.sep}module.py is newer than what was compiled of it" in said.stderr


def test_an_installed_package_has_no_stale_modules(checkout: Path) -> None:
    """There an installer has set the times."""
    (checkout / "setup.py").unlink()
    age(checkout, f"module{EXTENSION_SUFFIXES[0]}", 10)
    assert "ImportError" in import_module(checkout).stderr


def test_sources_can_be_asked_for(checkout: Path) -> None:
    """For a debugger or a profiler."""
    age(checkout, "module.py", 10)
    said = import_module(checkout, CANDY_TRIO_PURE="1")
    assert said.stdout == "the source\n"
    assert not said.stderr


def test_the_compiled_modules_exist() -> None:
    """setup.py names files that are there."""
    lines = (ROOT / "setup.py").read_text().splitlines()
    names = [line.strip(' ",') for line in lines if line.endswith('.py",')]
    assert len(names) > 20
    assert [name for name in names if not (ROOT / name).is_file()] == []
