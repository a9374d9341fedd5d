"""The queue behind list keys."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from candy_trio.shared_dict.list_value import ListValue


@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), max_size=200),
    st.lists(st.booleans(), max_size=40),
)
def test_is_a_double_ended_queue(steps: list[tuple[bool, bool]], start: list[bool]) -> None:
    """Any sequence of pushes and pops at either end gives what a deque gives."""
    items, model = ListValue([], []), deque[int | float | bytes]()
    for number, (pop, left) in enumerate([*((False, left) for left in start), *steps]):
        if not pop:
            items.push(number, left=left)
            (model.appendleft if left else model.append)(number)
        elif model:
            assert items.pop(left=left) == (model.popleft() if left else model.pop())
        assert len(items) == len(model)


def test_as_a_queue_and_as_a_stack() -> None:
    """What goes in at one end comes out of the other in order, of the same in reverse."""
    items = ListValue([], [])
    for number in range(100):
        items.push(number, left=False)
    assert [items.pop(left=True) for _ in range(50)] == list(range(50))
    assert [items.pop(left=False) for _ in range(50)] == list(range(99, 49, -1))
