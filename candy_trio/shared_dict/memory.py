"""Shared dictionaries in the worker's own memory.

Rules of this file:

- ``_entries`` is in order of use, the least recently used first; get, get_stale, the stores,
  incr and the list operations refresh a live entry, ttl and expire do not (as nginx).
- ``_used`` is always the sum of the entries' costs, and never above ``_size``. Whoever changes
  a value changes ``_used`` with it.
- The cost of an entry is what it takes up: its bytes and what CPython spends around them (the
  constants below), so that a dictionary of size "10m" makes the process 10 MB bigger, not 40.
- A key that is empty or too long is never stored: only those operations that miss look at the
  key, those that hit need not.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from candy_trio.shared_dict.base import (
    BAD_VALUE,
    DEFAULT_MAX_KEYS,
    EXISTS,
    IS_A_LIST,
    NIL_VALUE,
    NO_MEMORY,
    NOT_A_LIST,
    NOT_A_NUMBER,
    NOT_FOUND,
    Counted,
    Found,
    FoundStale,
    Number,
    Popped,
    SharedDictBackend,
    Stored,
    Value,
    key_problem,
)
from candy_trio.shared_dict.list_value import ListValue
from candy_trio.shared_dict.lua_number import lua_number

if TYPE_CHECKING:
    from collections.abc import Callable

# Bytes on 64-bit CPython, measured with tracemalloc (tests/shared_dict/test_shared_dict_memory.py):
# 116: a node of the OrderedDict and its share of the table just after that has grown;
#  48: the _Entry; 41 each for key and value: header of a bytes object and rounding to 16;
#  32 each for the time of expiry and for flags that are not small integers.
ENTRY_OVERHEAD = 116 + 48 + 41 + 41 + 32 + 32

NUMBER_WEIGHT = 8
"""Bytes of a number or boolean beyond the header that ENTRY_OVERHEAD counts."""

LIST_OVERHEAD = 48 + 32 + 64 + 64 + 32 - 41
"""Bytes of a ListValue without items: itself, its weight, its two lists and the first slots of
one, less the header of a value that ENTRY_OVERHEAD counts."""

LIST_ITEM_OVERHEAD = 57
"""Bytes of a list item beside its own: header and rounding (41), its slot in a list that may
be half empty (16)."""

RECLAIM_SCAN = 8
"""Entries, from the least recently used on, that are searched for expired ones before a live
one is dropped. nginx looks at two; entries of one time to live expire in this order anyway,
and the search is paid for by every store into a full dictionary."""

SHRINK_FACTOR = 8
"""When this many times fewer entries are left than there were, the table is made anew: Python
never shrinks one by itself, and a table of tiny entries can be a third of the size."""

SHRINK_FROM = 1024
"""Entries; the table of fewer (120 KB) is not worth the copy."""

NEVER = 0.0
FLUSHED = -math.inf
SHORTEST_EXPTIME = 0.001  # seconds; nginx counts milliseconds, and 0 of them is "never"

MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)


# gc=False: no cycle can pass through an entry, and the collector would have to visit every
# one of them (10 ms per full collection and 100,000 entries).
class _Entry(msgspec.Struct, gc=False):
    value: Value | ListValue
    flags: int
    expires: float  # by the dictionary's clock; NEVER or FLUSHED


_MISSING: tuple[None, None] = (None, None)
_MISSING_STALE: tuple[None, None, bool] = (None, None, False)
_STORED: Stored = (True, None, False)
_STORED_FORCIBLY: Stored = (True, None, True)
_NO_MEMORY: Stored = (False, NO_MEMORY, False)


def _weight(value: Value | ListValue) -> int:
    if type(value) is bytes:
        return len(value)
    if type(value) is ListValue:
        return LIST_OVERHEAD + value.weight
    return NUMBER_WEIGHT


def _item_weight(item: bytes | Number) -> int:
    return LIST_ITEM_OVERHEAD + (len(item) if type(item) is bytes else NUMBER_WEIGHT)


def _sum(a: Number, b: Number) -> Number:
    total = a + b
    if type(total) is int and not MIN_INTEGER <= total <= MAX_INTEGER:
        return float(total)
    return total


class SharedDict(SharedDictBackend):
    """A dictionary of at most ``size`` bytes; ``clock`` gives seconds and never goes back."""

    def __init__(self, name: str, size: int, clock: Callable[[], float]) -> None:
        self.name = name
        self._size = size
        self._used = 0
        self._clock = clock
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._most_entries = 0  # since the table was made

    def get(self, key: bytes) -> Found:
        entry = self._entries.get(key)
        if entry is None:
            return None, key_problem(key)
        expires = entry.expires
        if expires and expires <= self._clock():
            # Not refreshed: what has expired and is not even wanted stale goes first.
            return _MISSING
        self._entries.move_to_end(key)
        value = entry.value
        if type(value) is ListValue:
            return None, IS_A_LIST
        return value, entry.flags

    def get_stale(self, key: bytes) -> FoundStale:
        entry = self._entries.get(key)
        if entry is None:
            return None, key_problem(key), False
        self._entries.move_to_end(key)
        value = entry.value
        if type(value) is ListValue:
            return None, IS_A_LIST, False
        return value, entry.flags, self._has_expired(entry)

    def set(self, key: bytes, value: Value | None, exptime: float = 0.0, flags: int = 0) -> Stored:
        if value is None:
            return self.delete(key)
        return self._store(key, value, self._deadline(exptime), flags, evict=True)

    def safe_set(
        self, key: bytes, value: Value | None, exptime: float = 0.0, flags: int = 0
    ) -> Stored:
        if value is None:
            return self.delete(key)
        return self._store(key, value, self._deadline(exptime), flags, evict=False)

    def add(self, key: bytes, value: Value | None, exptime: float = 0.0, flags: int = 0) -> Stored:
        return self._add(key, value, exptime, flags, evict=True)

    def safe_add(
        self, key: bytes, value: Value | None, exptime: float = 0.0, flags: int = 0
    ) -> Stored:
        return self._add(key, value, exptime, flags, evict=False)

    def replace(
        self, key: bytes, value: Value | None, exptime: float = 0.0, flags: int = 0
    ) -> Stored:
        if value is None:
            return False, NIL_VALUE, False
        if self._live(key) is None:
            problem = key_problem(key)
            return (None, problem, False) if problem else (False, NOT_FOUND, False)
        return self._store(key, value, self._deadline(exptime), flags, evict=True)

    def delete(self, key: bytes) -> Stored:
        entry = self._entries.get(key)
        if entry is not None:
            self._remove(key, entry)
        elif problem := key_problem(key):
            return None, problem, False
        return _STORED

    def incr(
        self,
        key: bytes,
        value: Number,
        init: Number | None = None,
        init_ttl: float = 0.0,
        numeric_strings: bool = False,
    ) -> Counted:
        entry = self._entries.get(key)
        if entry is not None and not ((e := entry.expires) and e <= self._clock()):
            old = entry.value
            if type(old) is int or type(old) is float:
                entry.value = new = _sum(old, value)
                self._entries.move_to_end(key)
                return new, None, False
            number = lua_number(old) if numeric_strings and type(old) is bytes else None
            if number is None:
                self._entries.move_to_end(key)
                return None, NOT_A_NUMBER, False
            new, deadline, flags = _sum(number, value), entry.expires, entry.flags
        elif problem := key_problem(key):
            return None, problem, False
        elif init is None:
            return None, NOT_FOUND, False
        else:
            new, deadline, flags = _sum(init, value), self._deadline(init_ttl), 0
        stored, error, forcible = self._store(key, new, deadline, flags, evict=True)
        return (new if stored else None), error, forcible

    def lpush(self, key: bytes, value: bytes | Number) -> tuple[int | None, bytes | None]:
        return self._push(key, value, left=True)

    def rpush(self, key: bytes, value: bytes | Number) -> tuple[int | None, bytes | None]:
        return self._push(key, value, left=False)

    def lpop(self, key: bytes) -> Popped:
        return self._pop(key, left=True)

    def rpop(self, key: bytes) -> Popped:
        return self._pop(key, left=False)

    def llen(self, key: bytes) -> tuple[int | None, bytes | None]:
        entry = self._live(key)
        if entry is None:
            problem = key_problem(key)
            return (None, problem) if problem else (0, None)
        self._entries.move_to_end(key)
        if type(entry.value) is not ListValue:
            return None, NOT_A_LIST
        return len(entry.value), None

    def ttl(self, key: bytes) -> tuple[float | None, bytes | None]:
        entry = self._live(key)
        if entry is None:
            return None, key_problem(key) or NOT_FOUND
        if not entry.expires:
            return 0.0, None
        # A live entry has time left, and 0 would say that it never expires.
        return max(round(entry.expires - self._clock(), 3), SHORTEST_EXPTIME), None

    def expire(self, key: bytes, exptime: float) -> tuple[bool | None, bytes | None]:
        entry = self._live(key)
        if entry is None:
            return None, key_problem(key) or NOT_FOUND
        entry.expires = self._deadline(exptime)
        return True, None

    def flush_all(self) -> None:
        for entry in self._entries.values():
            entry.expires = FLUSHED

    def flush_expired(self, maximum: int = 0) -> int:
        now = self._clock()
        expired = ((k, e) for k, e in self._entries.items() if e.expires and e.expires <= now)
        doomed = list(islice(expired, maximum if maximum > 0 else None))
        for key, entry in doomed:
            self._remove(key, entry)
        return len(doomed)

    def get_keys(self, maximum: int = DEFAULT_MAX_KEYS) -> list[bytes]:
        now = self._clock()
        live = (k for k, e in self._entries.items() if not e.expires or e.expires > now)
        return list(islice(live, maximum if maximum > 0 else None))

    def capacity(self) -> int:
        return self._size

    def free_space(self) -> int:
        return self._size - self._used

    def _has_expired(self, entry: _Entry) -> bool:
        return entry.expires != NEVER and entry.expires <= self._clock()

    def _live(self, key: bytes) -> _Entry | None:
        entry = self._entries.get(key)
        return None if entry is None or self._has_expired(entry) else entry

    def _deadline(self, exptime: float) -> float:
        return self._clock() + exptime if exptime >= SHORTEST_EXPTIME else NEVER

    def _add(
        self, key: bytes, value: Value | None, exptime: float, flags: int, *, evict: bool
    ) -> Stored:
        if value is None:
            return False, NIL_VALUE, False
        if self._live(key) is not None:
            self._entries.move_to_end(key)
            return False, EXISTS, False
        return self._store(key, value, self._deadline(exptime), flags, evict=evict)

    def _store(
        self, key: bytes, value: Value, expires: float, flags: int, *, evict: bool
    ) -> Stored:
        kind = type(value)
        if kind is not bytes and kind is not int and kind is not float and kind is not bool:
            return None, BAD_VALUE, False
        cost = ENTRY_OVERHEAD + len(key) + _weight(value)
        forcible = False
        entry = self._entries.get(key)
        if entry is None:
            if problem := key_problem(key):
                return None, problem, False
        else:
            before = ENTRY_OVERHEAD + len(key) + _weight(entry.value)
            if self._used - before + cost <= self._size:
                entry.value = value
                entry.flags = flags
                entry.expires = expires
                self._used += cost - before
                self._entries.move_to_end(key)
                return _STORED
            self._remove(key, entry)
        if self._used + cost > self._size:
            made = self._make_room(cost, evict=evict)
            if made is None:
                return _NO_MEMORY
            forcible = made
        self._insert(key, _Entry(value, flags, expires), cost)
        return _STORED_FORCIBLY if forcible else _STORED

    def _push(
        self, key: bytes, item: bytes | Number, *, left: bool
    ) -> tuple[int | None, bytes | None]:
        kind = type(item)
        if kind is not bytes and kind is not int and kind is not float:
            return None, BAD_VALUE
        weight = cost = _item_weight(item)
        entry = self._entries.get(key)
        if entry is not None and self._has_expired(entry):
            self._remove(key, entry)
            entry = None
        if entry is None:
            if problem := key_problem(key):
                return None, problem
            cost += ENTRY_OVERHEAD + len(key) + LIST_OVERHEAD
        elif type(entry.value) is not ListValue:
            self._entries.move_to_end(key)
            return None, NOT_A_LIST
        if self._used + cost > self._size and self._make_room(cost, evict=False) is None:
            return None, NO_MEMORY
        if entry is None:
            items = ListValue([], [])
            self._insert(key, _Entry(items, 0, NEVER), cost)
        else:
            assert type(entry.value) is ListValue
            items = entry.value
            self._used += cost
            self._entries.move_to_end(key)
        items.push(item, left=left)
        items.weight += weight
        return len(items), None

    def _pop(self, key: bytes, *, left: bool) -> Popped:
        entry = self._live(key)
        if entry is None:
            return None, key_problem(key)
        items = entry.value
        self._entries.move_to_end(key)
        if type(items) is not ListValue:
            return None, NOT_A_LIST
        item = items.pop(left=left)
        weight = _item_weight(item)
        items.weight -= weight
        self._used -= weight
        if not len(items):
            self._remove(key, entry)
        return item, None

    def _insert(self, key: bytes, entry: _Entry, cost: int) -> None:
        self._entries[key] = entry
        self._used += cost
        if len(self._entries) > self._most_entries:
            self._most_entries = len(self._entries)

    def _remove(self, key: bytes, entry: _Entry) -> None:
        del self._entries[key]
        self._used -= ENTRY_OVERHEAD + len(key) + _weight(entry.value)
        left = len(self._entries)
        if left * SHRINK_FACTOR < self._most_entries and self._most_entries >= SHRINK_FROM:
            self._entries = OrderedDict(self._entries)
            self._most_entries = left

    def _make_room(self, cost: int, *, evict: bool) -> bool | None:
        """Make ``cost`` bytes fit; returns whether a live entry went, None if they can't."""
        limit = self._size - cost
        if limit < 0:
            return None
        forcible = False
        now = self._clock()
        for key, entry in list(islice(self._entries.items(), RECLAIM_SCAN)):
            if entry.expires and entry.expires <= now:
                self._remove(key, entry)
        while self._used > limit:
            if not evict:
                return None
            key, entry = next(iter(self._entries.items()))
            forcible = forcible or not entry.expires or entry.expires > now
            self._remove(key, entry)
        return forcible
