"""Runs ``tests/lua_cases/*.toml``: each case on four engines, twice on one VM.

A case::

    [[case]]
    name = "what it shows"
    script = '''cd.say("hello")'''       # or files = {"t.lua" = "...", "lualib/m.lua" = "..."}
    route = 'default_type = "text/html"'  # more keys of the route
    config = 'lua_shared_dict = [...]'    # more keys at the top
    request = "GET /t?a=1"                # and headers = [["X-A", "b"]], body = "..."
    status = 200
    body = "hello\\n"                     # or body_hex, or body_like (a regular expression)
    headers = {Content-Type = "text/plain"}   # expected; "" says: must not be there
    log = "regular expression"            # must be in the error log; no_log: must not
    engines = ["luajit"]                  # default: luajit lua51 lua54 lua55
    candy = true                          # shows what is Candy's or ours and differs on nginx;
                                          # tests/nginx compares all others with it
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import tomli
from support.site import open_site

DEFAULT_ENGINES = ("luajit", "lua51", "lua54", "lua55")
FOLDER = Path(__file__).parent.parent / "lua_cases"
KEYS = {
    "name", "script", "files", "route", "config", "request", "request_headers", "body_sent",
    "body_sent_hex", "status", "body", "body_hex", "body_like", "headers", "log", "no_log",
    "engines", "candy",
}  # fmt: skip


def load_cases() -> list[tuple[str, dict[str, Any], str]]:
    found: list[tuple[str, dict[str, Any], str]] = []
    for path in sorted(FOLDER.glob("*.toml")):
        for case in tomli.loads(path.read_text("utf-8"))["case"]:
            assert set(case) <= KEYS, f"{path.name}: {case['name']}: {set(case) - KEYS}"
            engines = case.get("engines", DEFAULT_ENGINES)
            found += [(f"{path.stem}:{case['name']}", case, engine) for engine in engines]
    return found


CASES = load_cases()


def configuration(case: dict[str, Any], engine: str) -> str:
    return f"""
log_level = "debug"
lua_engine = "{engine}"
{case.get("config", "")}
[[host]]
port = 8080
[[host.route]]
location = "/"
lua_script = "t.lua"
{case.get("route", "")}
"""


@pytest.mark.parametrize(
    ("case", "engine"),
    [pytest.param(case, engine, id=f"{name}-{engine}") for name, case, engine in CASES],
)
async def test_lua_case(case: dict[str, Any], engine: str, tmp_path: Path) -> None:
    """The script answers what the case says, the first time and the second time on one VM."""
    files = {"t.lua": case.get("script", ""), **case.get("files", {})}
    method, _, target = case.get("request", "GET /").partition(" ")
    body = bytes.fromhex(case["body_sent_hex"]) if "body_sent_hex" in case else None
    if body is None:
        body = case.get("body_sent", "").encode()
    async with open_site(tmp_path, configuration(case, engine), files) as site:
        for _ in range(2):
            before = len(site.log())
            reply = await site.request(
                target, method=method, headers=case.get("request_headers", ()), body=body
            )
            log = site.log()[before:]
            check(case, reply, log)


def check(case: dict[str, Any], reply: Any, log: str) -> None:
    assert reply.status == case.get("status", 200), (reply, log)
    if "body" in case:
        assert reply.body == case["body"].encode(), (reply.text, log)
    if "body_hex" in case:
        assert reply.body.hex() == case["body_hex"], log
    if "body_like" in case:
        assert re.search(case["body_like"], reply.text), (reply.text, log)
    for name, value in case.get("headers", {}).items():
        assert reply.header(name) == (value or None), (reply.headers, log)
    if "log" in case:
        assert re.search(case["log"], log), log
    if "no_log" in case:
        assert not re.search(case["no_log"], log), log
