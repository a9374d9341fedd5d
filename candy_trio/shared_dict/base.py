"""What every back-end of ``cd.shared.NAME`` offers: lua-nginx-module's ``ngx.shared.DICT``.

Rules of this interface:

- Synchronous, and it never raises: the methods are called from Lua through callbacks.
- Only bytes, int, float, bool and None cross it (``get_keys`` alone gives a list of bytes), so
  errors are bytes too; they are OpenResty's texts.
- Results are tuples of a fixed shape, so that the Lua half never has to look at a type. Where
  a value and an error share a place, the value is never None, and an error is always told
  apart by the first item being None or False.
- Number arguments are numbers: the Lua half has seen to that.

Times are seconds, cut to milliseconds; 0, and as in nginx all below a millisecond and what is
too large for 64 bits of them, means "never expires". An entry has expired when its time is
reached. It is then missing for every operation but ``get_stale``, ``ttl`` and ``expire``.

Entries are in order of use: every operation on a key makes its entry the most recently used,
even one that has expired, but for ``ttl`` and ``expire``. Before it does so it removes up to two
entries that have expired at the other end; ``get_stale``, ``ttl``, ``expire`` and ``get_keys``
remove none. Scripts see both through ``get_stale`` and ``flush_expired``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TypeAlias

Number: TypeAlias = int | float
Value: TypeAlias = bytes | int | float | bool

EMPTY_KEY = b"empty key"
KEY_TOO_LONG = b"key too long"
BAD_VALUE = b"bad value type"
NIL_VALUE = b"attempt to add or replace nil values"
EXISTS = b"exists"
NOT_FOUND = b"not found"
NOT_A_NUMBER = b"not a number"
NOT_A_LIST = b"value not a list"
IS_A_LIST = b"value is a list"
NO_MEMORY = b"no memory"
AGAIN = b"again"
"""Not for scripts: enough for one call. Whoever stores calls again until it is done."""

MAX_KEY_LENGTH = 65_535
"""Bytes; nginx keeps the length of a key in 16 bits, and scripts see its error."""

DEFAULT_MAX_KEYS = 1024
"""What ``get_keys`` returns at most unless told otherwise (OpenResty's default)."""

Found: TypeAlias = tuple[Value, int] | tuple[None, bytes | None]
"""(value, flags), or (None, None): nothing there, or (None, error)."""

FoundStale: TypeAlias = tuple[Value, int, bool] | tuple[None, bytes | None, bool]
"""As :data:`Found`, then whether the value has expired."""

Stored: TypeAlias = tuple[bool | None, bytes | None, bool]
"""(True, None, forcible), (False, error, forcible), or for a bad key or value (None, error,
False). ``forcible``: entries were dropped to make room, whether they lived or not. (None, AGAIN,
forcible): so far; nothing is stored yet, and what was there is there still."""

Counted: TypeAlias = tuple[Number | None, bytes | None, bool]
"""(new value, None, forcible) or (None, error, forcible)."""

Popped: TypeAlias = tuple[bytes | Number | None, bytes | None]
"""(value, None), or (None, None): nothing there, or (None, error)."""


def key_problem(key: bytes) -> bytes | None:
    """Why ``key`` can't be one, if so."""
    if not key:
        return EMPTY_KEY
    if len(key) > MAX_KEY_LENGTH:
        return KEY_TOO_LONG
    return None


class SharedDictBackend(ABC):
    """One named dictionary, shared by every script of the server."""

    name: str

    @abstractmethod
    def get(self, key: bytes) -> Found:
        """The live value of ``key``; errors: "value is a list"."""

    @abstractmethod
    def get_stale(self, key: bytes) -> FoundStale:
        """As :meth:`get`, but an expired value that is still there counts, too."""

    @abstractmethod
    def set(self, key: bytes, value: Value | None, exptime: float = 0.0, flags: int = 0) -> Stored:
        """Store ``value`` whatever was there; None deletes. Where there is no room the least
        recently used entries go. A value larger than the dictionary is "no memory", which takes
        up to 30 of them all the same and leaves the key absent, as in nginx: what it was to
        supersede is outdated."""

    @abstractmethod
    def safe_set(
        self, key: bytes, value: Value | None, exptime: float = 0.0, flags: int = 0
    ) -> Stored:
        """As :meth:`set`, but "no memory" rather than dropping another entry."""

    @abstractmethod
    def add(self, key: bytes, value: Value | None, exptime: float = 0.0, flags: int = 0) -> Stored:
        """Store only where nothing lives: else "exists"."""

    @abstractmethod
    def safe_add(
        self, key: bytes, value: Value | None, exptime: float = 0.0, flags: int = 0
    ) -> Stored:
        """As :meth:`add`, but "no memory" rather than dropping another entry."""

    @abstractmethod
    def replace(
        self, key: bytes, value: Value | None, exptime: float = 0.0, flags: int = 0
    ) -> Stored:
        """Store only where something lives: else "not found"."""

    @abstractmethod
    def delete(self, key: bytes) -> Stored:
        """Remove ``key`` if it is there; true either way."""

    @abstractmethod
    def incr(
        self,
        key: bytes,
        value: Number,
        init: Number | None = None,
        init_ttl: float = 0.0,
        numeric_strings: bool = False,
    ) -> Counted:
        """Add ``value``; a live entry keeps its flags and time. Where nothing lives: store
        ``init + value`` for ``init_ttl`` seconds, or without ``init`` "not found". Anything
        but a number is "not a number", except that ``numeric_strings`` (Candy's view) adds to
        a string that reads as a Lua number. Integers stay integers, but one that would leave
        64 bits becomes a float, as every number is in nginx."""

    @abstractmethod
    def lpush(self, key: bytes, value: bytes | Number) -> tuple[int | None, bytes | None]:
        """Put ``value`` at the head of the list (made if absent): (length, None) or (None,
        error). Lists never drop other entries: "no memory" instead, with False for None where
        not even an empty list finds room (as nginx)."""

    @abstractmethod
    def rpush(self, key: bytes, value: bytes | Number) -> tuple[int | None, bytes | None]:
        """As :meth:`lpush`, at the tail."""

    @abstractmethod
    def lpop(self, key: bytes) -> Popped:
        """Take the head of the list; taking the last item removes the key."""

    @abstractmethod
    def rpop(self, key: bytes) -> Popped:
        """As :meth:`lpop`, the tail."""

    @abstractmethod
    def llen(self, key: bytes) -> tuple[int | None, bytes | None]:
        """(length, None), 0 where nothing lives, or (None, error)."""

    @abstractmethod
    def ttl(self, key: bytes) -> tuple[float | None, bytes | None]:
        """(seconds left, None), 0 for an entry that never expires, less for one that has expired
        but is still there; (None, "not found")."""

    @abstractmethod
    def expire(self, key: bytes, exptime: float) -> tuple[bool | None, bytes | None]:
        """Give an entry that is there, expired or not, ``exptime`` seconds from now (a negative
        one: for ever): (True, None) or (None, "not found")."""

    @abstractmethod
    def flush_all(self) -> None:
        """Mark every entry as expired and remove the three least recently used; the room of the
        others is taken back later."""

    @abstractmethod
    def flush_expired(self, maximum: int = 0) -> int:
        """Remove expired entries, the least recently used first, at most ``maximum`` of them
        (0: all); returns how many."""

    @abstractmethod
    def get_keys(self, maximum: int = DEFAULT_MAX_KEYS) -> list[bytes]:
        """The keys of live entries, least recently used first, at most ``maximum`` (0: all)."""

    # What goes through all entries is asked for in pieces of a list of their keys: others use the
    # dictionary in between.
    @abstractmethod
    def __len__(self) -> int:
        """How many entries there are, expired ones included."""

    @abstractmethod
    def first_keys(self, count: int) -> list[bytes]:
        """Keys of that many entries, expired or not, least recently used first."""

    @abstractmethod
    def all_keys(self) -> list[bytes]:
        """The keys of all; where there are very many in no order."""

    @abstractmethod
    def live_of(self, keys: Iterable[bytes], maximum: int = 0) -> list[bytes]:
        """Those of ``keys`` whose entries live, at most ``maximum`` (0: all)."""

    @abstractmethod
    def flush_expired_of(self, keys: Iterable[bytes], maximum: int = 0) -> int:
        """As :meth:`flush_expired`, of these keys only."""

    @abstractmethod
    def capacity(self) -> int:
        """The configured size in bytes."""

    @abstractmethod
    def free_space(self) -> int:
        """Bytes not yet accounted for (an expired entry counts until it is removed)."""
