"""Checks that concern several hosts or routes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candy_trio.config.problems import Problems, dotted, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candy_trio.config.lines import Path
    from candy_trio.config.schema import Host, Location, LuaSettings

_AGREED = ("sandbox", "code_cache", "interleave")


class Isolates:
    """Routes that share an isolate by name must agree on what makes it one.

    The engine is part of an isolate's identity: the same name on two engines is two isolates.
    """

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._first: dict[tuple[str, str], tuple[LuaSettings, Path]] = {}

    def check(self, lua: LuaSettings, path: Path) -> None:
        """Compare the route at ``path`` with the first one of its isolate."""
        if lua.isolate is None:
            return
        first, at = self._first.setdefault((lua.engine, lua.isolate), (lua, path))
        differing = [f"lua_{key}" for key in _AGREED if getattr(first, key) != getattr(lua, key)]
        if differing:
            self._problems.add(
                path,
                f"shares lua_isolate {shown(lua.isolate)} with {dotted(at)} but differs in"
                f" {' and '.join(differing)}: they must agree",
            )


def check_locations(locations: Sequence[Location | None], host: Path, problems: Problems) -> None:
    """Refuse a second route with the same location in one host.

    ``/a`` and ``^~ /a`` are the same one: nginx, too, refuses the pair.
    """
    first: dict[tuple[str, str], int] = {}
    for number, location in enumerate(locations):
        if location is None:
            continue
        modifier = "" if location.modifier == "^~" else location.modifier
        earlier = first.setdefault((modifier, location.pattern), number)
        if earlier != number:
            problems.add(
                (*host, "route", number, "location"),
                f"{dotted((*host, 'route', earlier))} has the same location",
            )


class Addresses:
    """Hosts that share an address must be told apart by their names, each name given once."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._first: dict[tuple[str, int, str], Path] = {}

    def check(self, host: Host, path: Path) -> None:
        """Compare the host at ``path`` with the earlier ones."""
        at = f"[{host.ip}]:{host.port}" if ":" in host.ip else f"{host.ip}:{host.port}"
        for name in host.server_names or ("",):
            earlier = self._first.get((host.ip, host.port, name))
            self._first.setdefault((host.ip, host.port, name), path)
            if earlier is None:
                continue
            if earlier == path:
                self._problems.add((*path, "server_name"), f"{shown(name)} is given twice")
            elif name:
                self._problems.add(
                    (*path, "server_name"),
                    f"{shown(name)} on {at} belongs to {dotted(earlier)} already",
                )
            else:
                self._problems.add(
                    path,
                    f"listens on {at} without a server_name, as {dotted(earlier)} does already",
                )
