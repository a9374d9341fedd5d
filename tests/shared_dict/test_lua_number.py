"""Strings that Lua reads as numbers, and those that only Python would."""

from __future__ import annotations

import pytest

from candy_trio.shared_dict.lua_number import lua_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (b"10", 10),
        (b"-3", -3),
        (b" \t+7\n", 7),
        (b"007", 7),
        (b"1.5", 1.5),
        (b".5", 0.5),
        (b"5.", 5.0),
        (b"1e3", 1000.0),
        (b"1E-2", 0.01),
        (b"0x10", 16),
        (b"-0Xff", -255),
        (b"0x.8p1", 1.0),
        (b"0xA.8", 10.5),
        (b"1e999", float("inf")),
        (b"0x1p99999", float("inf")),
        (b"-0x1p99999", float("-inf")),
    ],
)
def test_spells_a_number(text: bytes, number: float) -> None:
    """Decimal and hexadecimal integers and floats are read, each with its own type."""
    got = lua_number(text)
    assert (got, type(got)) == (number, type(number))


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b" ", b"x", b"1_000", b"nan", b"inf", b"1 2", b"1e", b"0x", b"--1", b"."),
        *(b"0b1", b"1\0", "\u0661".encode(), b"\xa01", b"1f", b"1" * 201),
    ],
)
def test_spells_none(text: bytes) -> None:
    """What Lua's tonumber refuses is refused, whatever Python's int and float accept."""
    assert lua_number(text) is None
