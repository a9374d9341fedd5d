"""Random operations on a small dictionary, against a model that has no bound on memory.

The model is an ordered mapping, least recently used first, of everything that is still there,
expired or not. It knows nothing of room: when the dictionary reports that entries went (or that
a store failed), what is missing must be exactly the oldest entries, and the model drops them too.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from candy_trio.shared_dict.entry import FLUSHED, RECLAIMED
from candy_trio.shared_dict.memory import SharedDict
from candy_trio.shared_dict.weight import ENTRY_OVERHEAD

SIZE = 5 * (ENTRY_OVERHEAD + 100)  # room for a handful of entries: eviction is the normal case

KEYS = st.sampled_from([b"k%d" % i for i in range(8)])
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
STRINGS = st.binary(max_size=200) | st.just(bytes(SIZE))
VALUES = STRINGS | NUMBERS | st.booleans()
TIMES = st.sampled_from([0.0, 0.0, 1.0, 2.0])


class Against(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.shared = SharedDict("test", SIZE, lambda: self.now)
        self.model: dict[bytes, tuple[Any, int, float]] = {}  # value, flags, expires or 0.0

    def live(self, key: bytes) -> tuple[Any, int, float] | None:
        entry = self.model.get(key)
        return entry if entry and not (entry[2] and entry[2] <= self.now) else None

    def live_keys(self) -> list[bytes]:
        return [key for key in self.model if self.live(key)]

    def reclaim(self) -> None:
        """What has expired goes at the front, two entries at most."""
        for key in list(self.model)[:RECLAIMED]:
            if self.live(key):
                break
            del self.model[key]

    def find(self, key: bytes) -> tuple[Any, int, float] | None:
        """What most operations begin with."""
        self.reclaim()
        if key in self.model:
            self.model[key] = self.model.pop(key)
        return self.live(key)

    def no_memory(self, key: bytes, forcible: bool, safe: bool = False) -> None:
        """A store failed: its key is gone, and unless it was a safe one all others, too (there
        are fewer than may go for a hopeless value)."""
        self.model.pop(key, None)
        assert forcible == (not safe and bool(self.model))
        if not safe:
            self.model.clear()

    def deadline(self, exptime: float) -> float:
        return self.now + exptime if exptime else 0.0

    def put(self, key: bytes, entry: tuple[Any, int, float], forcible: bool) -> None:
        """The store succeeded: enter it, and take out what was dropped for it."""
        self.model.pop(key, None)
        before = list(self.model)
        after = list(self.shared._entries)
        assert after[-1] == key
        dropped = len(before) + 1 - len(after)
        assert before[dropped:] == after[:-1]
        assert forcible == (dropped > 0)
        for gone in before[:dropped]:
            del self.model[gone]
        self.model[key] = entry

    @rule(key=KEYS, value=VALUES, exptime=TIMES, flags=st.integers(0, 9), safe=st.booleans())
    def set(self, key: bytes, value: Any, exptime: float, flags: int, safe: bool) -> None:
        store = self.shared.safe_set if safe else self.shared.set
        stored, error, forcible = store(key, value, exptime, flags)
        self.reclaim()
        if stored:
            assert error is None
            assert not (safe and forcible)
            self.put(key, (value, flags, self.deadline(exptime)), forcible)
        else:
            assert error == b"no memory"
            assert safe or len(value) >= SIZE
            self.no_memory(key, forcible, safe)

    @rule(key=KEYS, value=VALUES)
    def add(self, key: bytes, value: Any) -> None:
        stored, error, forcible = self.shared.add(key, value)
        if self.find(key):
            assert (stored, error, forcible) == (False, b"exists", False)
        elif stored:
            self.put(key, (value, 0, 0.0), forcible)
        else:
            assert error == b"no memory"
            self.no_memory(key, forcible)

    @rule(key=KEYS, value=VALUES)
    def replace(self, key: bytes, value: Any) -> None:
        stored, error, forcible = self.shared.replace(key, value)
        if not self.find(key):
            assert (stored, error, forcible) == (False, b"not found", False)
        elif stored:
            self.put(key, (value, 0, 0.0), forcible)
        else:
            assert error == b"no memory"
            self.no_memory(key, forcible)

    @rule(key=KEYS)
    def get(self, key: bytes) -> None:
        entry = self.find(key)
        got = self.shared.get(key)
        if entry is None:
            assert got == (None, None)
        elif isinstance(entry[0], list):
            assert got == (None, b"value is a list")
        else:
            assert repr(got) == repr(entry[:2])

    @rule(key=KEYS)
    def get_stale(self, key: bytes) -> None:
        got = self.shared.get_stale(key)
        if key not in self.model:
            assert got == (None, None, False)
            return
        self.model[key] = self.model.pop(key)
        value, flags, _ = self.model[key]
        if isinstance(value, list):
            assert got == (None, b"value is a list", False)
        else:
            assert repr(got) == repr((value, flags, not self.live(key)))

    @rule(key=KEYS)
    def delete(self, key: bytes) -> None:
        assert self.shared.delete(key) == (True, None, False)
        self.reclaim()
        self.model.pop(key, None)

    @rule(key=KEYS, by=st.integers(-5, 5), init=st.none() | st.integers(-5, 5), ttl=TIMES)
    def incr(self, key: bytes, by: int, init: int | None, ttl: float) -> None:
        entry = self.find(key)
        new, error, forcible = self.shared.incr(key, by, init, ttl)
        if entry is None and init is None:
            assert (new, error) == (None, b"not found")
        elif entry is None:
            assert new == init + by  # type: ignore[operator]
            self.put(key, (new, 0, self.deadline(ttl)), forcible)
        elif type(entry[0]) in (int, float):
            total = entry[0] + by
            assert new == (total if abs(total) < 2**63 else float(total))
            self.model[key] = (new, *entry[1:])
        else:
            assert (new, error) == (None, b"not a number")

    @rule(key=KEYS, item=NUMBERS | st.binary(max_size=50), left=st.booleans())
    def push(self, key: bytes, item: Any, left: bool) -> None:
        entry = self.find(key)
        length, error = (self.shared.lpush if left else self.shared.rpush)(key, item)
        if entry and not isinstance(entry[0], list):
            assert (length, error) == (None, b"value not a list")
        elif error is not None:
            assert error == b"no memory"
            assert length is None or (length is False and entry is None)
            if entry is None:
                self.model.pop(key, None)
        else:
            items = entry[0] if entry else []
            items.insert(0 if left else len(items), item)
            assert length == len(items)
            self.put(key, (items, 0, entry[2] if entry else 0.0), False)

    @rule(key=KEYS, left=st.booleans())
    def pop(self, key: bytes, left: bool) -> None:
        entry = self.find(key)
        item, error = (self.shared.lpop if left else self.shared.rpop)(key)
        if entry is None:
            assert (item, error) == (None, None)
        elif not isinstance(entry[0], list):
            assert (item, error) == (None, b"value not a list")
        else:
            assert repr(item) == repr(entry[0].pop(0 if left else -1))
            if not entry[0]:
                del self.model[key]

    @rule(key=KEYS)
    def llen(self, key: bytes) -> None:
        entry = self.find(key)
        length, error = self.shared.llen(key)
        if entry is None:
            assert (length, error) == (0, None)
        elif isinstance(entry[0], list):
            assert (length, error) == (len(entry[0]), None)
        else:
            assert (length, error) == (None, b"value not a list")

    @rule(key=KEYS, exptime=TIMES)
    def expire(self, key: bytes, exptime: float) -> None:
        got = self.shared.expire(key, exptime)
        if key in self.model:
            assert got == (True, None)
            self.model[key] = (*self.model[key][:2], self.deadline(exptime))
        else:
            assert got == (None, b"not found")

    @rule(key=KEYS)
    def ttl(self, key: bytes) -> None:
        left, error = self.shared.ttl(key)
        if key not in self.model:
            assert (left, error) == (None, b"not found")
        elif expires := self.model[key][2]:
            assert left == (expires - self.now or -0.001)
        else:
            assert left == 0

    @rule(seconds=st.sampled_from([0.5, 1.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def flush_all(self) -> None:
        self.shared.flush_all()
        for key, entry in self.model.items():
            self.model[key] = (*entry[:2], FLUSHED)
        for key in list(self.model)[:1]:
            del self.model[key]
        self.reclaim()

    @rule(maximum=st.integers(0, 3))
    def flush_expired(self, maximum: int) -> None:
        expired = [key for key in self.model if not self.live(key)]
        doomed = expired[: maximum or None]
        assert self.shared.flush_expired(maximum) == len(doomed)
        for key in doomed:
            del self.model[key]

    @invariant()
    def order_and_room(self) -> None:
        assert list(self.shared._entries) == list(self.model)
        assert self.shared.get_keys(0) == self.live_keys()
        assert self.shared._mortal == sum(1 for entry in self.model.values() if entry[2])
        assert self.model or self.shared.free_space() == SIZE
        assert 0 <= self.shared.free_space() <= SIZE


TestAgainstModel = Against.TestCase
TestAgainstModel.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
