"""Conditional requests, apart from any script."""

from __future__ import annotations

import pytest

from candy_trio.http.conditional import conditions_of, evaluate, without_content

TAGGED = b'X-A: 1\r\nETag: "x"\r\n'


def dates(text: bytes) -> int | None:
    """Times written as digits."""
    return int(text) if text.isdigit() else None


def test_conditions_of() -> None:
    """The first of each name, in any spelling; other fields are none."""
    headers = [(b"Host", b"h"), (b"IF-match", b"a"), (b"If-Match", b"b"), (b"If-Range", b"c")]
    assert conditions_of(headers) == {b"if-match": b"a"}


@pytest.mark.parametrize(
    ("tags", "weak", "strong"),
    [
        (b"*", 304, 200),
        (b'"x"', 304, 200),
        (b'W/"x"', 304, 412),
        (b'"a", "x"', 304, 200),
        (b'"a,b" , \t"x"', 304, 200),
        (b'"x" ,"a"', 304, 200),
        (b'"x"y', 200, 412),
        (b'"xx"', 200, 412),
        (b'"a"', 200, 412),
        (b"", 200, 412),
        (b",,", 200, 412),
    ],
)
def test_tags(tags: bytes, weak: int, strong: int) -> None:
    """If-None-Match compares weakly, If-Match strongly."""
    assert evaluate({b"if-none-match": tags}, TAGGED, dates) == weak
    assert evaluate({b"if-match": tags}, TAGGED, dates) == strong


def test_a_weak_tag_of_the_response() -> None:
    """It matches weakly; strongly only as it is written."""
    lines = b'etag: W/"x"\r\n'
    assert evaluate({b"if-none-match": b'"x"'}, lines, dates) == 304
    assert evaluate({b"if-match": b'"x"'}, lines, dates) == 412


def test_without_a_tag() -> None:
    """Only a star matches what has none."""
    assert evaluate({b"if-none-match": b'"x"'}, b"", dates) == 200
    assert evaluate({b"if-match": b'"x"'}, b"", dates) == 412
    assert evaluate({b"if-match": b"*"}, b"", dates) == 200


@pytest.mark.parametrize(
    ("sent", "modified", "unmodified"),
    [(b"7", 304, 200), (b"8", 200, 200), (b"6", 200, 412), (b"no date", 200, 412)],
)
def test_times(sent: bytes, modified: int, unmodified: int) -> None:
    """If-Modified-Since is exact, If-Unmodified-Since is not."""
    lines = b"Last-Modified: 7\r\n"
    assert evaluate({b"if-modified-since": sent}, lines, dates) == modified
    assert evaluate({b"if-unmodified-since": sent}, lines, dates) == unmodified


def test_times_without_a_date() -> None:
    """What has no date was modified, and is never known not to have been."""
    for lines in (b"", b"Last-Modified: no date\r\n"):
        assert evaluate({b"if-modified-since": b"7"}, lines, dates) == 200
        assert evaluate({b"if-unmodified-since": b"7"}, lines, dates) == 412


def test_without_content() -> None:
    """Lines that describe a content go, whatever their spelling and place."""
    lines = b"content-TYPE: a\r\nX: 1\r\nContent-Encoding: b\r\nAccept-Ranges: c\r\nETag: d\r\n"
    assert without_content(lines) == b"X: 1\r\nETag: d\r\n"
