"""What shared.lua asks of the server: the operations of each dictionary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from candy_trio.shared_dict.base import Counted, Number, SharedDictBackend

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


def callbacks(shared: SharedDictBackend) -> dict[str, Callable[..., Any]]:
    """The operations of one dictionary by name, for a table in Lua."""

    # Counts are integral, but on 5.3 and newer they may be floats all the same.
    def get_keys(maximum: float | None) -> bytes:
        keys = shared.get_keys() if maximum is None else shared.get_keys(int(maximum))
        return b"".join(b"%d:%b" % (len(key), key) for key in keys)

    def flush_expired(maximum: float) -> int:
        return shared.flush_expired(int(maximum))

    def incr_text(
        key: bytes, value: Number, init: Number | None = None, init_ttl: float = 0.0
    ) -> Counted:
        return shared.incr(key, value, init, init_ttl, True)

    operations = {name: getattr(shared, name) for name in _OPERATIONS}
    own = {"get_keys": get_keys, "flush_expired": flush_expired, "incr_text": incr_text}
    return {**operations, **own}
