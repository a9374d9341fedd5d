"""Sizes and durations."""

from __future__ import annotations

import pytest

from candy_trio.config.units import Duration, Size


@pytest.mark.parametrize(
    ("written", "size"),
    [(1, 1), (8192, 8192), ("10k", 10240), ("10K", 10240), ("10m", 10 << 20), ("1g", 1 << 30)],
)
def test_a_size_is_bytes_or_a_power_of_1024(written: object, size: int) -> None:
    """k, m and g are powers of two in either case, and a number is bytes."""
    assert Size.parse(written) == size


@pytest.mark.parametrize(
    "written",
    [
        0,
        -1,
        1.0,
        True,
        "",
        "k",
        "10",
        "10 k",
        "10kb",
        "-1k",
        "1.5m",
        "0m",
        "٣k",
        "9" * 30 + "g",
        [],
    ],
)
def test_what_is_not_a_size_is_refused_with_the_forms(written: object) -> None:
    """Zero, fractions, booleans, unknown units and absurd numbers name the forms that are taken."""
    with pytest.raises(ValueError, match='a number of bytes, or "10k", "10m", "1g"'):
        Size.parse(written)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(75, 75.0), (0.25, 0.25), ("500ms", 0.5), ("15s", 15.0), ("2m", 120.0), ("1.5s", 1.5)],
)
def test_a_duration_is_seconds(written: object, seconds: float) -> None:
    """Numbers are seconds; ms, s and m are the units."""
    assert Duration.parse(written) == seconds


@pytest.mark.parametrize(
    "written",
    [0, -1, 0.0, float("inf"), float("nan"), 10**400, True, "", "s", "5", "5 s", "5h", "-5s", None],
)
def test_what_is_not_a_duration_is_refused_with_the_forms(written: object) -> None:
    """Zero, infinity, booleans and unknown units name the forms that are taken."""
    with pytest.raises(ValueError, match='seconds as a number, or "500ms", "15s", "2m"'):
        Duration.parse(written)
