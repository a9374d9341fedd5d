"""The programs of the language suite run on both servers of benchmarks/language_nginx.py."""

from __future__ import annotations

import pytest

from benchmarks.language_nginx import measure
from benchmarks.programs import language_programs
from benchmarks.servers import nginx_missing


def test_every_program_is_answered_rightly_by_both_servers() -> None:
    """Which measuring checks each time; and each has its times."""
    if (reason := nginx_missing()) is not None:
        pytest.skip(reason)
    programs = language_programs()
    measured = measure(programs, servers=1, rounds=1, seconds=0.001)
    assert list(measured) == [program.title for program in programs]
    for kept in measured.values():
        assert kept.ratio == kept.nginx[0][0] / kept.ours[0][0]
