"""Long texts take time in proportion to their length, whatever is in them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.site import one_route, open_site

from candy_trio.http.conditional import evaluate
from candy_trio.lua.api.text import decode_base64
from candy_trio.pipeline.variables import find_cookie

SOON = 2.0
"""Seconds; by the square of the length each takes five times as long, at least."""

SCRIPTS = {
    "cjson: hexadecimal digits, zeros and an exponent": """
        local text = "[0xe" .. ("0"):rep(100000) .. "fp1111111]"
        cd.say(type(require("cjson").decode(text)))""",
    "cjson: an exponent of zeros": """
        local text = "[1e" .. ("0"):rep(100000) .. "9999999]"
        cd.say(type(require("cjson").decode(text)))""",
    "decode_args: names without values": """
        cd.say(type(ngx.decode_args(("a&"):rep(1000000), 0)))""",
}


@pytest.mark.parametrize("engine", ["luajit", "lua54"])
@pytest.mark.parametrize("name", SCRIPTS)
async def test_script_with_a_long_text(name: str, engine: str, tmp_path: Path) -> None:
    async with open_site(tmp_path, one_route(engine), {"t.lua": SCRIPTS[name]}) as site:
        begun = time.process_time()
        assert (await site.request()).text == "table\n"
        assert time.process_time() - begun < SOON


def test_entity_tags() -> None:
    conditions = {b"if-none-match": b"x," * 250_000 + b'"a"x' + b" \t" * 250_000}
    begun = time.process_time()
    assert evaluate(conditions, b'ETag: "a"\r\n', lambda _text: None) == 200
    assert time.process_time() - begun < SOON


def test_cookies() -> None:
    begun = time.process_time()
    assert find_cookie(b"a=b;" * 500_000 + b"c=d", b"c") == b"d"
    assert time.process_time() - begun < SOON


def test_foreign_bytes_in_base64() -> None:
    begun = time.process_time()
    assert decode_base64(b"\n\xff" * 20_000_000 + b"YQ\n==", b"mime") == b"a"
    assert time.process_time() - begun < SOON
