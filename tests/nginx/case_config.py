"""Cases of ``tests/lua_cases`` as an nginx configuration: a port of its own for each.

What nginx can't express is decided by rules in :func:`why_not`, never by a case's name. A case
that shows what is Candy's (its view where that differs, the colon, its flat names) is marked in
its data, ``candy = true``: a mark that isn't needed fails a test.

- ``cd`` is another name for ``ngx``: most cases call ``cd.say``, or go through both views.
- Locations of one case are a server of their own, so that its Host field is free.
- Dictionaries are zones of the case's own, put in the place of ``ngx.shared.NAME`` before its
  script runs. Requests come one at a time.
- Modules lie in one folder, as nginx has one ``lua_package_path``.
- A script that puts something in the place of a library's function or of ``ngx.header``, or uses
  cjson, has the code cache off: a Lua of its own for each request, so that no other case meets
  what it left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli
from lua.test_lua_cases import FOLDER, configuration

Case = dict[str, Any]

DIRECTIVES = {
    "default_type", "client_body_buffer_size", "lua_code_cache", "lua_http10_buffering",
    "lua_need_request_body", "lua_transform_underscores_in_response_headers",
    "lua_use_default_type", "server_tokens",
}  # fmt: skip
"""Keys of a route that nginx has under the same name."""

ROUTE_KEYS = DIRECTIVES | {"location", "lua_script", "internal", "set", "lua_sandbox", "lua_engine"}
TOP_KEYS = {"log_level", "lua_engine", "host", "lua_shared_dict"}
NEWER = (
    "ngx.decode_base64mime",
    *(
        f"cjson.{name}"
        for name in (
            "array_mt",
            "decode_allow_comment",
            "decode_array_with_array_mt",
            "empty_array",
            "encode_empty_table_as_object",
            "encode_escape_forward_slash",
            "encode_indent",
            "encode_skip_unsupported_value_types",
        )
    ),
)
"""What nginx's Lua module 0.10.23 has not yet, and OpenResty's cjson beyond the one that is beside
it; a test asks the peer."""


TAKES_TO_PIECES = re.compile(
    r"(?<![\w.])(?:cd|ngx|v|view|string|table|math|os|coroutine|package|_G)"
    r"\.(?!status\b|ctx\b)(?:req\.|loaded\.)?\w+\s*=(?!=)"
    r"|require[ (]*[\"']cjson|rawset\(|setmetatable(?:, |\([^{])|function (?:string|table|ngx|cd)\."
)
"""Assignments to what all scripts share on nginx, cjson's settings among them."""


def load_cases() -> dict[str, Case]:
    return {
        f"{path.stem}:{case['name']}": case
        for path in sorted(FOLDER.glob("*.toml"))
        for case in tomli.loads(path.read_text("utf-8"))["case"]
    }


def why_not(case: Case) -> str | None:
    """The rule by which nginx can't express ``case``, or None."""
    if "luajit" not in case.get("engines", ["luajit"]):
        return "of another engine than LuaJIT"
    if case.get("candy"):
        return "marked as Candy's"
    config = tomli.loads(configuration(case, "luajit"))
    routes = [route for host in config["host"] for route in host["route"]]
    keys = (set(config) - TOP_KEYS) | {key for route in routes for key in set(route) - ROUTE_KEYS}
    if keys or any(route.get("lua_engine", "luajit") != "luajit" for route in routes):
        return "of configuration that nginx has not"
    if any(name.startswith("lualib/resty/") for name in case_files(case)):
        return "of modules that nginx's Lua module itself loads"
    words = [name.rpartition(".")[2] for name in NEWER]
    if any(word in text for word in words for text in case_files(case).values()):
        return "of functions that nginx's Lua module, or its cjson, has not yet"
    return None


def case_files(case: Case) -> dict[str, str]:
    return {"t.lua": case.get("script", ""), **case.get("files", {})}


def write_files(folder: Path, number: int, case: Case) -> None:
    """The scripts into a folder of the case, its modules into the one of all."""
    for name, text in case_files(case).items():
        path = folder / (name if name.startswith("lualib/") else f"{number}/{name}")
        if path.exists() and path.read_text("utf-8") != text:
            raise ValueError(f"{case['name']}: another case has a different {name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def http_block(cases: Sequence[Case], first_port: int, folder: Path) -> str:
    """The ``http`` block for ``cases``; the one with index i listens on ``first_port + i``."""
    zones, servers = [], []
    for number, case in enumerate(cases):
        zone_lines, server = server_block(case, number, first_port + number, folder)
        zones.append(zone_lines)
        servers.append(server)
    return (
        f'lua_package_path "{folder}/lualib/?.lua;;";\n'
        "init_by_lua_block { rawset(_G, [[cd]], ngx) }\n"
        # Our log names each request, so that $request_id is one value on both.
        'log_format with_id "$request_id";\n'
        # Ours keep them, see docs/coming-from-openresty-or-candy.md.
        "underscores_in_headers on;\nclient_max_body_size 10m;\n"
        "client_body_buffer_size 16k;\ndefault_type text/plain;\n"
        f"{''.join(zones)}{''.join(servers)}"
    )


def server_block(case: Case, number: int, port: int, folder: Path) -> tuple[str, str]:
    config = tomli.loads(configuration(case, "luajit"))
    dicts = {entry["name"]: entry["size"] for entry in config.get("lua_shared_dict", ())}
    zones = "".join(f"lua_shared_dict c{number}_{n} {size};\n" for n, size in dicts.items())
    own = "".join(f"ngx.shared.{name} = ngx.shared.c{number}_{name} " for name in dicts)
    before = f"rewrite_by_lua_block {{ {own}}}\n" if own else ""
    own_lua = any(map(TAKES_TO_PIECES.search, case_files(case).values()))
    cache = "lua_code_cache off;\n" if own_lua else ""
    level = "debug" if "DEBUG" in case.get("script", "") else "info"
    locations = "".join(
        location_block(route, folder / str(number))
        for host in config["host"]
        for route in host["route"]
    )
    return zones, (
        f"server {{\nlisten 127.0.0.1:{port};\nroot {folder}/{number};\n"
        f"error_log {folder}/error.log {level};\n"
        f"{cache}{before}{locations}}}\n"
    )


def location_block(route: Mapping[str, Any], folder: Path) -> str:
    modifier, _, pattern = route["location"].rpartition(" ")
    lines = [f"content_by_lua_file {folder}/{route['lua_script']};"]
    lines += [
        f"{key} {directive_value(value)};" for key, value in route.items() if key in DIRECTIVES
    ]
    lines += [f'set ${name} "{value}";' for name, value in route.get("set", {}).items()]
    if route.get("internal"):
        lines.append("internal;")
    text = "\n".join(lines)
    return f'location {modifier} "{pattern}" {{\n{text}\n}}\n'


def directive_value(value: object) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def agree(right: bytes, got: bytes) -> bool:
    """The same bytes; a function that pcall calls has no name for nginx's Lua, for ours it has."""
    if b"to '?' (" not in right:
        return right == got
    pattern = re.escape(right).replace(re.escape(b"to '?' ("), rb"to '[\w?]+' \(")
    return re.fullmatch(pattern, got) is not None


# Where the two servers may differ: the folder of a script, and who they are.
def without_folder(data: bytes, folder: Path) -> bytes:
    return re.sub(re.escape(str(folder).encode()) + rb"/(\d+/)?", b"", data)


def without_name(data: bytes) -> bytes:
    return re.sub(rb"<center>(nginx|candy_trio)/[\d.]+</center>", b"<center>server</center>", data)
