"""What benchmarks/footprint.py measured: printed, stored, put on a page."""

from __future__ import annotations

import msgspec

from benchmarks.machine import Machine
from benchmarks.page import table


class Value(msgspec.Struct, frozen=True):
    """One measured thing."""

    name: str
    value: float
    unit: str
    bound: float | None = None
    """What it may be at most."""

    @property
    def holds(self) -> bool:
        return self.bound is None or self.value <= self.bound


class FootprintReport(msgspec.Struct):
    """One run."""

    machine: Machine
    values: list[Value] = msgspec.field(default_factory=list)


def print_report(value: Value) -> None:
    bound = "" if value.bound is None else f", at most {value.bound:.4g}"
    missed = "" if value.holds else ": MISSED"
    print(f"{value.name}: {value.value:.4g} {value.unit}{bound}{missed}", flush=True)


def page_table(report: FootprintReport) -> list[str]:
    rows = [
        [
            value.name,
            f"{value.value:.3g} {value.unit}",
            "" if value.bound is None else f"{value.bound:.3g} {value.unit}",
        ]
        for value in report.values
    ]
    machine = report.machine
    return [
        *table(["what", "measured", "at most"], rows),
        "",
        f"{machine.date}; {machine.processor}; {machine.system};"
        f" candy_trio {machine.versions['candy_trio']}.",
    ]
