"""An entry of :mod:`candy_trio.shared_dict.memory`, and its numbers: nginx's, and how much one call
does."""

from __future__ import annotations

import msgspec

from candy_trio.shared_dict.base import Value
from candy_trio.shared_dict.list_value import ListValue

RECLAIMED = 2
"""Expired entries that an operation removes at most on its way (nginx's number)."""

EVICTIONS = 2048
"""Entries that one call drops at most, a millisecond or two: then it answers "again"."""

LONG_LIST = 8192
"""Items; a list of fewer is freed at once."""

ORDERED = 65_536
"""Entries of which there is a list in order of use; of more it takes too long, and they are listed
as they came."""

HOPELESS_EVICTIONS = 30
"""Entries that go for a value larger than the dictionary before the answer is "no memory". It is
nginx's number, and scripts see "forcible"; what can fit takes the room that it needs."""

SHRINK_FACTOR = 8
"""When this many times fewer entries are left than there were, the table is made anew: Python
never shrinks one by itself, and a table of tiny entries can be a third of the size."""

SHRINK_FROM = 1024
"""Entries; the table of fewer (120 KB) is not worth the copy."""

NEVER = 0.0
FLUSHED = -1e9
"""Before every time of a clock, and a number that ttl can show (nginx has its epoch here)."""

SHORTEST_EXPTIME = 0.001  # seconds; nginx counts milliseconds, and 0 of them is "never"
LONGEST_EXPTIME = 2.0**63  # milliseconds; nginx's integer holds no more, and makes it "never"


# gc=False: no cycle can pass through an entry, and the collector would have to visit every
# one of them (10 ms per full collection and 100,000 entries).
class Entry(msgspec.Struct, gc=False):
    value: Value | ListValue
    flags: int
    expires: float  # by the dictionary's clock; NEVER or FLUSHED
