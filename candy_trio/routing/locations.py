"""Which route of a host serves a URI: nginx's location rules.

The order, as in ``ngx_http_core_find_location``:

1. ``= /exact``, if it is the whole URI;
2. the longest prefix is remembered; if it is a ``^~`` one, it wins here;
3. ``~`` and ``~*`` in the order of the file, the first that matches anywhere in the URI;
4. the remembered prefix.

``@name`` takes no part in this. ``internal`` routes do: whoever asks decides what they answer.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from candy_trio.config.location import PatternError, compile_regex
from candy_trio.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pcre2

    from candy_trio.config.schema import Host, Route

MAX_CAPTURES: Final = 9  # $1 to $9, all that nginx's variables can name


class Match:
    """A route, and what the groups of its regular expression captured (none elsewhere)."""

    __slots__ = ("captures", "route")

    def __init__(self, route: Route, captures: tuple[bytes | None, ...] = ()) -> None:
        self.route: Final = route
        self.captures: Final = captures


class HostRoutes:
    """The routes of one host, ready to be matched. Immutable once made."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._exact: dict[bytes, Match] = {}
        self._named: dict[str, Match] = {}
        self._regexes: list[tuple[Callable[[bytes], pcre2.Match | None], Match]] = []
        prefixes: dict[bytes, Match] = {}
        for route in host.routes:
            match = Match(route)
            pattern = route.location.pattern
            match route.location.modifier:
                case "=":
                    self._exact[pattern.encode()] = match
                case "@":
                    self._named[pattern] = match
                case "~" | "~*":
                    self._regexes.append((compile_regex(route.location).search, match))
                case _:
                    prefixes[pattern.encode()] = match
        # Sorted, so that the greatest prefix not above a URI is found by bisection. Every shorter
        # prefix of the URI in the table is then a prefix of that one, too: the third column leads
        # from each to its longest proper prefix (-1: none).
        self._prefixes = sorted(prefixes)
        self._prefix_matches = [prefixes[prefix] for prefix in self._prefixes]
        self._shorter = [_longest_proper_prefix(self._prefixes, i) for i in range(len(prefixes))]

    def match(self, uri: bytes) -> Match | None:
        """Find the route for a decoded, normalised path; None is a 404.

        Raises RequestError(500) if a regular expression gives up on this path.
        """
        exact = self._exact.get(uri)
        if exact is not None:
            return exact
        prefixes = self._prefixes
        index = bisect_right(prefixes, uri) - 1
        while index >= 0 and not uri.startswith(prefixes[index]):
            index = self._shorter[index]
        prefix = self._prefix_matches[index] if index >= 0 else None
        if self._regexes and (prefix is None or prefix.route.location.modifier != "^~"):
            return self._match_regex(uri) or prefix
        return prefix

    def named(self, name: str) -> Match | None:
        """Find the ``@name`` location; the ``@`` may be left out."""
        return self._named.get(name.removeprefix("@"))

    def _match_regex(self, uri: bytes) -> Match | None:
        for search, match in self._regexes:
            try:
                found = search(uri)
            except PatternError as error:
                location = match.route.location
                raise RequestError(
                    500, f'location "{location.modifier} {location.pattern}": {error}'
                ) from None
            if found is not None:
                captures = found.groups()
                return Match(match.route, captures[:MAX_CAPTURES]) if captures else match
        return None


def _longest_proper_prefix(ordered: list[bytes], index: int) -> int:
    return next(
        (other for other in reversed(range(index)) if ordered[index].startswith(ordered[other])),
        -1,
    )
