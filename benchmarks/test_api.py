"""Calls of the server's Lua API on every engine.

    pip install -e '.[test,bench]'; python -m pytest benchmarks/test_api.py

A script calls the function in a loop, in a route's VM, for a request with four arguments and ten
header fields. How it is measured stands in benchmarks/suites.py.
"""

from __future__ import annotations

import base64
import hashlib

import msgspec
import pytest

from benchmarks import suites
from benchmarks.engines import LuaBenchmark
from benchmarks.suites import Measure

pytestmark = suites.in_this_process

TEXT = "The quick brown fox jumps over the lazy dog. " * 4
TEXT_BASE64 = base64.b64encode(TEXT.encode()).decode()
SUBJECT = "hello, 1234 and a longer tail of words behind it"

DOCUMENT = """{"id": 90210, "customer": {"name": "Grace Hopper", "vip": true}, "tags": ["a", "b"],
"note": "said \\"hello\\"\\nand left", "prices": [11.25, 40.5, -3e2], "none": null}"""
VALUE = """
local value = {
  id = 90210, customer = {name = "Grace Hopper", vip = true}, tags = {"a", "b"},
  note = 'said "hello"\\nand left', prices = {11.25, 40.5, -3e2},
}
"""
SAID = "".join(f"hello {turn % 10}\n" for turn in range(1, 1001))


class Call(msgspec.Struct, frozen=True):
    """A statement, what comes before and behind the loop that it is in, and the script's answer."""

    statement: str
    answer: str
    conclusion: str = "cd.print(result)"
    preparation: str = ""
    calls: int = 1000


CALLS = {
    "cd.say": Call('say("hello ", turn % 10)', SAID, "", "local say = cd.say"),
    "header": Call(
        'header["X-Total"] = turn  result = header["X-Total"]',
        "1000",
        preparation="local header = ngx.header",
    ),
    "args": Call(
        "result = get_uri_args()",
        "4711 12 name en",
        'cd.print(result.user, " ", result.page, " ", result.sort, " ", result.lang)',
        "local get_uri_args = ngx.req.get_uri_args",
        calls=500,
    ),
    "escape_uri": Call(
        "result = escape_uri(text)",
        TEXT.replace(" ", "%20"),
        preparation=f"local escape_uri, text = ngx.escape_uri, '{TEXT}'",
    ),
    "encode_base64": Call(
        "result = encode_base64(text)",
        TEXT_BASE64,
        preparation=f"local encode_base64, text = ngx.encode_base64, '{TEXT}'",
    ),
    "decode_base64": Call(
        "result = decode_base64(text)",
        TEXT,
        preparation=f"local decode_base64, text = ngx.decode_base64, '{TEXT_BASE64}'",
    ),
    "md5": Call(
        "result = md5(text)",
        hashlib.md5(TEXT.encode()).hexdigest(),
        preparation=f"local md5, text = ngx.md5, '{TEXT}'",
    ),
    "re.match": Call(
        'result = match(subject, [[([a-z]+), (\\d+)]], "jo")',
        "hello 1234",
        'cd.print(result[1], " ", result[2])',
        f"local match, subject = ngx.re.match, '{SUBJECT}'",
    ),
    "re.gsub": Call(
        'result = gsub(subject, [[\\w+]], "<$0>", "jo")',
        "<hello>, <1234> <and> <a> <longer> <tail> <of> <words> <behind> <it>",
        preparation=f"local gsub, subject = ngx.re.gsub, '{SUBJECT}'",
        calls=200,
    ),
    "shared get": Call(
        'result = d:get("key")', "5", preparation='local d = ngx.shared.d  d:set("key", 5)'
    ),
    "shared set": Call(
        'd:set("key", turn)', "1000", 'cd.print(d:get("key"))', "local d = ngx.shared.d"
    ),
    "shared incr": Call(
        'result = d:incr("n", 1)', "1000", preparation='local d = ngx.shared.d  d:set("n", 0)'
    ),
    "cjson.decode": Call(
        "result = decode(text)",
        "Grace Hopper 2 -300",
        'cd.print(result.customer.name, " ", #result.tags, " ", result.prices[3])',
        f'local decode, text = require("cjson").decode, [==[{DOCUMENT}]==]',
        calls=200,
    ),
    "cjson.encode": Call(
        "result = encode(value)",
        "Grace Hopper 2 -300",
        """value = require("cjson").decode(result)
        cd.print(value.customer.name, " ", #value.tags, " ", value.prices[3])""",
        f'local encode = require("cjson").encode {VALUE}',
        calls=200,
    ),
}


@pytest.mark.parametrize("engine", suites.ENGINES)
@pytest.mark.parametrize("work", CALLS)
def test_api(measure: Measure, engine: str, work: str) -> None:
    """One function, called so often that the start of the script does not count."""
    call = CALLS[work]

    def fresh() -> LuaBenchmark:
        return LuaBenchmark(
            engine,
            f"local result\n{call.preparation}",
            call.statement,
            call.conclusion,
            calls=call.calls,
            answer=call.answer.encode(),
        )

    measure("api", work, engine, fresh, calls=call.calls)
