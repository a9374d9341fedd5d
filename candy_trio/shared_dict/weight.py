"""What an entry of a shared dictionary takes up, in bytes.

It is what CPython spends, not what was put in: a dictionary of size "10m" makes the process
10 MB bigger, not 40. Measured on 64-bit CPython with tracemalloc
(``tests/shared_dict/test_shared_dict_memory.py``).
"""

from __future__ import annotations

from candy_trio.shared_dict.list_value import ListValue

ENTRY_OVERHEAD = 116 + 48 + 41 + 41 + 32 + 32
"""116: a node of the OrderedDict and its share of the table just after that has grown;
48: the entry; 41 each for key and value: header of a bytes object and rounding to 16;
32 each for the time of expiry and for flags that are not small integers."""

NUMBER_WEIGHT = 8
"""A number or boolean beyond the header that ENTRY_OVERHEAD counts."""

LIST_OVERHEAD = 48 + 32 + 64 + 64 + 32 - 41
"""A ListValue without items: itself, its weight, its two lists and the first slots of one, less
the header of a value that ENTRY_OVERHEAD counts."""

LIST_ITEM_OVERHEAD = 57
"""A list item beside its own bytes: header and rounding (41), its slot in a list that may be
half empty (16)."""


def value_weight(value: bytes | int | float | bool | ListValue) -> int:
    if type(value) is bytes:
        return len(value)
    if type(value) is ListValue:
        return LIST_OVERHEAD + value.weight
    return NUMBER_WEIGHT


def item_weight(item: bytes | int | float) -> int:
    return LIST_ITEM_OVERHEAD + (len(item) if type(item) is bytes else NUMBER_WEIGHT)
