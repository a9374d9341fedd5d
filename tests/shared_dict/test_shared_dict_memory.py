"""The size of a dictionary is a bound, on what it accounts for and on real memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from candy_trio.shared_dict.entry import HOPELESS_EVICTIONS
from candy_trio.shared_dict.memory import SharedDict
from candy_trio.shared_dict.weight import ENTRY_OVERHEAD, NUMBER_WEIGHT

SIZE = 1_000_000

REAL_FACTOR = 1.1
"""How much of its size a dictionary may take up at worst: the model's rounding."""

WASTE_FACTOR = 0.45
"""How much of its size it uses at least, so that the model is not a mere safe guess."""


def clock() -> float:
    return 1.0


def small(shared: SharedDict, i: int) -> bool:
    return shared.set(b"k%d" % i, b"v%d" % i)[2]


def expiring(shared: SharedDict, i: int) -> bool:
    return shared.set(b"key:%d" % i, i + 0.5, 60.0 + i, 2**40 + i)[2]


def large(shared: SharedDict, i: int) -> bool:
    return shared.set(b"key:%d" % i, bytes(5_000 + i % 7))[2]


def long_keys(shared: SharedDict, i: int) -> bool:
    return shared.set(b"key:%d" % i + bytes(500), b"")[2]


def one_item_lists(shared: SharedDict, i: int) -> bool:
    return shared.rpush(b"k%d" % i, b"x")[1] is not None


def one_long_list(shared: SharedDict, i: int) -> bool:
    return shared.lpush(b"k", b"x%d" % i)[1] is not None


def drained_lists(shared: SharedDict, i: int) -> bool:
    for j in range(200):
        if shared.rpush(b"k%d" % i, float(j))[1]:
            return True
    for _ in range(195):
        shared.lpop(b"k%d" % i)
    return False


Fill = Callable[[SharedDict, int], bool]


@pytest.mark.parametrize(
    "fill", [small, expiring, large, long_keys, one_item_lists, one_long_list, drained_lists]
)
def test_real_memory_stays_near_the_size(fill: Fill) -> None:
    """However it is filled, a full dictionary takes between 0.45 and 1.1 of its size, and at
    no moment before it more than that."""
    tracemalloc.start()
    try:
        shared = SharedDict("test", SIZE, clock)
        peak = 0
        i = 0
        while not fill(shared, i):
            i += 1
            if i % 64 == 0:
                peak = max(peak, tracemalloc.get_traced_memory()[0])
        for j in range(i, i + 300):  # evictions, and tables made anew
            fill(shared, j)
        full = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert WASTE_FACTOR * SIZE < full < REAL_FACTOR * SIZE
    assert peak < REAL_FACTOR * SIZE


def test_a_table_of_many_entries_is_given_back() -> None:
    """Tiny entries replaced by large ones leave no table of theirs behind."""
    tracemalloc.start()
    try:
        shared = SharedDict("test", SIZE, clock)
        i = 0
        while not small(shared, i):
            i += 1
        for j in range(500):
            large(shared, j)
        full = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert full < REAL_FACTOR * SIZE


def cost(key: bytes, value: bytes) -> int:
    return ENTRY_OVERHEAD + len(key) + len(value)


def three_entries() -> SharedDict:
    """Room for exactly three entries of one byte each, a, b, c in order of use."""
    shared = SharedDict("test", 3 * cost(b"a", b"1"), clock)
    for key in (b"a", b"b", b"c"):
        assert shared.set(key, b"1") == (True, None, False)
    assert shared.free_space() == 0
    return shared


def test_the_least_recently_used_goes_first() -> None:
    """A store into a full dictionary drops the entry that was used longest ago, and says so."""
    shared = three_entries()
    shared.get(b"a")
    assert shared.set(b"d", b"1") == (True, None, True)
    assert shared.get_keys(0) == [b"c", b"a", b"d"]
    assert shared.add(b"e", b"1") == (True, None, True)
    assert shared.get_keys(0) == [b"a", b"d", b"e"]


def test_as_many_go_as_it_takes() -> None:
    """One store may drop several entries, no more than it needs."""
    shared = three_entries()
    assert shared.set(b"d", bytes(2 + ENTRY_OVERHEAD)) == (True, None, True)
    assert shared.get_keys(0) == [b"c", b"d"]


def test_incr_makes_room_too() -> None:
    """A counter that is new in a full dictionary drops entries, one that is there does not."""
    shared = three_entries()
    assert shared.incr(b"n", 1, 0) == (1, None, True)
    assert shared.get_keys(0) == [b"c", b"n"]
    assert shared.incr(b"n", 1, 0) == (2, None, False)


def test_safe_stores_drop_nothing_live() -> None:
    """safe_set, safe_add and lists answer "no memory" and leave every live entry alone."""
    shared = three_entries()
    assert shared.safe_set(b"d", b"1") == (False, b"no memory", False)
    assert shared.safe_add(b"d", b"1") == (False, b"no memory", False)
    assert repr(shared.lpush(b"d", b"1")) == "(False, b'no memory')"
    assert shared.get_keys(0) == [b"a", b"b", b"c"]


def test_expired_entries_at_the_old_end_go_before_live_ones() -> None:
    """Room is first taken from what has expired at the old end, and that is not "forcible"; the
    safe stores may use it as well."""
    now = 0.0
    shared = SharedDict("test", 3 * cost(b"a", b"1"), lambda: now)
    shared.set(b"b", b"1", 1.0)
    shared.set(b"c", b"1", 1.0)
    shared.set(b"a", b"1", 2.0)
    now = 1.0
    assert shared.set(b"d", b"1") == (True, None, False)
    assert shared.get_keys(0) == [b"a", b"d"]
    shared.set(b"e", b"1", 1.0)
    now = 2.0
    assert shared.safe_set(b"f", b"1") == (True, None, False)
    assert shared.get_keys(0) == [b"d", b"f"]


def test_age_goes_before_expiry() -> None:
    """The least recently used entry goes even where a younger one has expired (as nginx)."""
    now = 0.0
    shared = SharedDict("test", 3 * cost(b"a", b"1"), lambda: now)
    shared.set(b"a", b"1")
    shared.set(b"b", b"1", 1.0)
    shared.set(b"c", b"1")
    now = 1.0
    assert shared.set(b"d", b"1") == (True, None, True)
    assert shared.get_keys(0) == [b"c", b"d"]


def test_what_is_larger_than_the_dictionary_takes_a_few_with_it() -> None:
    """A value that can never fit is "no memory" after as many entries as nginx drops for it have
    gone, the key's own first; a list drops none."""
    shared = three_entries()
    assert shared.rpush(b"l", bytes(10_000)) == (False, b"no memory")
    assert shared.safe_set(b"b", bytes(10_000)) == (False, b"no memory", False)
    assert shared.get_keys(0) == [b"a", b"c"]
    assert shared.set(b"c", bytes(10_000)) == (False, b"no memory", True)
    assert shared.get_keys(0) == []
    assert shared.set(b"c", bytes(10_000)) == (False, b"no memory", False)
    many = SharedDict("test", 100 * cost(b"000", b"1"), clock)
    for i in range(100):
        many.set(b"%03d" % i, b"1")
    assert many.set(b"new", bytes(100_000)) == (False, b"no memory", True)
    assert len(many.get_keys(0)) == 100 - HOPELESS_EVICTIONS


def test_a_value_that_grows_in_place_may_drop_others_never_itself() -> None:
    """A larger value for the oldest key takes its room from the next oldest."""
    shared = three_entries()
    assert shared.set(b"a", b"22") == (True, None, True)
    assert shared.get_keys(0) == [b"c", b"a"]


def test_a_numeric_string_that_grows_into_a_number_keeps_the_bound() -> None:
    """incr of b"1" needs the room of a number, which is found as for any store."""
    shared = three_entries()
    assert shared.incr(b"a", 1, None, 0, True) == (2, None, True)
    assert shared.free_space() == cost(b"b", b"1") - (NUMBER_WEIGHT - 1)


def test_capacity_and_free_space() -> None:
    """free_space falls by what an entry costs and comes back when it is removed."""
    shared = SharedDict("test", 10_000, clock)
    assert (shared.capacity(), shared.free_space()) == (10_000, 10_000)
    shared.set(b"key", b"value")
    shared.rpush(b"list", b"item")
    shared.rpush(b"list", 1.0)
    assert shared.free_space() < 10_000 - cost(b"key", b"value")
    shared.delete(b"key")
    shared.lpop(b"list")
    shared.rpop(b"list")
    assert shared.free_space() == 10_000
