"""Random operations on a small dictionary, against a model that has no bound on memory.

The model is an ordered mapping, least recently used first. It knows nothing of room: when the
dictionary reports that live entries went (or that a store failed), what is missing must be
exactly the oldest entries, and the model drops them too.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from candy_trio.shared_dict.memory import ENTRY_OVERHEAD, SharedDict

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

    def touch(self, key: bytes) -> None:
        self.model[key] = self.model.pop(key)

    def deadline(self, exptime: float) -> float:
        return self.now + exptime if exptime else 0.0

    def put(self, key: bytes, entry: tuple[Any, int, float], forcible: bool) -> None:
        """The store succeeded: enter it, and take out what was dropped for it."""
        self.model.pop(key, None)
        before = self.live_keys()
        after = self.shared.get_keys(0)
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
        if stored:
            assert error is None
            assert not (safe and forcible)
            self.put(key, (value, flags, self.deadline(exptime)), forcible)
        else:
            assert (error, forcible) == (b"no memory", False)
            assert safe or len(value) >= SIZE
            self.model.pop(key, None)

    @rule(key=KEYS, value=VALUES)
    def add(self, key: bytes, value: Any) -> None:
        stored, error, forcible = self.shared.add(key, value)
        if self.live(key):
            assert (stored, error, forcible) == (False, b"exists", False)
            self.touch(key)
        elif stored:
            self.put(key, (value, 0, 0.0), forcible)
        else:
            assert error == b"no memory"
            self.model.pop(key, None)

    @rule(key=KEYS, value=VALUES)
    def replace(self, key: bytes, value: Any) -> None:
        stored, error, forcible = self.shared.replace(key, value)
        if not self.live(key):
            assert (stored, error, forcible) == (False, b"not found", False)
        elif stored:
            self.put(key, (value, 0, 0.0), forcible)
        else:
            assert error == b"no memory"
            del self.model[key]

    @rule(key=KEYS)
    def get(self, key: bytes) -> None:
        entry = self.live(key)
        got = self.shared.get(key)
        if entry is None:
            assert got == (None, None)
            return
        self.touch(key)
        if isinstance(entry[0], list):
            assert got == (None, b"value is a list")
        else:
            assert repr(got) == repr(entry[:2])

    @rule(key=KEYS)
    def delete(self, key: bytes) -> None:
        assert self.shared.delete(key) == (True, None, False)
        self.model.pop(key, None)

    @rule(key=KEYS, by=st.integers(-5, 5), init=st.none() | st.integers(-5, 5), ttl=TIMES)
    def incr(self, key: bytes, by: int, init: int | None, ttl: float) -> None:
        entry = self.live(key)
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
            self.touch(key)
        else:
            assert (new, error) == (None, b"not a number")
            self.touch(key)

    @rule(key=KEYS, item=NUMBERS | st.binary(max_size=50), left=st.booleans())
    def push(self, key: bytes, item: Any, left: bool) -> None:
        entry = self.live(key)
        length, error = (self.shared.lpush if left else self.shared.rpush)(key, item)
        if entry and not isinstance(entry[0], list):
            assert (length, error) == (None, b"value not a list")
            self.touch(key)
        elif length is None:
            assert error == b"no memory"
            if entry is None:
                self.model.pop(key, None)
        else:
            items = entry[0] if entry else []
            items.insert(0 if left else len(items), item)
            assert length == len(items)
            self.put(key, (items, 0, entry[2] if entry else 0.0), False)

    @rule(key=KEYS, left=st.booleans())
    def pop(self, key: bytes, left: bool) -> None:
        entry = self.live(key)
        item, error = (self.shared.lpop if left else self.shared.rpop)(key)
        if entry is None:
            assert (item, error) == (None, None)
        elif not isinstance(entry[0], list):
            assert (item, error) == (None, b"value not a list")
            self.touch(key)
        else:
            assert repr(item) == repr(entry[0].pop(0 if left else -1))
            self.touch(key)
            if not entry[0]:
                del self.model[key]

    @rule(key=KEYS, exptime=TIMES)
    def expire(self, key: bytes, exptime: float) -> None:
        entry = self.live(key)
        got = self.shared.expire(key, exptime)
        if entry is None:
            assert got == (None, b"not found")
        else:
            self.model[key] = (*entry[:2], self.deadline(exptime))
            assert self.shared.ttl(key) == (exptime, None)

    @rule(seconds=st.sampled_from([0.5, 1.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.model)
    @rule()
    def flush_all(self) -> None:
        self.shared.flush_all()
        self.model.clear()

    @rule()
    def flush_expired(self) -> None:
        self.shared.flush_expired()
        if not self.live_keys():
            assert self.shared.free_space() == SIZE

    @invariant()
    def order_and_room(self) -> None:
        assert self.shared.get_keys(0) == self.live_keys()
        assert 0 <= self.shared.free_space() <= SIZE


TestAgainstModel = Against.TestCase
TestAgainstModel.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
