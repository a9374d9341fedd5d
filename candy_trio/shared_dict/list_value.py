"""A double-ended queue whose memory follows its length.

``collections.deque`` needs 700 bytes for a single item and keeps up to 8 KB of blocks after it
has shrunk: a dictionary of many short lists could take several times the size it accounts for.
Two plain lists, each growing and shrinking at its end, stay within a pointer or two per item,
and every operation is still constant time on average: a side that has run empty takes half of
the other one.
"""

from __future__ import annotations

from typing import final

import msgspec

BURIED = 1024
"""Items of a long list that was removed which each later store and push frees."""


# gc=False: it holds bytes and numbers only, so it can't be part of a cycle.
@final
class ListValue(msgspec.Struct, gc=False):
    """The value of a list key; ``weight`` is what its owner accounts for the items, in bytes."""

    head: list[bytes | int | float]  # reversed: the leftmost item is at its end
    tail: list[bytes | int | float]
    weight: int = 0

    def __len__(self) -> int:
        return len(self.head) + len(self.tail)

    def push(self, item: bytes | int | float, *, left: bool) -> None:
        (self.head if left else self.tail).append(item)

    def pop(self, *, left: bool) -> bytes | int | float:
        """Take an end's item; there must be one."""
        near, far = (self.head, self.tail) if left else (self.tail, self.head)
        if not near:
            half = (len(far) + 1) // 2
            near.extend(reversed(far[:half]))
            del far[:half]
        return near.pop()


def free_some(dying: list[ListValue]) -> None:
    """Free some of what long lists have left: all of a million items would take 40 ms."""
    items = dying[-1]
    for side in (items.head, items.tail):
        if side:
            del side[-BURIED:]
            return
    dying.pop()
