"""nginx's location rules."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candy_trio.config.location import parse_location
from candy_trio.config.schema import Host, Location, Redirect, Route
from candy_trio.errors import RequestError
from candy_trio.routing.locations import HostRoutes, Match

MakeHost = Callable[..., Host]


def target(match: Match | None) -> str | None:
    """The location of the route that was found."""
    if match is None:
        return None
    assert isinstance(match.route.content, Redirect)
    return match.route.content.to


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("/", Location("", "/")),
        ("/a b", Location("", "/a b")),
        ("= /a", Location("=", "/a")),
        ("=/a", Location("=", "/a")),
        ("^~ /a/", Location("^~", "/a/")),
        ("~ \\.php$", Location("~", "\\.php$")),
        ("~* \\.php$", Location("~*", "\\.php$")),
        ("~\t ^/a ", Location("~", "^/a")),
        ("@a-b.c_1", Location("@", "a-b.c_1")),
    ],
)
def test_a_location_is_read_as_in_nginx(text: str, location: Location) -> None:
    """A modifier, white space or none, and the pattern."""
    assert parse_location(text) == location


@pytest.mark.parametrize("text", ["", " /a", "a", "=", "= a", "^~", "~", "~* ", "@", "@a b", "~ ["])
def test_what_is_no_location_is_a_value_error(text: str) -> None:
    """The message is for a person, so it is the caller's to place."""
    with pytest.raises(ValueError, match=r"expected|bad regular expression"):
        parse_location(text)


# From nginx's documentation of the location directive, and one case for each rule.
DOCUMENTED = ("= /", "/", "/documents/", "^~ /images/", "~* \\.(gif|jpg|jpeg)$")


@pytest.mark.parametrize(
    ("locations", "uri", "found"),
    [
        (DOCUMENTED, b"/", "= /"),
        (DOCUMENTED, b"/index.html", "/"),
        (DOCUMENTED, b"/documents/document.html", "/documents/"),
        (DOCUMENTED, b"/images/1.gif", "^~ /images/"),
        (DOCUMENTED, b"/documents/1.jpg", "~* \\.(gif|jpg|jpeg)$"),
        # Exact beats everything, and is exact.
        (("/a", "= /a", "~ /a"), b"/a", "= /a"),
        (("/a", "= /a"), b"/a/", "/a"),
        (("= /a",), b"/ab", None),
        (("= /a",), b"/A", None),
        # Prefixes: the longest, of bytes and not of segments, with case.
        (("/", "/a", "/a/b"), b"/a/b/c", "/a/b"),
        (("/a/b", "/", "/a"), b"/a/c", "/a"),
        (("/a",), b"/abc", "/a"),
        (("/a/",), b"/a", None),
        (("/a",), b"/A", None),
        (("/é",), "/e/é".encode(), None),
        (("/é",), "/é/".encode(), "/é"),
        # The greatest prefix below the URI may be no prefix of it.
        (("/", "/a", "/aa/x", "/ab"), b"/aa/y", "/a"),
        (("/a", "/a/b/c", "/a/b/c/d"), b"/a/b/x", "/a"),
        (("/a/b",), b"/", None),
        # ^~ counts only where it is the longest.
        (("^~ /a", "~ x"), b"/a/x", "^~ /a"),
        (("^~ /a", "/a/x", "~ x$"), b"/a/x", "~ x$"),
        (("/a", "^~ /a/x", "~ x$"), b"/a/x", "^~ /a/x"),
        # Regular expressions: first in the file, anywhere in the URI, before a plain prefix.
        (("~ b", "~ a", "/"), b"/ab", "~ b"),
        (("~ a", "~ b", "/"), b"/ab", "~ a"),
        (("/ab/c", "~ ^/ab"), b"/ab/c", "~ ^/ab"),
        (("~ ^/A$",), b"/a", None),
        (("~* ^/A$",), b"/a", "~* ^/A$"),
        (("~ ^/x", "/"), b"/a", "/"),
        (("~ ^/\\xe9$",), b"/\xe9", "~ ^/\\xe9$"),
        (("~ a$", "/"), b"/a\nb", "/"),
        (("~ (?<!x)y(?=z)",), b"/yz", "~ (?<!x)y(?=z)"),
        # Names take no part.
        (("@a",), b"@a", None),
        ((), b"/", None),
    ],
)
def test_locations_are_tried_in_nginx_order(
    make_host: MakeHost, locations: tuple[str, ...], uri: bytes, found: str | None
) -> None:
    """Exact, longest prefix, regular expressions, with ``^~`` in between."""
    assert target(HostRoutes(make_host(*locations)).match(uri)) == found


def test_captures_are_the_groups_of_the_expression(make_host: MakeHost) -> None:
    """Unset groups are None, at most nine are kept, other locations have none."""
    routes = HostRoutes(
        make_host("/", "~ ^/u/(\\d+)(x)?$", "~ ^/z", "~ (1)(2)(3)(4)(5)(6)(7)(8)(9)(0)")
    )
    captures = [
        match.captures
        for uri in (b"/u/42", b"/u/7x", b"/z", b"/1234567890", b"/")
        if (match := routes.match(uri))
    ]
    assert captures == [
        (b"42", None),
        (b"7", b"x"),
        (),
        tuple(b"%d" % digit for digit in range(1, 10)),
        (),
    ]


def test_named_locations_are_found_by_name(make_host: MakeHost) -> None:
    """With or without the ``@``; an unknown name is None."""
    routes = HostRoutes(make_host("/", "@a", "@b"))
    assert [target(routes.named(name)) for name in ("@a", "b", "@c", "/")] == [
        "@a",
        "@b",
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("location", "uri"), [("~ (a+)+$", b"/" + b"a" * 64 + b"b"), ("~ (*UTF)a", b"/\xff")]
)
def test_an_expression_that_gives_up_is_a_500(
    make_host: MakeHost, location: str, uri: bytes
) -> None:
    """A match limit or text that is not UTF-8 fails the request, and the reason names the route."""
    with pytest.raises(RequestError) as caught:
        HostRoutes(make_host(location)).match(uri)
    assert caught.value.status == 500
    assert caught.value.reason.startswith(f'location "{location}": ')


_SHORT = st.text("ab/", max_size=5).map(lambda text: "/" + text)


@given(st.sets(_SHORT, max_size=8), st.lists(_SHORT, max_size=8))
def test_the_longest_prefix_is_found_among_any(prefixes: set[str], uris: list[str]) -> None:
    """Bisection and its chain of shorter prefixes agree with trying them all."""
    routes = tuple(
        Route(Location("", prefix), Redirect(prefix, 301), False, (), "", 1, 1, True, 0)
        for prefix in prefixes
    )
    table = HostRoutes(Host("::", 80, (), 1.0, 1, 1, True, routes))
    for uri in uris:
        longest = max(
            (prefix for prefix in prefixes if uri.startswith(prefix)), key=len, default=None
        )
        assert target(table.match(uri.encode())) == longest
