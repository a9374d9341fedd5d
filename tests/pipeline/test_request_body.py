"""Request bodies: in memory, in files, replaced, limited, cleaned up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.site import one_route, open_site

from candy_trio.errors import ProtocolError
from candy_trio.http.body import RequestBody


class Pieces:
    """A source that says how often it was asked."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.asked = 0

    def body_arrived(self) -> bytes | None:
        self.asked += 1
        return self.pieces.pop(0) if self.pieces else None

    async def await_body(self) -> None:
        """What was b"" has to be waited for."""


def contents(path: str) -> bytes:
    return Path(path).read_bytes()


def exists(path: str | Path) -> bool:
    return os.path.exists(path)


def make(source: Pieces | None, max_size: int = 100, buffer_size: int = 10) -> RequestBody:
    return RequestBody(source, max_size=max_size, buffer_size=buffer_size)


async def test_small_body_stays_in_memory() -> None:
    """Up to the buffer size there is data and no file; reading twice reads once."""
    source = Pieces(b"12345", b"67890")
    body = make(source)
    assert (body.state, body.data) == ("unread", None)
    await body.read()
    asked = source.asked
    await body.read()
    assert source.asked == asked
    assert (body.state, body.data, body.path, body.size) == ("read", b"1234567890", None, 10)


async def test_large_body_goes_to_a_file_and_goes_with_it() -> None:
    """Above the buffer size there is a file and no data; close removes it, twice is harmless."""
    body = make(Pieces(b"12345", b"67890", b"x", bytes(range(64))))
    await body.read()
    assert body.data is None
    assert body.path is not None
    path = body.path
    assert contents(path) == b"1234567890x" + bytes(range(64))
    body.close()
    body.close()
    assert not exists(path)


async def test_request_without_a_body() -> None:
    """Reading what is not there gives nothing."""
    body = make(None)
    await body.read()
    assert (body.state, body.data, body.path) == ("read", None, None)


async def test_empty_body_is_no_bytes() -> None:
    """A chunked body without chunks is there, unlike one that was not sent."""
    body = make(Pieces())
    await body.read()
    assert body.data == b""


@pytest.mark.parametrize(("limit", "kept"), [(0, b""), (3, b"abc"), (4, b"abcd"), (9, b"abcdef")])
async def test_what_is_kept_at_most(limit: int, kept: bytes) -> None:
    """What comes behind the limit is read, counted and dropped."""
    body = make(Pieces(b"abc", b"def"))
    body.limit = limit
    await body.read()
    assert (body.data, body.path, body.size) == (kept, None, 6)


async def test_what_is_kept_at_most_in_a_file() -> None:
    """The buffer is for what is kept."""
    pieces = [b"x" * 40, b"y" * 40]
    body = make(Pieces(*pieces))
    body.buffer_size, body.limit = 50, 60
    await body.read()
    assert body.path is not None
    assert contents(body.path) == b"x" * 40 + b"y" * 20
    body.close()


async def test_appending_makes_a_file_and_fills_it() -> None:
    """The first piece makes it; closing removes it."""
    body = make(None)
    path = body.append_to_file(b"one ")
    assert body.append_to_file(b"two") == path == body.path
    assert contents(path) == b"one two"
    assert body.data is None
    body.close()
    assert not exists(path)


@pytest.mark.parametrize("pieces", [(b"x" * 101,), (b"x" * 60, b"x" * 41)])
async def test_limit(pieces: tuple[bytes, ...]) -> None:
    """One byte too many is 413, and the file that had been begun goes at the end."""
    body = make(Pieces(*pieces))
    with pytest.raises(ProtocolError) as caught:
        await body.read()
    assert caught.value.status == 413
    path = body.path
    body.close()
    assert path is None or not exists(path)


async def test_no_limit() -> None:
    """0 means any size, as nginx's client_max_body_size."""
    body = make(Pieces(b"x" * 1000), max_size=0)
    await body.read()
    assert body.size == 1000
    body.close()


async def test_discard() -> None:
    """What is discarded is taken from the connection and gone; a later read gives nothing."""
    source = Pieces(b"abc", b"def")
    body = make(source)
    await body.discard()
    assert source.pieces == []
    await body.read()
    assert (body.state, body.data) == ("discarded", None)


async def test_discard_after_reading_removes_the_file() -> None:
    """A body that was read can be thrown away early."""
    body = make(Pieces(b"x" * 50))
    await body.read()
    assert body.path is not None
    path = body.path
    await body.discard()
    assert not exists(path)


@pytest.mark.parametrize("auto_clean", [True, False])
async def test_replaced_by_a_file(tmp_path: Path, auto_clean: bool) -> None:
    """A file put in the body's place is removed with the request only if that was asked for."""
    body = make(Pieces(b"x" * 50))
    await body.read()
    assert body.path is not None
    own = body.path
    other = tmp_path / "other"
    other.write_bytes(b"other")
    body.replace(None, str(other), auto_clean)
    assert not exists(own)
    assert body.path == str(other)
    body.close()
    assert exists(other) != auto_clean


async def test_replaced_by_data() -> None:
    """Data put in the body's place is what is there."""
    body = make(Pieces(b"abc"))
    await body.read()
    body.replace(b"new", None, auto_clean=False)
    assert (body.data, body.path) == (b"new", None)


async def test_a_script_is_told_when_its_body_finds_no_room_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it had appended is not taken for gone into a file."""

    def full(_body: RequestBody, _data: bytes) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RequestBody, "append_to_file", full)
    script = """
    ngx.req.read_body()
    ngx.req.init_body(4)
    ngx.req.append_body("abc")
    cd.say(pcall(ngx.req.append_body, "def"))
    cd.say(ngx.req.get_body_file(), " ", ngx.req.get_body_data())
    """
    async with open_site(tmp_path, one_route("lua54"), {"t.lua": script}) as site:
        assert (await site.request()).text == "falseinternal error\nnil abcdef\n"
        assert "No space left on device" in site.log()
