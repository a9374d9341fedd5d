"""From the tables of a file to the resolved configuration: inheritance, files, cross-checks."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from candy_trio.config import agreement
from candy_trio.config.keys import (
    DEFAULT_PACKAGE_PATH,
    HOST,
    ROUTE,
    SHARED_DICT,
    TOP,
    UNSUPPORTED_HANDLERS,
    HostKeys,
    RouteKeys,
    SharedDictKeys,
    TopKeys,
)
from candy_trio.config.location import parse_location
from candy_trio.config.problems import Problems, did_you_mean, listed, shown
from candy_trio.config.reader import inherited, read_table
from candy_trio.config.schema import (
    Config,
    Host,
    Location,
    LuaContent,
    LuaSettings,
    Redirect,
    Route,
    ScriptSource,
    SharedDict,
)
from candy_trio.config.server_name import parse_server_name
from candy_trio.config.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Collection

    from candy_trio.config.lines import Path as KeyPath

ENGINE_ALIASES = {"puc": "lua54"}

_LUA_HANDLERS = ("lua_script", "content_by_lua_file", "content_by_lua")
_HANDLERS = (*_LUA_HANDLERS, "redirect_to")
_ADDRESS = {"ip", "port", "server_name"}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

Table = dict[str, object]


class Resolver:
    """Resolves one file; everything wrong goes to ``problems``, and then the result is void."""

    def __init__(self, path: Path, engines: Collection[str], problems: Problems) -> None:
        self._path = path
        self._folder = path.parent
        self._engines = sorted(engines)
        self._problems = problems
        self._warnings: list[str] = []
        self._routes = 0
        self._engine_missing = False
        self._vm_memory = 0
        self._addresses = agreement.Addresses(problems)
        self._isolates = agreement.Isolates(problems)
        self._named_variables = Variables(problems)

    def config(self, table: Table) -> Config:
        """Resolve the whole file."""
        given = read_table(TopKeys, TOP, table, (), self._problems)
        self._vm_memory = int(TopKeys(**given).lua_vm_memory)
        self._look_over(given, ())
        top = TopKeys(**given)
        if top.access_log is True:
            self._problems.add(("access_log",), 'expected "combined", "json" or false, got true')
        shared_dicts = self._shared_dicts(top)
        hosts = [self._host(host, ("host", number), top) for number, host in enumerate(top.host)]
        self._need_one(table, "host", (), "[[host]]")
        self._named_variables.check()
        return Config(
            path=self._path,
            folder=self._folder,
            log_level=top.log_level,
            log_folder="-" if top.log_folder == "-" else str(self._absolute(top.log_folder)),
            access_log=None if isinstance(top.access_log, bool) else top.access_log,
            http_parser=top.http_parser,
            lua_time_slice=float(top.lua_time_slice),
            lua_vm_memory=int(top.lua_vm_memory),
            lua_regex_match_limit=top.lua_regex_match_limit,
            lua_regex_cache_max_entries=top.lua_regex_cache_max_entries,
            lua_package_path=self._package_path(top.lua_package_path),
            package_path_text=str(top.lua_package_path),
            shared_dicts=shared_dicts,
            hosts=tuple(hosts),
            warnings=tuple(self._warnings),
        )

    def _look_over(self, given: Table, path: KeyPath) -> None:
        """Do what all three levels have in common."""
        memory_limit = given.get("lua_memory_limit")
        if isinstance(memory_limit, int) and memory_limit > self._vm_memory:
            place = self._problems.place((*path, "lua_memory_limit"))
            self._warnings.append(
                f"{place} is more than lua_vm_memory, which ends a script before that"
            )
        engine = given.get("lua_engine")
        if isinstance(engine, str):
            given["lua_engine"] = ENGINE_ALIASES.get(engine, engine)
            if given["lua_engine"] not in self._engines:
                near = did_you_mean(engine, (*self._engines, *ENGINE_ALIASES))
                self._report_engine((*path, "lua_engine"), f"unknown engine {shown(engine)}", near)
                del given["lua_engine"]

    def _report_engine(self, path: KeyPath, message: str, near: str = "") -> None:
        self._engine_missing = True
        installed = ", ".join(self._engines) or "none"
        self._problems.add(path, f"{message}; installed: {installed}{near}")

    def _need_one(self, table: Table, key: str, path: KeyPath, title: str) -> None:
        if table.get(key, []) == []:
            self._problems.add((*path, key), f"at least one {title} is needed")

    def _absolute(self, written: str) -> Path:
        return Path(os.path.normpath(self._folder / written))

    def _package_path(self, text: str) -> tuple[Path, ...]:
        # As in Lua itself, ";;" stands for the default path.
        patterns = text.replace(";;", f";{DEFAULT_PACKAGE_PATH};").split(";")
        for pattern in patterns:
            if pattern and "?" not in pattern:
                self._problems.add(
                    ("lua_package_path",),
                    f'expected patterns with a "?" for the module\'s name, got {shown(pattern)}',
                )
        return tuple(self._absolute(pattern) for pattern in patterns if pattern)

    def _shared_dicts(self, top: TopKeys) -> tuple[SharedDict, ...]:
        dicts: dict[str, SharedDict] = {}
        for number, table in enumerate(top.lua_shared_dict):
            path: KeyPath = ("lua_shared_dict", number)
            given = read_table(SharedDictKeys, SHARED_DICT, table, path, self._problems)
            for key in SharedDictKeys.__struct_fields__:
                if key not in table:
                    self._problems.add((*path, key), "missing")
            keys = SharedDictKeys(**given)
            if keys.name is None or keys.size is None:
                continue
            if keys.name in dicts:
                self._problems.add((*path, "name"), f"{shown(keys.name)} is defined twice")
            dicts[keys.name] = SharedDict(str(keys.name), int(keys.size))
        return tuple(dicts.values())

    def _host(self, table: Table, path: KeyPath, top: TopKeys) -> Host:
        given = read_table(HostKeys, HOST, table, path, self._problems)
        self._look_over(given, path)
        keys = HostKeys(**(inherited(top) | given))
        written = [keys.server_name] if isinstance(keys.server_name, str) else keys.server_name
        names: list[str] = []
        for name in written:
            try:
                names.append(parse_server_name(name))
            except ValueError as error:
                self._problems.add((*path, "server_name"), f"{error}, got {shown(name)}")
        routes = [
            self._route(route, (*path, "route", number), keys)
            for number, route in enumerate(keys.route)
        ]
        self._need_one(table, "route", path, "[[host.route]]")
        agreement.check_locations(
            [None if route is None else route.location for route in routes], path, self._problems
        )
        host = Host(
            ip=str(keys.ip),
            port=keys.port,
            server_names=tuple(names),
            timeout=float(keys.timeout),
            max_body_size=int(keys.max_body_size),
            max_header_size=int(keys.max_header_size),
            server_tokens=keys.server_tokens,
            routes=tuple(route for route in routes if route is not None),
        )
        # A host whose address is in doubt would only be compared by its defaults.
        if len(names) == len(written) and table.keys() & _ADDRESS <= given.keys():
            self._addresses.check(host, path)
        return host

    def _route(self, table: Table, path: KeyPath, host: HostKeys) -> Route | None:
        """Resolve one route; None, with the problem reported, where it can't even be named."""
        serial = self._routes
        self._routes += 1
        given = read_table(RouteKeys, ROUTE, table, path, self._problems)
        self._look_over(given, path)
        keys = RouteKeys(**(inherited(host) | given))
        location = self._location(table, keys, path)
        variables = self._variables(keys, path)
        content = self._content(table, keys, path)
        if isinstance(content, LuaContent) and table.keys() <= given.keys():
            self._isolates.check(content.lua, path)
        if location is None or content is None:
            return None
        return Route(
            location=location,
            content=content,
            internal=keys.internal,
            variables=variables,
            default_type=str(keys.default_type),
            max_body_size=int(host.max_body_size),
            client_body_buffer_size=int(keys.client_body_buffer_size),
            server_tokens=keys.server_tokens,
            serial=serial,
        )

    def _location(self, table: Table, keys: RouteKeys, path: KeyPath) -> Location | None:
        if "location" not in table:
            self._problems.add((*path, "location"), "missing")
        if keys.location is None:
            return None
        try:
            return parse_location(keys.location)
        except ValueError as error:
            self._problems.add((*path, "location"), f"{error}, got {shown(keys.location)}")
            return None

    def _variables(self, keys: RouteKeys, path: KeyPath) -> tuple[tuple[str, str], ...]:
        variables = []
        for name, value in keys.set.items():
            at = (*path, "set", name)
            if not _VARIABLE.fullmatch(name):
                self._problems.add(
                    at, 'expected a variable name (letters, digits and "_", without "$")'
                )
            else:
                self._named_variables.define(name, at)
            if isinstance(value, str):
                variables.append((name, value))
                self._named_variables.use(value, at)
            else:
                self._problems.add(at, f"expected a string, got {shown(value)}")
        return tuple(variables)

    def _content(
        self, table: Table, keys: RouteKeys, path: KeyPath
    ) -> LuaContent | Redirect | None:
        named = [key for key in _HANDLERS if key in table]
        if named == ["lua_script", "content_by_lua_file"]:
            self._problems.add(
                path, "lua_script and content_by_lua_file are one key spelt twice: keep one"
            )
            return None
        if len(named) > 1:
            names = ", ".join(named)
            self._problems.add(path, f"a route has one handler, this one has several: {names}")
            return None
        if "redirect_code" in table and "redirect_to" not in table:
            self._problems.add((*path, "redirect_code"), "needs redirect_to beside it")
        if not named:
            if not UNSUPPORTED_HANDLERS & table.keys():
                self._problems.add(path, f"a route needs one handler: {_one_of(_HANDLERS)}")
            return None
        if keys.redirect_to is not None:
            self._named_variables.use(str(keys.redirect_to), (*path, "redirect_to"))
            return Redirect(str(keys.redirect_to), keys.redirect_code)
        source = self._source(named[0], keys, path)
        if source is None:
            return None
        if keys.lua_engine not in self._engines and not self._engine_missing:
            self._report_engine(
                (*path, "lua_engine"), f"the default, {shown(keys.lua_engine)}, is not installed"
            )
        return LuaContent(source, _lua_settings(keys))

    def _source(self, key: str, keys: RouteKeys, path: KeyPath) -> ScriptSource | None:
        """Find the script that handler ``key`` names; None if there is none to be had."""
        if key == "content_by_lua":
            if keys.content_by_lua is None:
                return None
            line = self._problems.line((*path, key))
            chunk = f"=content_by_lua({self._path.name}:{line})"
            return ScriptSource(None, keys.content_by_lua.encode(), chunk)
        written = keys.lua_script or keys.content_by_lua_file
        if written is None:
            return None
        file = self._absolute(written)
        if not file.is_file():
            wrong = "is not a file" if file.exists() else "no such file"
        elif not os.access(file, os.R_OK):
            wrong = "may not be read"
        else:
            return ScriptSource(file, None, f"@{written}")
        self._problems.add((*path, key), f"{wrong}: {shown(written)} (that is {file})")
        return None


def _one_of(keys: Collection[str]) -> str:
    return listed(keys).replace('"', "")


def _lua_settings(keys: RouteKeys) -> LuaSettings:
    return LuaSettings(
        engine=str(keys.lua_engine),
        isolate=None if keys.lua_isolate is None else str(keys.lua_isolate),
        sandbox=keys.lua_sandbox,
        code_cache=keys.lua_code_cache,
        interleave=keys.lua_interleave,
        time_limit=float(keys.lua_time_limit),
        cpu_limit=float(keys.lua_cpu_limit),
        memory_limit=int(keys.lua_memory_limit),
        need_request_body=keys.lua_need_request_body,
        check_client_abort=keys.lua_check_client_abort,
        use_default_type=keys.lua_use_default_type,
        transform_underscores_in_response_headers=(
            keys.lua_transform_underscores_in_response_headers
        ),
        http10_buffering=keys.lua_http10_buffering,
    )
