"""Shared dictionaries in the worker's own memory.

Rules of this file:

- ``_entries`` is in order of use, the least recently used first. Whatever looks a key up moves
  its entry to the end, even one that has expired; ttl and expire do not (as nginx).
- Before an operation looks at its key, up to two entries that have expired are removed at the
  front (as nginx): without it what has expired would stay until the dictionary is full.
  get_stale, ttl, expire and get_keys leave everything where it is.
- ``_used`` is always the sum of the entries' costs, and never above ``_size``. Whoever changes
  a value changes ``_used`` with it; ``_mortal`` is as exact, the number of entries that have a
  time of expiry.
- A key that is empty or too long is never stored: only those operations that miss look at the
  key, those that hit need not.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING

from candy_trio.shared_dict.base import (
    AGAIN,
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
from candy_trio.shared_dict.entry import (
    EVICTIONS,
    FLUSHED,
    HOPELESS_EVICTIONS,
    LONG_LIST,
    LONGEST_EXPTIME,
    NEVER,
    ORDERED,
    RECLAIMED,
    SHORTEST_EXPTIME,
    SHRINK_FACTOR,
    SHRINK_FROM,
    Entry,
)
from candy_trio.shared_dict.list_value import ListValue, free_some
from candy_trio.shared_dict.lua_number import lua_number, lua_sum
from candy_trio.shared_dict.weight import (
    ENTRY_OVERHEAD,
    LIST_OVERHEAD,
    NUMBER_WEIGHT,
    item_weight,
    value_weight,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_MISSING: tuple[None, None] = (None, None)
_STORED: Stored = (True, None, False)
_STORED_FORCIBLY: Stored = (True, None, True)


class SharedDict(SharedDictBackend):
    """A dictionary of at most ``size`` bytes; ``clock`` gives seconds and never goes back."""

    def __init__(self, name: str, size: int, clock: Callable[[], float]) -> None:
        self.name = name
        self._size = size
        self._used = 0
        self._mortal = 0
        self._clock = clock
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._most_entries = 0  # since the table was made
        self._dying: list[ListValue] = []  # long lists that were removed; no longer accounted for

    # ------------------------------------------------------------------ values
    def get(self, key: bytes) -> Found:
        now = self._reclaim() if self._mortal else NEVER
        entry = self._entries.get(key)
        if entry is None:
            return None, key_problem(key)
        self._entries.move_to_end(key)
        if entry.expires and entry.expires <= now:
            return _MISSING
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
        return value, entry.flags, entry.expires != NEVER and entry.expires <= self._clock()

    def set(self, key: bytes, value: Value | None, exptime: float = 0.0, flags: int = 0) -> Stored:
        if value is None:
            return self.delete(key)
        if self._mortal:
            self._reclaim()
        expires = self._deadline(exptime) if exptime else NEVER
        return self._store(key, value, expires, flags, evict=True)

    def safe_set(
        self, key: bytes, value: Value | None, exptime: float = 0.0, flags: int = 0
    ) -> Stored:
        if value is None:
            return self.delete(key)
        if self._mortal:
            self._reclaim()
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
        if self._find(key) is None:
            problem = key_problem(key)
            return (None, problem, False) if problem else (False, NOT_FOUND, False)
        return self._store(key, value, self._deadline(exptime), flags, evict=True)

    def delete(self, key: bytes) -> Stored:
        if self._mortal:
            self._reclaim()
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
        now = self._reclaim() if self._mortal else NEVER
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        if entry is not None and not (entry.expires and entry.expires <= now):
            old = entry.value
            if type(old) is int or type(old) is float:
                entry.value = new = lua_sum(old, value)
                return new, None, False
            number = lua_number(old) if numeric_strings and type(old) is bytes else None
            if number is None:
                return None, NOT_A_NUMBER, False
            new, deadline, flags = lua_sum(number, value), entry.expires, entry.flags
        elif problem := key_problem(key):
            return None, problem, False
        elif init is None:
            return None, NOT_FOUND, False
        else:
            new, deadline, flags = lua_sum(init, value), self._deadline(init_ttl), 0
        stored, error, forcible = self._store(key, new, deadline, flags, evict=True)
        return (new if stored else None), error, forcible

    # ------------------------------------------------------------------ lists
    def lpush(self, key: bytes, value: bytes | Number) -> tuple[int | None, bytes | None]:
        return self._push(key, value, left=True)

    def rpush(self, key: bytes, value: bytes | Number) -> tuple[int | None, bytes | None]:
        return self._push(key, value, left=False)

    def lpop(self, key: bytes) -> Popped:
        return self._pop(key, left=True)

    def rpop(self, key: bytes) -> Popped:
        return self._pop(key, left=False)

    def llen(self, key: bytes) -> tuple[int | None, bytes | None]:
        entry = self._find(key)
        if entry is None:
            problem = key_problem(key)
            return (None, problem) if problem else (0, None)
        if type(entry.value) is not ListValue:
            return None, NOT_A_LIST
        return len(entry.value), None

    # ------------------------------------------------------------------ times
    def ttl(self, key: bytes) -> tuple[float | None, bytes | None]:
        entry = self._entries.get(key)
        if entry is None:
            return None, key_problem(key) or NOT_FOUND
        if not entry.expires:
            return 0.0, None
        # Never 0, which would say that it never expires.
        left = entry.expires - self._clock()
        if left > 0:
            return max(round(left, 3), SHORTEST_EXPTIME), None
        return min(round(left, 3), -SHORTEST_EXPTIME), None

    def expire(self, key: bytes, exptime: float) -> tuple[bool | None, bytes | None]:
        entry = self._entries.get(key)
        if entry is None:
            return None, key_problem(key) or NOT_FOUND
        self._set_expires(entry, self._deadline(exptime))
        return True, None

    def flush_all(self) -> None:
        entries = self._entries
        for entry in dict.values(entries):  # in no order, which is five times as quick
            entry.expires = FLUSHED
        self._mortal = len(entries)
        if entries:
            self._remove(*next(iter(entries.items())))
        if self._mortal:
            self._reclaim()

    def flush_expired(self, maximum: int = 0) -> int:
        return self.flush_expired_of(self.all_keys(), maximum)

    def flush_expired_of(self, keys: Iterable[bytes], maximum: int = 0) -> int:
        now, count = self._clock(), 0
        for key in keys:
            entry = self._entries.get(key)
            if entry is not None and entry.expires and entry.expires <= now:
                self._remove(key, entry)
                count += 1
                if count == maximum:
                    break
        return count

    # ------------------------------------------------------------------ the whole
    def __len__(self) -> int:
        return len(self._entries)

    def get_keys(self, maximum: int = DEFAULT_MAX_KEYS) -> list[bytes]:
        return self.live_of(self._entries, maximum)

    def live_of(self, keys: Iterable[bytes], maximum: int = 0) -> list[bytes]:
        now = self._clock()
        entries = self._entries
        live = (
            key
            for key in keys
            if (entry := entries.get(key)) is not None
            and (not entry.expires or entry.expires > now)
        )
        return list(islice(live, maximum if maximum > 0 else None))

    def first_keys(self, count: int) -> list[bytes]:
        return list(islice(self._entries, count))

    def all_keys(self) -> list[bytes]:
        entries = self._entries
        return list(entries if len(entries) <= ORDERED else dict.keys(entries))

    def capacity(self) -> int:
        return self._size

    def free_space(self) -> int:
        return self._size - self._used

    # ------------------------------------------------------------------ inside
    def _find(self, key: bytes) -> Entry | None:
        """The live entry of a key, now the most recently used."""
        now = self._reclaim() if self._mortal else NEVER
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return None if entry.expires and entry.expires <= now else entry

    def _deadline(self, exptime: float) -> float:
        milliseconds = exptime * 1000
        if 1 <= milliseconds < LONGEST_EXPTIME:
            return self._clock() + int(milliseconds) / 1000
        return NEVER

    def _set_expires(self, entry: Entry, expires: float) -> None:
        self._mortal += (expires != NEVER) - (entry.expires != NEVER)
        entry.expires = expires

    def _add(
        self, key: bytes, value: Value | None, exptime: float, flags: int, *, evict: bool
    ) -> Stored:
        if value is None:
            return False, NIL_VALUE, False
        if self._find(key) is not None:
            return False, EXISTS, False
        return self._store(key, value, self._deadline(exptime), flags, evict=evict)

    def _store(
        self, key: bytes, value: Value, expires: float, flags: int, *, evict: bool
    ) -> Stored:
        kind = type(value)
        if kind is not bytes and kind is not int and kind is not float and kind is not bool:
            return None, BAD_VALUE, False
        weight = len(value) if type(value) is bytes else NUMBER_WEIGHT
        forcible = False
        entry = self._entries.get(key)
        if entry is None:
            if problem := key_problem(key):
                return None, problem, False
        else:
            used = self._used + weight - value_weight(entry.value)
            if used <= self._size:
                entry.value = value
                entry.flags = flags
                if expires or entry.expires:
                    self._set_expires(entry, expires)
                self._used = used
                self._entries.move_to_end(key)
                return _STORED
        cost = ENTRY_OVERHEAD + len(key) + weight
        extra = cost
        if entry is not None:
            if evict and cost <= self._size:
                # It stays until there is room: that may take several calls.
                self._entries.move_to_end(key)
                extra -= ENTRY_OVERHEAD + len(key) + value_weight(entry.value)
            else:
                self._remove(key, entry)
                entry = None
        if self._used + extra > self._size:
            forcible = evict and self._make_room(extra, hopeless=cost > self._size)
            if self._used + extra > self._size:
                if evict and cost <= self._size:
                    return None, AGAIN, forcible
                return False, NO_MEMORY, forcible
        if entry is not None and self._entries.get(key) is entry:
            self._remove(key, entry)
        self._insert(key, Entry(value, flags, expires), cost)
        return _STORED_FORCIBLY if forcible else _STORED

    def _push(
        self, key: bytes, item: bytes | Number, *, left: bool
    ) -> tuple[int | None, bytes | None]:
        kind = type(item)
        if kind is not bytes and kind is not int and kind is not float:
            return None, BAD_VALUE
        weight = cost = item_weight(item)
        entry = self._find(key)
        if entry is None:
            if problem := key_problem(key):
                return None, problem
            if (expired := self._entries.get(key)) is not None:
                self._remove(key, expired)
            cost += ENTRY_OVERHEAD + len(key) + LIST_OVERHEAD
        elif type(entry.value) is not ListValue:
            return None, NOT_A_LIST
        if self._used + cost > self._size:
            without_item = entry is None and self._used + cost - weight > self._size
            return (False if without_item else None), NO_MEMORY
        if entry is None:
            items = ListValue([], [])
            self._insert(key, Entry(items, 0, NEVER), cost)
        else:
            assert type(entry.value) is ListValue
            items = entry.value
            self._used += cost
            if self._dying:
                free_some(self._dying)
        items.push(item, left=left)
        items.weight += weight
        return len(items), None

    def _pop(self, key: bytes, *, left: bool) -> Popped:
        entry = self._find(key)
        if entry is None:
            return None, key_problem(key)
        items = entry.value
        if type(items) is not ListValue:
            return None, NOT_A_LIST
        item = items.pop(left=left)
        weight = item_weight(item)
        items.weight -= weight
        self._used -= weight
        if not len(items):
            self._remove(key, entry)
        return item, None

    def _insert(self, key: bytes, entry: Entry, cost: int) -> None:
        if self._dying:
            free_some(self._dying)
        self._entries[key] = entry
        self._used += cost
        if entry.expires:
            self._mortal += 1
        if len(self._entries) > self._most_entries:
            self._most_entries = len(self._entries)

    def _remove(self, key: bytes, entry: Entry) -> None:
        del self._entries[key]
        self._used -= ENTRY_OVERHEAD + len(key) + value_weight(entry.value)
        if entry.expires:
            self._mortal -= 1
        if type(entry.value) is ListValue and len(entry.value) > LONG_LIST:
            self._dying.append(entry.value)
        left = len(self._entries)
        if left * SHRINK_FACTOR < self._most_entries and self._most_entries >= SHRINK_FROM:
            self._entries = OrderedDict(self._entries)
            self._most_entries = left

    def _reclaim(self) -> float:
        """Remove what has expired at the front, up to two entries; returns the time. To be called
        while there are mortal entries."""
        now = self._clock()
        oldest = self._entries[next(iter(self._entries))]
        if oldest.expires and oldest.expires <= now:
            for key, entry in list(islice(self._entries.items(), RECLAIMED)):
                if not entry.expires or entry.expires > now:
                    break
                self._remove(key, entry)
        return now

    def _make_room(self, cost: int, *, hopeless: bool) -> bool:
        """Drop entries until ``cost`` bytes fit, it is clear that they can't, or it is enough for
        one call; returns whether any went."""
        dropped = False
        for _ in range(HOPELESS_EVICTIONS if hopeless else EVICTIONS):
            if not self._entries or self._used + cost <= self._size:
                break
            self._remove(*next(iter(self._entries.items())))
            dropped = True
            if self._mortal:
                self._reclaim()
        return dropped
