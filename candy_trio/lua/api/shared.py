"""What shared.lua asks of the server: the operations of each dictionary.

What goes through all entries of a large dictionary does so in pieces. The list of keys that it
works through is the run's in between, and goes with it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

from candy_trio.shared_dict.base import DEFAULT_MAX_KEYS, Counted, Number, SharedDictBackend

if TYPE_CHECKING:
    from candy_trio.lua.current import Current

_PIECE = 4096
"""Entries that a call deals with, at most: a millisecond or two."""

_OPERATIONS = (
    "get",
    "get_stale",
    "set",
    "safe_set",
    "add",
    "safe_add",
    "replace",
    "incr",
    "lpush",
    "rpush",
    "lpop",
    "rpop",
    "llen",
    "ttl",
    "expire",
    "flush_all",
    "capacity",
    "free_space",
)


def callbacks(shared: SharedDictBackend, current: Current) -> dict[str, Callable[..., Any]]:
    """The operations of one dictionary by name, for a table in Lua."""

    # Counts are integral, but on 5.3 and newer they may be floats all the same.
    numbers = count(1)

    def get_keys(maximum: float | None) -> bytes | None:
        """All that are asked for; None where it is to be asked for in pieces."""
        wanted = DEFAULT_MAX_KEYS if maximum is None else int(maximum)
        if len(shared) <= _PIECE:
            return _packed(shared.get_keys(wanted))
        if 0 < wanted <= _PIECE:
            keys = shared.live_of(shared.first_keys(_PIECE), wanted)
            if len(keys) == wanted:
                return _packed(keys)
        return None

    def flush_expired(maximum: float) -> int | None:
        """How many were removed; None as above."""
        return shared.flush_expired(int(maximum)) if len(shared) <= _PIECE else None

    def list_keys() -> int:
        number = next(numbers)
        current.run.key_lists[shared.name, number] = shared.all_keys()[::-1]
        return number

    def next_keys(number: int) -> list[bytes]:
        left = current.run.key_lists[shared.name, number]
        keys = left[: -_PIECE - 1 : -1]
        del left[-_PIECE:]
        if not left:
            del current.run.key_lists[shared.name, number]
        return keys

    def drop_keys(number: int) -> None:
        current.run.key_lists.pop((shared.name, number), None)

    def get_some_keys(number: int) -> tuple[bytes, bool]:
        """Those that live among the next of a list, and whether there are more of it."""
        keys = shared.live_of(next_keys(number))
        return _packed(keys), (shared.name, number) in current.run.key_lists

    def flush_some(number: int, maximum: float) -> tuple[int, bool]:
        """How many of the next of a list were removed, and whether there are more of it."""
        flushed = shared.flush_expired_of(next_keys(number), int(maximum))
        return flushed, (shared.name, number) in current.run.key_lists

    def incr_text(
        key: bytes, value: Number, init: Number | None = None, init_ttl: float = 0.0
    ) -> Counted:
        return shared.incr(key, value, init, init_ttl, True)

    operations = {name: getattr(shared, name) for name in _OPERATIONS}
    own: dict[str, Callable[..., Any]] = {
        "get_keys": get_keys,
        "flush_expired": flush_expired,
        "list_keys": list_keys,
        "drop_keys": drop_keys,
        "get_some_keys": get_some_keys,
        "flush_some": flush_some,
        "incr_text": incr_text,
    }
    return {**operations, **own}


def _packed(keys: list[bytes]) -> bytes:
    return b"".join([b"%d:%b" % (len(key), key) for key in keys])
