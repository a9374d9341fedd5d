"""Normalising request paths."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from candy_trio.errors import ProtocolError
from candy_trio.routing.paths import normalize_path


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        # Already normal.
        (b"/", b"/"),
        (b"/a", b"/a"),
        (b"/a/", b"/a/"),
        (b"/a/b.c/d", b"/a/b.c/d"),
        (b"/a?b", b"/a?b"),
        (b"/\xff\x01", b"/\xff\x01"),
        # Slashes.
        (b"//", b"/"),
        (b"//a///b//", b"/a/b/"),
        # Dots.
        (b"/.", b"/"),
        (b"/a/.", b"/a/"),
        (b"/./a", b"/a"),
        (b"/a/./b", b"/a/b"),
        (b"/a/..", b"/"),
        (b"/a/../", b"/"),
        (b"/a/b/..", b"/a/"),
        (b"/a/b/../c", b"/a/c"),
        (b"/a//../b", b"/b"),
        (b"/a/.//../b", b"/b"),
        (b"/...", b"/..."),
        (b"/.a/..b/c..", b"/.a/..b/c.."),
        # Encoding.
        (b"/%61%2Fb", b"/a/b"),
        (b"/a%2f%2fb", b"/a/b"),
        (b"/a/%2e%2E/b", b"/b"),
        (b"/a/.%2e", b"/"),
        (b"/%25", b"/%"),
        (b"/%252e%252e/a", b"/%2e%2e/a"),
        (b"/a%3Fb%23c", b"/a?b#c"),
        (b"/a+b%20c", b"/a+b c"),
        (b"/%C3%a9%ff", b"/\xc3\xa9\xff"),
        (b"/a%0a", b"/a\n"),
        # Fragments.
        (b"/a#b", b"/a"),
        (b"/a/..#/../..", b"/"),
        (b"/a#%zz", b"/a"),
    ],
)
def test_a_path_is_normalised_as_nginx_does(raw: bytes, path: bytes) -> None:
    """Decoded once, slashes merged, dots resolved."""
    assert normalize_path(raw) == path


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"/..", "leaves the root"),
        (b"/../a", "leaves the root"),
        (b"/a/../..", "leaves the root"),
        (b"/a/../../b", "leaves the root"),
        (b"/%2e%2e/etc", "leaves the root"),
        (b"//..", "leaves the root"),
        (b"/./..", "leaves the root"),
        (b"/..#", "leaves the root"),
        (b"/a%00", "NUL"),
        (b"/a\0", "NUL"),
        (b"/%", "percent"),
        (b"/%4", "percent"),
        (b"/%4/", "percent"),
        (b"/%zz", "percent"),
        (b"/% 1", "percent"),
        (b"/%+1", "percent"),
        (b"", "slash"),
        (b"a", "slash"),
        (b"*", "slash"),
        (b"#/a", "slash"),
        (b"%61", "slash"),
        (b"../a", "slash"),
    ],
)
def test_a_path_that_nginx_refuses_is_a_400(raw: bytes, reason: str) -> None:
    """Climbing out, NUL, broken encodings and relative paths are refused, never mended."""
    with pytest.raises(ProtocolError, match=reason) as caught:
        normalize_path(raw)
    assert caught.value.status == 400


_PATHS = st.lists(
    st.sampled_from([b"/", b".", b"..", b"%2e", b"%2F", b"%25", b"%", b"a", b"\xe9", b"#", b"%00"])
    | st.binary(max_size=2),
    max_size=12,
).map(lambda parts: b"/" + b"".join(parts))


def encoded(path: bytes) -> bytes:
    """Write a normal path as a client would send it."""
    return re.sub(rb"[%#?\0]", lambda found: b"%%%02X" % found[0][0], path)


@given(_PATHS)
@example(b"/a/%2e%2e/..")
def test_a_normal_path_never_leaves_the_root_and_stays_as_it_is(raw: bytes) -> None:
    """Whatever comes in is refused or has no empty, ``.`` or ``..`` segment, and is a fixpoint."""
    try:
        path = normalize_path(raw)
    except ProtocolError:
        return
    assert path.startswith(b"/")
    *folders, last = path.split(b"/")[1:]
    assert not {b"", b".", b".."} & set(folders)
    assert last not in (b".", b"..")
    assert b"\0" not in path
    assert normalize_path(encoded(path)) == path


def by_steps(raw: bytes) -> bytes | None:
    """Normalise one byte at a time, as nginx's state machine does; None is a 400."""
    out = bytearray()
    rest = raw.partition(b"#")[0]
    decoded = bytearray()
    while rest:
        size = 1
        if rest[:1] == b"%":
            if not re.fullmatch(rb"%[0-9A-Fa-f]{2}", rest[:3]):
                return None
            size = 3
        decoded += bytes.fromhex(rest[1:3].decode()) if size == 3 else rest[:1]
        rest = rest[size:]
    if not decoded.startswith(b"/") or b"\0" in decoded:
        return None
    for byte in [*decoded, None]:  # None: the end, which closes a segment as a slash does
        if byte is None or byte == ord("/"):
            if out.endswith(b"/.."):
                del out[-3:]
                if b"/" not in out:
                    return None
                del out[out.rindex(b"/") + 1 :]
            elif out.endswith(b"/."):
                del out[-1:]
            elif byte is not None and not out.endswith(b"/"):
                out.append(byte)
        else:
            out.append(byte)
    return bytes(out)


@given(_PATHS)
def test_it_agrees_with_a_byte_by_byte_machine(raw: bytes) -> None:
    """Splitting at slashes gives what walking the bytes gives."""
    try:
        path: bytes | None = normalize_path(raw)
    except ProtocolError:
        path = None
    assert path == by_steps(raw)
