"""What the suite does on a machine that had no compiler: it says which tests need the extension."""

from __future__ import annotations

import os

import pytest

from engines import slicer
from engines.slicer import MODES, VARIABLE, Mode

HAS_EXTENSION = slicer._slicer is not None


def need_extension(mode: Mode | None = None) -> None:
    """Skip a test that runs on the extension, because it names it or by default, where it can't."""
    first = mode or os.environ.get(VARIABLE, MODES[0])
    if first == "extension" and not HAS_EXTENSION:
        pytest.skip("engines._slicer is not installed: there was no compiler")
    if mode is None and first != "extension":
        pytest.skip(f"{VARIABLE}={first}")
