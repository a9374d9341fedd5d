"""Whether modules run as mypyc has compiled them, or as they are written.

setup.py compiles what every request passes through; the compiled modules lie beside their sources,
and Python prefers them. Two things speak against them, and then the sources are imported:

- ``CANDY_TRIO_PURE=1``: for a debugger or a profiler, which see nothing inside of compiled code;
- in a checkout, a source that is newer than what was compiled of it: an edit must take effect.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ModuleSpec, SourceFileLoader
from importlib.machinery import FileFinder as Finder
from pathlib import Path
from types import ModuleType
from typing import Final

VARIABLE: Final = "CANDY_TRIO_PURE"
ROOT: Final = Path(__file__).parent.parent
PACKAGES: Final = ("candy_trio", "engines")


class SourceFinder:
    """Finds the sources of our packages; what has none is left to Python's own finders."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See :class:`importlib.abc.MetaPathFinder`."""
        if name.partition(".")[0] not in PACKAGES:
            return None
        for folder in path or ():
            spec = Finder(folder, (SourceFileLoader, SOURCE_SUFFIXES)).find_spec(name, target)
            if spec is not None and spec.loader is not None:
                return spec
        return None


def choose() -> None:
    """Import sources from now on, if there is a reason to; says so where nobody asked for it."""
    reason = os.environ.get(VARIABLE)
    if not reason:
        stale = next(_stale(), None)
        if stale is None:
            return
        print(
            f"{stale.relative_to(ROOT)} is newer than what was compiled of it: all runs as it is"
            " written, and slower, until it is compiled again by: pip install -e .",
            file=sys.stderr,
        )
    sys.meta_path.insert(0, SourceFinder)


def _stale() -> Iterator[Path]:
    if not (ROOT / "setup.py").exists():
        return  # installed, where an installer has set the times
    suffix = EXTENSION_SUFFIXES[0]
    for package in PACKAGES:
        for compiled in (ROOT / package).rglob(f"*{suffix}"):
            source = compiled.with_name(compiled.name.removesuffix(suffix) + ".py")
            if source.exists() and source.stat().st_mtime > compiled.stat().st_mtime:
                yield source
