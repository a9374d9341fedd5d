"""Prints what the suite can say of itself that a count of tests does not."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many Lua cases ran, on what, and how many of them on nginx as well."""
    module = loaded("lua.test_lua_cases")
    if module is not None:
        names = {name for name, _, _ in module.CASES}
        engines = sorted({engine for _, _, engine in module.CASES})
        terminalreporter.write_line(
            f"Lua cases: {len(names)}, on {' '.join(engines)}: {len(module.CASES)} runs, each twice"
        )
    module = loaded("lua.test_longest_call")
    if module is not None and module.LONGEST:
        name, seconds = max(module.LONGEST.items(), key=lambda item: item[1])
        terminalreporter.write_line(f"Longest call: {seconds * 1000:.1f} ms, {name}")
    module = loaded("nginx.test_cases_on_nginx")
    if module is not None:
        reason = module.missing()
        compared = "not compared: " + reason if reason else f"{len(module.COMPARED)} compared"
        terminalreporter.write_line(
            f"Lua cases on nginx: {compared}, {len(module.EXCEPTIONS)} exceptions, not expressible:"
        )
        for rule, count in Counter(filter(None, module.REASONS.values())).most_common():
            terminalreporter.write_line(f"  {count} {rule}")
    module = loaded("slices.test_results_never_change")
    if module is not None:
        sums: Counter[tuple[str, str]] = Counter()
        for (kind, engine, _), count in module.INTERRUPTIONS.items():
            sums[kind, engine] += count
        for (kind, engine), count in sums.items():
            terminalreporter.write_line(f"interrupted programs, {kind}, {engine}: {count:,}")


def loaded(name: str) -> Any:
    """The test module, however pytest imported it; None if it was not collected."""
    return sys.modules.get(name) or sys.modules.get(name.rpartition(".")[2])
