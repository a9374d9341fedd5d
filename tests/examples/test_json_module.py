"""examples/lualib/json.lua against Python's json, on LuaJIT and on Lua 5.4."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from serving_process import ROOT
from support.site import Site, one_route, open_site

MODULE = (ROOT / "examples" / "lualib" / "json.lua").read_text()

# Answers with the decoded and encoded body, or with 400 and the reason.
ECHO = """
local json = require "json"
local value, problem = json.decode(cd.req.get_body_data() or "")
if problem then
  cd.status = 400
  cd.print(problem)
else
  cd.print(json.encode(value))
end
"""

# Answers with the value of the expression that it is given, or with 400 and the error.
EVALUATE = """
local json = require "json"
local make = (loadstring or load)("local json = ... return " .. cd.req.get_body_data())
local ok, text = pcall(json.encode, make(json))
if not ok then cd.status = 400 end
cd.print(text)
"""


@pytest.fixture(params=["luajit", "lua54"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    route = '[[host.route]]\nlocation = "= /evaluate"\nlua_script = "evaluate.lua"\n'
    files = {"t.lua": ECHO, "evaluate.lua": EVALUATE, "lualib/json.lua": MODULE}
    async with open_site(tmp_path, one_route(request.param) + route, files) as site:
        yield site


VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    12345678901234,
    0.5,
    -2.5e-7,
    1e300,
    "",
    "plain",
    'quote " backslash \\ slash / and \b\f\n\r\t',
    "\0\1\x1f\x7f",
    "é λ € 😀 \U0010ffff \ud7ff \ue000",
    [],
    {},
    [1, [2, [3, []]], {}],
    {"a": 1, "b": [None, True], "": {"é": "x"}},
    [None, None],
    {"1": "a string key"},
]


@pytest.mark.parametrize("ascii_only", [True, False])
async def test_what_is_decoded_and_encoded_is_the_same(site: Site, ascii_only: bool) -> None:
    """Every kind of value, written with escapes and without, and with space around."""
    for value in VALUES:
        for indent in (None, 2):
            text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
            reply = await site.request(method="POST", body=f" {text}\n".encode())
            assert reply.status == 200, (value, reply.text)
            assert json.loads(reply.body) == value


async def test_keys_are_sorted(site: Site) -> None:
    """Equal values give equal texts."""
    reply = await site.request(method="POST", body=b'{"b": 1, "a": 2, "c": 3}')
    assert reply.body == b'{"a":2,"b":1,"c":3}'


WRONG = [
    b"", b" ", b"nul", b"nullx", b"True", b"'a'", b"{", b"[", b'"', b"[1", b"[1,", b"[1,]", b"[,1]",
    b"[1 2]", b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}', b"{a:1}", b"{1:2}", b'{"a" 1}',
    b"1 2", b"01", b"-", b"-01", b"+1", b".5", b"1.", b"1e", b"1e+", b"0x10", b"1e999", b"-1e999",
    b"NaN", b"Infinity", b'"\n"', b'"\0"', b'"\\x"', b'"\\u12"', b'"\\u12g4"', b'"\\ud800"',
    b'"\\ud800x"', b'"\\ud800\\u0041"', b'"\\udc00"', b'"\\"', b"[" * 101, b'{"a":' * 5000,
    b"// comment\n1", b"[1]]", b"\xef\xbb\xbf1",
]  # fmt: skip


async def test_what_is_not_json_is_refused(site: Site) -> None:
    """Each with a reason that names the place."""
    for text in WRONG:
        reply = await site.request(method="POST", body=text)
        assert reply.status == 400, text
        assert " at character " in reply.text, text


async def test_a_hundred_levels_are_taken(site: Site) -> None:
    """And one more is not (WRONG has it)."""
    text = b"[" * 99 + b"1" + b"]" * 99
    reply = await site.request(method="POST", body=text)
    assert (reply.status, reply.body) == (200, text)


@pytest.mark.parametrize(
    ("expression", "status", "text"),
    [
        ("{}", 200, "{}"),
        ("json.array {}", 200, "[]"),
        ("{1, 2, json.null}", 200, "[1,2,null]"),
        ("10 / 2", 200, "5"),
        ("2^53", 200, "9.007199254741e+15"),
        ("1 / 0", 400, "JSON has no inf"),
        ("print", 400, "JSON has no function"),
        ("{1, a = 2}", 400, "a table for JSON has either string keys only or the keys 1 to n"),
        ("{[1] = 1, [3] = 3}", 400, "a table for JSON has either string keys only or the keys"),
        ("{[0] = 1}", 400, "a table for JSON has either string keys only or the keys 1 to n"),
        ("(function() local t = {} t.t = t return t end)()", 400, "too deep for JSON"),
    ],
)
async def test_encoding_says_what_it_can_not(
    site: Site, expression: str, status: int, text: str
) -> None:
    """Lua's values that JSON has, and those that it lacks."""
    reply = await site.request("/evaluate", method="POST", body=expression.encode())
    assert (reply.status, reply.text.startswith(text)) == (status, True), reply.text
