"""Escapes, arguments and base64 of random bytes, on nginx and here."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from support.nginx import RANDOM, Peers, batches, pack

# What escapes are made of comes up often enough to be put together, the rest now and then.
ESCAPES = st.lists(
    st.one_of(
        st.sampled_from([b"%", b"+", b"&", b"=", b";", b"%2", b"%zz", b"%41", b"%c3%A9", b"%00"]),
        st.binary(min_size=1, max_size=4),
        st.sampled_from([b"a", b"key", b" ", b"/", b"?", b"#", "é".encode(), b"~", b"'", b'"']),
    ),
    max_size=12,
).map(b"".join)
BASE64 = st.one_of(
    st.text("ABCxyz019+/=-_ \r\n!", max_size=24).map(str.encode),
    st.binary(max_size=24),
)
LIMITS = st.sampled_from(["", "", "-1", "0", "1", "2", "3", "5", "2.5"]).map(str.encode)
KEYS = st.one_of(st.sampled_from([b"a", b"b", b"", b"a b"]), ESCAPES)
# With the 14 digits that Lua writes: nginx's LuaJIT rounds a final 5 up, newer ones to even.
NUMBERS = st.one_of(
    st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False)
).map(lambda number: float(f"{number:.14g}"))
VALUES = st.one_of(
    ESCAPES.map(lambda text: b"s" + text),
    NUMBERS.map(lambda number: b"n" + repr(number).encode()),
    st.sampled_from([b"btrue", b"bfalse"]),
    st.just(b"0"),
)
ITEMS = st.one_of(
    VALUES.map(lambda value: [b"one", value]),
    st.lists(VALUES, max_size=4).map(lambda values: [str(len(values)).encode(), *values]),
)


def packed(args: dict[bytes, list[bytes]]) -> bytes:
    """``args`` for the script. A key that has to be escaped but isn't written, for its value is
    false or an empty list, is left out: nginx's Lua module counts its bytes and raises "buffer
    error"."""
    parts: list[bytes] = []
    for key, (count, *values) in args.items():
        if re.fullmatch(rb"[\w.~-]*", key) or any(value != b"bfalse" for value in values):
            parts += [key, count, *values]
    return pack(parts)


ARGS = st.dictionaries(KEYS, ITEMS, max_size=4).map(packed)


@RANDOM
@given(batches(ESCAPES))
def test_escapes(peers: Peers, batch: list[bytes]) -> None:
    """Each type of escape_uri, and unescape_uri, of any bytes."""
    peers.compare("escape", batch)


@RANDOM
@given(batches(BASE64))
def test_base64(peers: Peers, batch: list[bytes]) -> None:
    """Encoding with and without padding, strict decoding and the MIME one."""
    peers.compare("base64", batch)


@RANDOM
@given(batches(st.tuples(ESCAPES, LIMITS).map(pack)))
def test_decode_args(peers: Peers, batch: list[bytes]) -> None:
    """The table and "truncated", for any text and limit."""
    peers.compare("decode_args", batch)


@RANDOM
@given(batches(ARGS))
def test_encode_args(peers: Peers, batch: list[bytes]) -> None:
    """Lists, numbers, booleans and what is refused; and the result decodes alike."""
    peers.compare("encode_args", batch)
