"""cjson against lua-cjson: random documents, random texts, random keys."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from support.nginx import RANDOM, Peers, batches, pack

STRINGS = st.text(
    st.one_of(st.sampled_from('"\\/\b\f\n\r\t\0\x1f\x7f aé€😀'), st.characters(codec="utf-8")),
    max_size=8,
)
# 5.4 writes an integer in full, LuaJIT with 14 digits: those of up to 14 are the same on both.
NUMBERS = st.one_of(
    st.integers(-(10**14) + 1, 10**14 - 1),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda n: not n.is_integer()),
    st.sampled_from([0.0, -0.0, 1e300, -1e-300]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, STRINGS)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(STRINGS, inner, max_size=4)
    ),
    max_leaves=8,
)
LAYOUTS = st.sampled_from(
    [
        {"separators": (",", ":")},
        {"separators": (" ,\t", "\r\n: ")},
        {"indent": 2},
        {"indent": 1, "ensure_ascii": False},
    ]
)
DOCUMENTS = st.builds(lambda value, layout: json.dumps(value, **layout).encode(), VALUES, LAYOUTS)

PIECES = [
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b" ", b"\n", b"\t", b"\r", b"\v", b"\0"),
    *(b"true", b"false", b"null", b"nul", b"True", b"nan", b"NaN", b"inf", b"-Infinity", b"nan("),
    *(b"0", b"1", b"-", b"+", b".", b"e", b"E", b"x", b"0x", b"0X1f", b"p", b"01", b"1e400", b"1e"),
    *(b"\\u", b"\\u0041", b"\\ud83d", b"\\ude00", b"\\u0000", b"\\u005c", b"\\/", b"\\n", b"\\x"),
    *(b'"a"', b'"b":', b"/", b"//", b"/* */", b"'", b"\x7f", b"\xff", b"12345678901234567890"),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A document with some bytes taken out and some pieces put in."""
    text = draw(DOCUMENTS)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        piece = draw(st.sampled_from(PIECES)) if draw(st.booleans()) else b""
        text = text[:at] + piece + text[at + draw(st.integers(0, 2)) :]
    return text


TEXTS = st.one_of(mutated(), st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join))

KEYS = st.one_of(
    st.integers(1, 12).map(lambda n: b"#%d" % n),
    st.integers(1, 60).map(lambda n: b"#%d" % n),
    st.sampled_from([b"#0", b"#-1", b"#1.5", b"#-2.5", b"a", b"z", b"/", b""]),
)
SHAPES = st.builds(
    lambda convert, ratio, safe, keys: pack([convert, b"%d" % ratio, b"%d" % safe, *keys]),
    st.sampled_from([b"on", b"off"]),
    st.integers(0, 4),
    st.integers(0, 12),
    st.lists(KEYS, max_size=10, unique=True),
)


@RANDOM
@example([b"[100000000000000.12, 1e-310]"])
@given(batches(DOCUMENTS))
def test_documents_are_read_and_written(peers: Peers, batch: list[bytes]) -> None:
    """The values, the bytes that are written again, and the values of those."""
    peers.compare("json_encode", batch)


@RANDOM
@given(batches(TEXTS))
def test_texts_mean_the_same_or_are_wrong_in_the_same_words(
    peers: Peers, batch: list[bytes]
) -> None:
    """The value, or the message with its place."""
    peers.compare("json_decode", batch)


@RANDOM
@given(batches(SHAPES))
def test_tables_are_arrays_objects_or_problems(peers: Peers, batch: list[bytes]) -> None:
    """By their keys and the options for sparse arrays."""
    peers.compare("json_shape", batch)


def test_texts_of_both_kinds_come_up(peers: Peers) -> None:
    """What the tests above compare: values as well as messages with a place."""
    right, wrong = peers.compare("json_decode", [b'{"a":[1,null,"x"]}', b"[1,]"])
    assert right == b"{s1:a,={n1=n1 n2=null n3=s1:x,}}"
    assert wrong == b"raised Expected value but found T_ARR_END at character 4"
