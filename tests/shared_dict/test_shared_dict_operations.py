"""Each operation of a shared dictionary and each of its errors, as data.

A case is a name and its steps, in order: a call with the result it must give, or a number of
seconds that pass. Any back-end must pass all of them.
"""

from __future__ import annotations

from typing import Any

import pytest

from candy_trio.shared_dict.base import MAX_KEY_LENGTH, SharedDictBackend
from candy_trio.shared_dict.memory import SharedDict

OK = (True, None, False)
NOTHING = (None, None)
LONG = b"k" * (MAX_KEY_LENGTH + 1)
HALF = 0.5  # seconds

Step = tuple[str, tuple[Any, ...], Any] | float

CASES: dict[str, list[Step]] = {
    "get of nothing": [("get", (b"a",), NOTHING)],
    "set and get": [("set", (b"a", b"x"), OK), ("get", (b"a",), (b"x", 0))],
    "all bytes": [
        ("set", (bytes(range(256)), bytes(range(256))), OK),
        ("get", (bytes(range(256)),), (bytes(range(256)), 0)),
    ],
    "an empty string is a value": [("set", (b"a", b""), OK), ("get", (b"a",), (b"", 0))],
    "false is a value": [("set", (b"a", False), OK), ("get", (b"a",), (False, 0))],
    "flags": [("set", (b"a", 1, 0, 7), OK), ("get", (b"a",), (1, 7))],
    "set forgets flags and time": [
        ("set", (b"a", 1, HALF, 7), OK),
        ("set", (b"a", 2), OK),
        1.0,
        ("get", (b"a",), (2, 0)),
    ],
    "set changes the type": [
        ("set", (b"a", b"long enough"), OK),
        ("set", (b"a", True), OK),
        ("get", (b"a",), (True, 0)),
    ],
    "set of nil deletes": [
        ("set", (b"a", 1), OK),
        ("set", (b"a", None), OK),
        ("get", (b"a",), NOTHING),
        ("safe_set", (b"a", None), OK),
    ],
    "set over a list": [
        ("lpush", (b"a", 1), (1, None)),
        ("set", (b"a", b"x"), OK),
        ("get", (b"a",), (b"x", 0)),
    ],
    "bad values": [
        ("set", (b"a", [1]), (None, b"bad value type", False)),
        ("add", (b"a", {}), (None, b"bad value type", False)),
        ("lpush", (b"a", True), (None, b"bad value type")),
        ("rpush", (b"a", None), (None, b"bad value type")),
        ("get", (b"a",), NOTHING),
    ],
    "safe_set": [("safe_set", (b"a", 1, 0, 3), OK), ("get", (b"a",), (1, 3))],
    "add": [
        ("add", (b"a", 1, HALF), OK),
        ("add", (b"a", 2), (False, b"exists", False)),
        ("safe_add", (b"a", 2), (False, b"exists", False)),
        ("get", (b"a",), (1, 0)),
        HALF,
        ("add", (b"a", 3), OK),
        ("get", (b"a",), (3, 0)),
    ],
    "safe_add": [("safe_add", (b"a", 1), OK), ("get", (b"a",), (1, 0))],
    "add where a list lives": [
        ("lpush", (b"a", 1), (1, None)),
        ("add", (b"a", 1), (False, b"exists", False)),
    ],
    "add and replace of nil": [
        ("add", (b"a", None), (False, b"attempt to add or replace nil values", False)),
        ("safe_add", (b"a", None), (False, b"attempt to add or replace nil values", False)),
        ("replace", (b"a", None), (False, b"attempt to add or replace nil values", False)),
    ],
    "replace": [
        ("replace", (b"a", 1), (False, b"not found", False)),
        ("set", (b"a", 1, HALF, 9), OK),
        ("replace", (b"a", 2), OK),
        ("get", (b"a",), (2, 0)),
        ("replace", (b"a", 3, HALF), OK),
        HALF,
        ("replace", (b"a", 4), (False, b"not found", False)),
    ],
    "delete": [
        ("set", (b"a", 1), OK),
        ("delete", (b"a",), OK),
        ("get_stale", (b"a",), (None, None, False)),
        ("delete", (b"a",), OK),
    ],
    "expiry": [
        ("set", (b"a", 1, HALF), OK),
        0.499,
        ("get", (b"a",), (1, 0)),
        0.002,
        ("get", (b"a",), NOTHING),
    ],
    "below a millisecond is never": [
        ("set", (b"a", 1, 0.0009), OK),
        ("ttl", (b"a",), (0.0, None)),
        ("set", (b"a", 1, 0.001), OK),
        ("ttl", (b"a",), (0.001, None)),
    ],
    "a live entry's ttl is never the 0 of one that stays": [
        ("set", (b"a", 1, 0.001), OK),
        0.0006,
        ("ttl", (b"a",), (0.001, None)),
    ],
    "exptimes are cut to milliseconds": [
        ("set", (b"a", 1, 1.0019), OK),
        ("ttl", (b"a",), (1.001, None)),
    ],
    "no exptime breaks it": [
        ("set", (b"a", 1, float("inf")), OK),
        ("ttl", (b"a",), (0.0, None)),
        ("set", (b"a", 1, 1e300), OK),
        ("ttl", (b"a",), (0.0, None)),
        ("set", (b"a", 1, 1e12), OK),
        ("ttl", (b"a",), (1e12, None)),
        ("set", (b"a", 1, float("nan")), OK),
        ("ttl", (b"a",), (0.0, None)),
    ],
    "get_stale": [
        ("get_stale", (b"a",), (None, None, False)),
        ("set", (b"a", b"x", HALF, 5), OK),
        ("get_stale", (b"a",), (b"x", 5, False)),
        HALF,
        ("get_stale", (b"a",), (b"x", 5, True)),
        ("rpush", (b"l", 1), (1, None)),
        ("get_stale", (b"l",), (None, b"value is a list", False)),
    ],
    "incr": [
        ("incr", (b"a", 1), (None, b"not found", False)),
        ("set", (b"a", 1, 0, 3), OK),
        ("incr", (b"a", 2), (3, None, False)),
        ("incr", (b"a", -10, 5), (-7, None, False)),
        ("get", (b"a",), (-7, 3)),
    ],
    "incr with init": [
        ("incr", (b"a", 1, 10), (11, None, False)),
        ("incr", (b"a", 1, 10), (12, None, False)),
        ("ttl", (b"a",), (0.0, None)),
    ],
    "incr with init_ttl": [
        ("incr", (b"a", 1, 0, HALF), (1, None, False)),
        0.25,
        ("incr", (b"a", 1, 0, HALF), (2, None, False)),
        ("ttl", (b"a",), (0.25, None)),
        0.25,
        ("incr", (b"a", 1), (None, b"not found", False)),
        ("incr", (b"a", 1, 0, HALF), (1, None, False)),
    ],
    "incr of what has expired starts anew": [
        ("set", (b"a", b"words", HALF, 7), OK),
        HALF,
        ("incr", (b"a", 1, 0), (1, None, False)),
        ("get", (b"a",), (1, 0)),
    ],
    "incr of no number": [
        ("set", (b"a", b"5"), OK),
        ("incr", (b"a", 1), (None, b"not a number", False)),
        ("set", (b"a", True), OK),
        ("incr", (b"a", 1, 0), (None, b"not a number", False)),
        ("incr", (b"a", 1, None, 0, True), (None, b"not a number", False)),
        ("rpush", (b"l", 1), (1, None)),
        ("incr", (b"l", 1, None, 0, True), (None, b"not a number", False)),
    ],
    "incr of a numeric string": [
        ("set", (b"a", b" 5 ", HALF, 7), OK),
        ("incr", (b"a", 1, None, 0, True), (6, None, False)),
        ("get", (b"a",), (6, 7)),
        ("ttl", (b"a",), (0.5, None)),
        ("set", (b"a", b"1e2"), OK),
        ("incr", (b"a", 0.5, None, 0, True), (100.5, None, False)),
        ("set", (b"a", b"five"), OK),
        ("incr", (b"a", 1, None, 0, True), (None, b"not a number", False)),
    ],
    "integers that leave 64 bits": [
        ("set", (b"a", 2**63 - 1), OK),
        ("incr", (b"a", 1), (float(2**63), None, False)),
        ("set", (b"a", -(2**63)), OK),
        ("incr", (b"a", -1), (float(-(2**63)), None, False)),
        ("incr", (b"b", 2**63 - 1, 2**63 - 1), (float(2**64), None, False)),
    ],
    "lists": [
        ("rpush", (b"a", b"2"), (1, None)),
        ("rpush", (b"a", 3), (2, None)),
        ("lpush", (b"a", 1.5), (3, None)),
        ("llen", (b"a",), (3, None)),
        ("lpop", (b"a",), (1.5, None)),
        ("rpop", (b"a",), (3, None)),
        ("rpop", (b"a",), (b"2", None)),
        ("llen", (b"a",), (0, None)),
        ("lpop", (b"a",), NOTHING),
        ("rpop", (b"a",), NOTHING),
        ("get_keys", (0,), []),
    ],
    "list errors": [
        ("set", (b"a", 1), OK),
        ("lpush", (b"a", 1), (None, b"value not a list")),
        ("rpush", (b"a", 1), (None, b"value not a list")),
        ("lpop", (b"a",), (None, b"value not a list")),
        ("rpop", (b"a",), (None, b"value not a list")),
        ("llen", (b"a",), (None, b"value not a list")),
        ("rpush", (b"l", 1), (1, None)),
        ("get", (b"l",), (None, b"value is a list")),
    ],
    "expired lists are missing": [
        ("rpush", (b"a", 1), (1, None)),
        ("expire", (b"a", HALF), (True, None)),
        HALF,
        ("llen", (b"a",), (0, None)),
        ("lpop", (b"a",), NOTHING),
        ("rpush", (b"a", 2), (1, None)),
        ("ttl", (b"a",), (0.0, None)),
        ("lpop", (b"a",), (2, None)),
    ],
    "a list grows where a value has expired": [
        ("set", (b"a", 1, HALF, 7), OK),
        HALF,
        ("lpush", (b"a", b"x"), (1, None)),
        ("lpop", (b"a",), (b"x", None)),
    ],
    "ttl and expire": [
        ("ttl", (b"a",), (None, b"not found")),
        ("expire", (b"a", 1), (None, b"not found")),
        ("set", (b"a", 1), OK),
        ("ttl", (b"a",), (0.0, None)),
        ("expire", (b"a", 2.5), (True, None)),
        1.0,
        ("ttl", (b"a",), (1.5, None)),
        ("expire", (b"a", 0), (True, None)),
        ("ttl", (b"a",), (0.0, None)),
    ],
    "ttl and expire of what has expired but is still there": [
        ("set", (b"a", 1, HALF), OK),
        HALF,
        ("ttl", (b"a",), (-0.001, None)),
        HALF,
        ("ttl", (b"a",), (-0.5, None)),
        ("expire", (b"a", HALF), (True, None)),
        ("get", (b"a",), (1, 0)),
    ],
    "flush_all": [
        *[("set", (k, 1), OK) for k in (b"1", b"2", b"3")],
        ("set", (b"a", b"x"), OK),
        ("rpush", (b"l", 1), (1, None)),
        ("flush_all", (), None),
        ("get_stale", (b"a",), (b"x", 0, True)),
        ("get_keys", (0,), []),
        ("set", (b"b", 1), OK),
        ("get", (b"a",), NOTHING),
        ("llen", (b"l",), (0, None)),
        ("add", (b"a", b"y"), OK),
        ("get", (b"a",), (b"y", 0)),
    ],
    "what has expired goes at the old end, two entries an operation": [
        *[("set", (b"%d" % i, i, HALF), OK) for i in range(8)],
        ("get_stale", (b"3",), (3, 0, False)),
        HALF,
        ("get", (b"nothing",), NOTHING),
        ("get_stale", (b"1",), (None, None, False)),
        ("ttl", (b"2",), (-0.001, None)),
        ("get_keys", (0,), []),
        ("flush_expired", (), 6),
    ],
    "flush_all takes three at the old end": [
        *[("set", (b"%d" % i, i), OK) for i in range(5)],
        ("flush_all", (), None),
        ("get_stale", (b"2",), (None, None, False)),
        ("flush_expired", (), 2),
    ],
    "flush_expired": [
        ("flush_expired", (), 0),
        ("set", (b"a", 1, HALF), OK),
        ("set", (b"b", 1), OK),
        ("set", (b"c", 1, HALF), OK),
        ("set", (b"d", 1, HALF), OK),
        HALF,
        ("flush_expired", (2,), 2),
        ("get_stale", (b"c",), (None, None, False)),
        ("get_stale", (b"d",), (1, 0, True)),
        ("flush_expired", (0,), 1),
        ("get_keys", (), [b"b"]),
    ],
    "get_keys": [
        ("set", (b"a", 1), OK),
        ("set", (b"b", 1, HALF), OK),
        ("set", (b"c", 1), OK),
        HALF,
        ("get_keys", (), [b"a", b"c"]),
        ("get_keys", (1,), [b"a"]),
    ],
    "what refreshes an entry and what does not": [
        *[("set", (k, 1), OK) for k in (b"a", b"b", b"c")],
        ("get", (b"a",), (1, 0)),
        ("get_keys", (0,), [b"b", b"c", b"a"]),
        ("ttl", (b"b",), (0.0, None)),
        ("expire", (b"b", 9), (True, None)),
        ("get_keys", (0,), [b"b", b"c", b"a"]),
        ("get_stale", (b"b",), (1, 0, False)),
        ("get_keys", (0,), [b"c", b"a", b"b"]),
        ("add", (b"c", 1), (False, b"exists", False)),
        ("get_keys", (0,), [b"a", b"b", b"c"]),
        ("incr", (b"a", 1), (2, None, False)),
        ("get_keys", (0,), [b"b", b"c", b"a"]),
        ("set", (b"b", 5), OK),
        ("get_keys", (0,), [b"c", b"a", b"b"]),
    ],
    "empty keys": [
        ("get", (b"",), (None, b"empty key")),
        ("get_stale", (b"",), (None, b"empty key", False)),
        *[
            (op, (b"", 1), (None, b"empty key", False))
            for op in ("set", "safe_set", "add", "safe_add", "replace", "incr")
        ],
        ("delete", (b"",), (None, b"empty key", False)),
        *[(op, (b"", 1), (None, b"empty key")) for op in ("lpush", "rpush", "expire")],
        *[(op, (b"",), (None, b"empty key")) for op in ("lpop", "rpop", "llen", "ttl")],
    ],
    "keys too long": [
        ("set", (LONG, 1), (None, b"key too long", False)),
        ("set", (LONG[1:], 1), OK),
        ("get", (LONG,), (None, b"key too long")),
        ("get_stale", (LONG,), (None, b"key too long", False)),
        ("add", (LONG, 1), (None, b"key too long", False)),
        ("replace", (LONG, 1), (None, b"key too long", False)),
        ("delete", (LONG,), (None, b"key too long", False)),
        ("incr", (LONG, 1, 0), (None, b"key too long", False)),
        ("rpush", (LONG, 1), (None, b"key too long")),
        ("lpop", (LONG,), (None, b"key too long")),
        ("llen", (LONG,), (None, b"key too long")),
        ("ttl", (LONG,), (None, b"key too long")),
        ("expire", (LONG, 1), (None, b"key too long")),
    ],
}


class Clock:
    """Seconds that pass only when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("backend", [SharedDict])
@pytest.mark.parametrize("name", CASES)
def test_case(name: str, backend: type[SharedDict]) -> None:
    """Every call gives the result, and the very types, that the case states."""
    clock = Clock()
    shared: SharedDictBackend = backend("test", 10_000_000, clock)
    for number, step in enumerate(CASES[name]):
        if isinstance(step, float):
            clock.now += step
            continue
        operation, arguments, expected = step
        got = getattr(shared, operation)(*arguments)
        assert (number, operation, repr(got)) == (number, operation, repr(expected))


@pytest.mark.parametrize("value", [b"3", 3, 3.0, True, -0.0, 2**53 + 1, float("inf")])
def test_types_come_back_as_they_went_in(value: bytes | float) -> None:
    """A stored value keeps its type: 3 stays an integer, 3.0 a float, true a boolean."""
    shared = SharedDict("test", 10_000, Clock())
    shared.set(b"k", value)
    got = shared.get(b"k")[0]
    assert (type(got), repr(got)) == (type(value), repr(value))


def test_incr_keeps_integers_exact() -> None:
    """Integers above 2**53 are added exactly; a float operand makes the result a float."""
    shared = SharedDict("test", 10_000, Clock())
    shared.set(b"k", 2**53)
    assert shared.incr(b"k", 1)[0] == 2**53 + 1
    assert type(shared.incr(b"k", 1.0)[0]) is float


def test_get_keys_gives_1024_by_default() -> None:
    """OpenResty's default maximum holds where none is given, and 0 lifts it."""
    shared = SharedDict("test", 10_000_000, Clock())
    for i in range(2000):
        shared.set(b"%d" % i, i)
    assert shared.get_keys() == [b"%d" % i for i in range(1024)]
    assert len(shared.get_keys(0)) == 2000
