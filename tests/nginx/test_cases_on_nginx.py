"""Each case of ``tests/lua_cases`` that nginx can express, on a real nginx and here on LuaJIT.

Both answer twice. Compared are the status, every header field but those that say who and when,
how the body is framed, and the body byte by byte. ``log`` and ``no_log`` of a case hold for
nginx's error log as well: its lines are in the form that ours have.

``exceptions.toml`` lists what differs and shall; a name without a case, an exception that agrees,
and a list of 5% or more fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli
import trio
from lua.test_lua_cases import configuration
from nginx.case_config import (
    NEWER,
    agree,
    case_files,
    http_block,
    load_cases,
    why_not,
    without_folder,
    without_name,
    write_files,
)
from support.nginx import Nginx, missing, pack, run_nginx, unpack
from support.site import Reply, open_site, request_bytes

CASES = load_cases()
REASONS = {name: why_not(case) for name, case in CASES.items()}
CANDY = sorted(name for name, case in CASES.items() if case.get("candy"))
EXCEPTIONS = {
    entry["case"]: entry
    for entry in tomli.loads((Path(__file__).parent / "exceptions.toml").read_text("utf-8")).get(
        "exception", []
    )
}
HANGING = {name for name, entry in EXCEPTIONS.items() if entry.get("hangs")}
"""What nginx never answers: not sent to it."""

COMPARED = [name for name, reason in REASONS.items() if reason is None and name not in EXCEPTIONS]
SERVED = [
    name
    for name, reason in REASONS.items()
    if (reason is None or CASES[name].get("candy")) and name not in HANGING
]
WHO_AND_WHEN = {"server", "date", "connection"}
OUR_WORDS = re.compile("than its Content-Length")
"""What our log says where nginx has no line."""

LIMIT = 10.0  # seconds for one case


@pytest.fixture(scope="session")
def cases_on_nginx() -> Iterator[Nginx]:
    """One nginx with a server for each case."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    cases = [CASES[name] for name in SERVED]

    def http(folder: Path, port: int) -> str:
        for number, case in enumerate(cases):
            write_files(folder, number, case)
        return http_block(cases, port, folder)

    with run_nginx(http, ports=len(cases)) as running:
        yield running


async def replies_of_both(
    name: str, nginx: Nginx, tmp_path: Path
) -> tuple[list[Reply], list[Reply], str]:
    """What nginx answers to two requests, what our server does, and nginx's log of them."""
    case = CASES[name]
    files = case_files(case)
    method, _, target = case.get("request", "GET /").partition(" ")
    body = case.get("body_sent", "").encode()
    if "body_sent_hex" in case:
        body = bytes.fromhex(case["body_sent_hex"])
    data = request_bytes(target, method, case.get("request_headers", ()), body)
    theirs, ours = [], []
    logged = nginx.log_size()
    with trio.fail_after(LIMIT):
        async with open_site(tmp_path, configuration(case, "luajit"), files) as site:
            for _ in range(2):
                ours.append(await site.raw(data, method))
                theirs.append(await nginx.at(SERVED.index(name)).raw(data, method))
    log = await nginx.log_since(logged)
    return theirs, ours, without_folder(log, nginx.prefix).decode("utf-8", "replace")


async def difference(name: str, nginx: Nginx, tmp_path: Path) -> str | None:
    """The first thing in which nginx and our server differ, or None."""
    case = CASES[name]
    method = case.get("request", "GET").partition(" ")[0]
    theirs, ours, log = await replies_of_both(name, nginx, tmp_path)
    for number, (their, our) in enumerate(zip(theirs, ours, strict=True), 1):
        pairs: list[tuple[str, Any, Any]] = [
            ("status", their.status, our.status),
            ("head", fields(their), fields(our)),
            ("framing", framing(their, method), framing(our, method)),
            ("body", comparable(their.body, nginx.prefix), comparable(our.body, tmp_path)),
        ]
        for what, right, got in pairs:
            same = agree(right, got) if isinstance(right, bytes) else right == got
            if not same:
                return f"{what} of answer {number}: nginx {right!r}, here {got!r}\n{log}"
    if "log" in case and not OUR_WORDS.search(case["log"]) and not re.search(case["log"], log):
        return f"nginx's log has no {case['log']!r}:\n{log}"
    if "no_log" in case and re.search(case["no_log"], log):
        return f"nginx's log has {case['no_log']!r}:\n{log}"
    return None


def fields(reply: Reply) -> list[tuple[str, str]]:
    skipped = WHO_AND_WHEN | {"content-length", "transfer-encoding"}
    return sorted(
        (name.lower(), value) for name, value in reply.headers if name.lower() not in skipped
    )


def framing(reply: Reply, method: str) -> str:
    """How the body ends.

    A body that is done when its head goes out has a length here and is chunked on nginx, and
    pages name the server: a length that is the body's own, and chunked, are the same, and so
    is the length of a page that HEAD doesn't get. Any other length has to be the same.
    """
    length, coding = reply.header("content-length"), reply.header("transfer-encoding")
    whole = length == str(len(reply.body)) or coding == "chunked"
    page = method == "HEAD" and reply.status >= 300 and reply.header("content-type") == "text/html"
    no_body = reply.status == 304
    return "whole" if whole or page or no_body else f"length {length}, coding {coding}"


def comparable(body: bytes, folder: Path) -> bytes:
    return without_name(without_folder(body, folder))


@pytest.mark.parametrize("name", COMPARED)
async def test_case_is_the_same_on_nginx(name: str, cases_on_nginx: Nginx, tmp_path: Path) -> None:
    """Status, head and body are what nginx answers, twice."""
    found = await difference(name, cases_on_nginx, tmp_path)
    assert found is None, found


@pytest.mark.parametrize("name", sorted(EXCEPTIONS.keys() - HANGING))
async def test_exception_is_one(name: str, cases_on_nginx: Nginx, tmp_path: Path) -> None:
    """What the list of exceptions names is a case that nginx can express, and differs."""
    assert REASONS[name] is None, "nginx can't express this case anyway"
    assert await difference(name, cases_on_nginx, tmp_path) is not None


@pytest.mark.parametrize("name", CANDY)
async def test_mark_is_needed(name: str, cases_on_nginx: Nginx, tmp_path: Path) -> None:
    """What is marked as Candy's differs on nginx."""
    assert await difference(name, cases_on_nginx, tmp_path) is not None


def test_exceptions_are_few() -> None:
    """Fewer than 5% of the cases that nginx can express; each is a case, and has a reason."""
    assert EXCEPTIONS.keys() <= CASES.keys()
    assert all(entry["reason"] for entry in EXCEPTIONS.values())
    assert len(EXCEPTIONS) < 0.05 * (len(COMPARED) + len(EXCEPTIONS))


async def test_this_nginx_has_not_what_the_rule_says(nginx: Nginx) -> None:
    """The functions of ``NEWER`` are missing in the peer: else their cases could be compared."""
    reply = await nginx.request("/newer", method="POST", body=pack([n.encode() for n in NEWER]))
    assert unpack(reply.body) == [b"nil"] * len(NEWER)
