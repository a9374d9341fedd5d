"""Prints what the suite can say of itself that a count of tests does not."""

from __future__ import annotations

import sys
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many Lua cases ran, and on what."""
    module = sys.modules.get("lua.test_lua_cases") or sys.modules.get("test_lua_cases")
    if module is None:
        return
    names = {name for name, _, _ in module.CASES}
    engines = sorted({engine for _, _, engine in module.CASES})
    terminalreporter.write_line(
        f"Lua cases: {len(names)}, on {' '.join(engines)}: {len(module.CASES)} runs, each twice"
    )
