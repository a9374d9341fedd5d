"""Random sequences of operations give on nginx's dictionaries what they give on ours.

What expires here expires by ``flush_all``: real time would race. Times themselves are tested on a
clock of our own (tests/shared_dict/). Numbers stay below 2**53, where nginx's doubles and the
integers of 5.4 are the same, and -0 is left out: on LuaJIT it loses its sign on the way to Python.
"""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support.nginx import RANDOM, Peers, batches, pack

Argument: TypeAlias = bytes | float | bool | None

LONGER_THAN_THE_DICTIONARY = 2_000_000  # bytes
LENGTH = 25  # operations of a sequence at most

KEYS = st.sampled_from([b"%c" % letter for letter in range(ord("a"), ord("l") + 1)])
ANY_KEY = KEYS | KEYS | KEYS | st.sampled_from([None, b"", 10, 1.5, True, b"\0\xff"])
LIST_KEY = KEYS | KEYS | KEYS | st.sampled_from([None, b"", 10, 1.5, b"\0\xff"])
NUMBERS = (
    st.integers(-5, 5)
    | st.integers(-(2**40), 2**40)
    | st.sampled_from([0.5, -1.25, 1e300, float("inf"), float("-inf"), float("nan")])
)
STRINGS = st.binary(max_size=12) | st.sampled_from([b"1", b"0x10", b" 2 ", b"1e1"])
TOO_LONG = st.just(f"b{LONGER_THAN_THE_DICTIONARY}")
VALUES = NUMBERS | STRINGS | st.booleans() | st.none() | TOO_LONG
TIMES = st.sampled_from([0, 0, 950, 1950, 0.0005, float("inf"), float("nan"), None, False])
FLAGS = st.sampled_from([None, 0, 1, 7, -1, 2**31 - 1, 2**31, 2**40, 0.9, 1.9, -1.9, True, False])
MAXIMA = st.sampled_from([0, 1, 2, 3, -1, 0.5, 2.9, 2**32 + 1, float("inf")])


# What the script reads, in its own words; a str is one already.
def encode(argument: Argument | str) -> bytes:
    match argument:
        case None:
            return b"z"
        case bool():
            return b"t" if argument else b"f"
        case bytes():
            return b"s" + argument
        case str():
            return argument.encode()
        case _ if argument != argument:
            return b"nnan"
        case _:
            return b"n" + repr(argument).encode()


def call(
    names: list[str], *arguments: st.SearchStrategy[Argument | str], least: int | None = None
) -> st.SearchStrategy[bytes]:
    """An operation, packed, with ``least`` of its arguments or more."""
    counts = st.integers(len(arguments) if least is None else least, len(arguments))
    parts = counts.flatmap(lambda n: st.tuples(*arguments[:n]))
    return st.tuples(st.sampled_from(names), parts).map(
        lambda drawn: pack([drawn[0].encode(), *map(encode, drawn[1])])
    )


STORES = call(
    ["set", "add", "replace", "safe_set", "safe_add"], KEYS, VALUES, TIMES, FLAGS, least=1
)
OPERATIONS = st.one_of(
    STORES,
    STORES,
    call(["set", "safe_set", "add", "replace"], ANY_KEY, VALUES, TIMES, least=2),
    call(["get", "get_stale", "delete", "ttl"], ANY_KEY),
    call(["get", "get_stale", "get_stale"], KEYS),
    call(["incr"], ANY_KEY, NUMBERS | st.just(b"3"), NUMBERS | st.none(), TIMES, least=2),
    call(["lpush", "rpush"], LIST_KEY, VALUES),
    call(["lpush", "rpush", "lpop", "rpop", "llen"], KEYS, st.just(1), least=1),
    call(["lpop", "rpop", "llen"], LIST_KEY),
    call(["expire"], KEYS, TIMES | st.just(-1), least=1),
    call(["flush_all"]),
    call(["flush_all"]),
    call(["flush_expired", "get_keys"], MAXIMA, least=0),
    call(["capacity"]),
)
# Enough entries for a flush_all to leave some that have expired.
FILLED = st.integers(0, 12).map(
    lambda n: [pack([b"set", encode(b"%c" % (ord("a") + i)), encode(i)]) for i in range(n)]
)
SEQUENCES = st.tuples(FILLED, st.lists(OPERATIONS, max_size=LENGTH)).map(
    lambda parts: pack([*parts[0], *parts[1]])
)


# Not shrunk: it would take longer than a test may, and the assertion names the sequence.
@settings(RANDOM, phases=[Phase.reuse, Phase.generate])
@given(batches(SEQUENCES))
def test_sequences(peers: Peers, batch: list[bytes]) -> None:
    """2,000 sequences: each call gives the same values, raises the same, and leaves the same keys
    in the same order of use; in the end the same is there, expired or not."""
    peers.compare("shared_dict", batch)
