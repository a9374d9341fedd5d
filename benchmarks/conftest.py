"""Options and the fixture of the suites that compare engines; the ratios that others measured."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.engines import RATIOS
from benchmarks.machine import engine_versions
from benchmarks.suites import FULL, SHORT, Measure, SlowDown

SLOW_DOWN = pytest.StashKey[SlowDown | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("engines", "benchmarks that compare Lua engines")
    group.addoption(
        "--short", action="store_true", help="fewer rounds, and only what compares engines"
    )
    group.addoption(
        "--slow-down",
        metavar="GROUP:ENGINE:FACTOR",
        help='do the work of one benchmark more than once: "language: fib:lua54:2"',
    )


def pytest_configure(config: pytest.Config) -> None:
    text = config.getoption("slow_down")
    try:
        config.stash[SLOW_DOWN] = None if text is None else SlowDown(text)
    except ValueError as error:
        raise pytest.UsageError(f"--slow-down: {error}") from None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In short: what compares with something else than engines has bounds that need all rounds."""
    if not config.getoption("short"):
        return
    short = [item for item in items if "measure" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=[item for item in items if item not in short])
    items[:] = short


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, Any]
) -> None:
    """A stored run says what it was measured with, too."""
    machine_info["versions"] = engine_versions()


@pytest.fixture(scope="session", autouse=True)
def few_objects() -> Iterator[None]:
    """Python's collector goes through what is made from now on, not through pytest's own."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def measure(benchmark: Any, request: pytest.FixtureRequest) -> Measure:
    """See benchmarks/suites.py."""
    config = request.config
    effort = SHORT if config.getoption("short") else FULL
    mark = request.node.get_closest_marker("benchmark")
    return Measure(benchmark, effort, config.stash[SLOW_DOWN], mark.kwargs["timer"])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A slow-down that nothing met would look like a check that caught nothing."""
    slow_down = session.config.stash[SLOW_DOWN]
    if slow_down is not None and not slow_down.used:
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line for each comparison."""
    for line in RATIOS:
        terminalreporter.write_line(line)
    slow_down = terminalreporter.config.stash[SLOW_DOWN]
    if slow_down is not None and not slow_down.used:
        terminalreporter.write_line(
            f'--slow-down: no benchmark "{slow_down.group}" was measured on {slow_down.engine}'
        )
