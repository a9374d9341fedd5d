"""Imports go downwards only: the folders of ARCHITECTURE.md, as a test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS = (
    {"cli", "__main__"},
    {"process"},
    {"server"},
    {"pipeline"},
    {"handlers"},
    {"lua"},
    {"config", "routing", "http", "shared_dict", "observe"},
    {"errors", "version", "phase", "handover"},
)
"""From top to bottom; what stands in one row may import from its own row."""

MODULES = sorted(
    path for package in ("candy_trio", "engines") for path in (ROOT / package).rglob("*.py")
)


def layer_of(module: str) -> int:
    part = module.split(".")[1]
    return next(number for number, names in enumerate(LAYERS) if part in names)


def imports_at_run_time(path: Path) -> set[str]:
    """Modules that ``path`` imports; what only a type checker sees does not count."""
    tree = ast.parse(path.read_text())
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_downwards_only(path: Path) -> None:
    """No module of candy_trio imports from a layer above its own."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    imported = imports_at_run_time(path)
    if module.startswith("engines"):
        assert not any(name.startswith(("candy_trio", "trio")) for name in imported)
        return
    if module == "candy_trio.__init__":
        return
    own = layer_of(module)
    for name in imported:
        if name.startswith("candy_trio.") and name != "candy_trio.__init__":
            assert layer_of(name) >= own, f"{module} imports {name}"


def test_no_module_is_larger_than_a_sitting() -> None:
    """Modules stay under 450 lines, Lua ones too."""
    sources = [
        path
        for package in ("candy_trio", "engines")
        for kind in ("*.py", "*.lua")
        for path in (ROOT / package).rglob(kind)
    ]
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources}
    assert len(sizes) > 60
    assert {name: size for name, size in sizes.items() if size > 450} == {}
