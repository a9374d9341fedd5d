"""Malformed requests over whole connections, with both parsers.

The corpus says which status each must get; its ``chunks:`` entries are refused when a script
reads the body.  What is generated has no such list: there both parsers must answer alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing
from corpora.malformed import CASES, CHUNKED_HEAD, MalformedCase
from hostile import CONFIG, GOOD, PARSERS, TIMEOUT, HostileSite, open_hostile_site
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import Client

from candy_trio.config.load import load_config
from candy_trio.handlers.lua_script import LuaRoutes
from candy_trio.process.worker import serve
from candy_trio.server.connection import LINGER_PAUSE
from candy_trio.server.connections import GRAIN

# What architecture.md's table names, and 417, which RFC 9110 §10.1.1 asks for.
REFUSALS = {400, 408, 413, 414, 417, 431, 501, 505}

AT_ONCE = 50
"""Connections open at the same time: enough to meet, few enough to keep the log readable."""

PIECES = 3
"""Into how many pieces a request is cut at most; every cut is the parsers' own suite's affair."""


@pytest.fixture(params=PARSERS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HostileSite]:
    with open_hostile_site(tmp_path, request.param) as site:
        yield site


async def check_refused(client: Client, case: MalformedCase) -> None:
    """The answer is the refusal, whole, and it is the last one."""
    answer = await client.answer()
    assert (answer.status, answer.header("connection")) == (case.status, "close"), case.name
    assert answer.complete, case.name
    assert str(case.status).encode() in answer.body, case.name
    assert await client.rest() == b"", case.name


async def check_good(client: Client) -> None:
    await client.send(GOOD)
    answer = await client.answer()
    assert (answer.status, answer.body) == (200, b"read 0")


def batches() -> Iterator[list[MalformedCase]]:
    for start in range(0, len(CASES), AT_ONCE):
        yield CASES[start : start + AT_ONCE]


async def test_each_gets_its_status_and_the_last_word(
    site: HostileSite, autojump_clock: trio.testing.MockClock
) -> None:
    """All of the corpus, each on a connection of its own behind a good request: its status, the
    end, and nothing that is sent behind it is a request. A client that then stays is left after
    LINGER_PAUSE. Another connection is served between the refused request and its refusal."""

    async def check(case: MalformedCase) -> None:
        client, bystander = site.connect(server), site.connect(server)
        await check_good(client)
        await client.send(case.raw)
        await check_good(bystander)
        await bystander.stream.aclose()
        await check_refused(client, case)
        await client.send(GOOD)

    async with trio.open_nursery() as server:
        server.start_soon(site.connections.expire)
        for cases in batches():
            started = trio.current_time()
            async with trio.open_nursery() as clients:
                for case in cases:
                    clients.start_soon(check, case)
            assert trio.current_time() - started < GRAIN
            await trio.sleep(LINGER_PAUSE - GRAIN)
            assert len(site.connections) == len(cases)
            await trio.sleep(2 * GRAIN)
            assert len(site.connections) == 0
        server.cancel_scope.cancel()
    statuses = [record.status for record in site.access.all]
    assert statuses.count(200) == 2 * len(CASES)
    assert len(statuses) == 3 * len(CASES)
    site.check_unhurt()


async def test_each_gets_its_status_in_pieces(
    site: HostileSite, autojump_clock: trio.testing.MockClock
) -> None:
    """The same where the network cuts a request up and the server waits in between; the client
    closes first."""

    async def check(case: MalformedCase) -> None:
        client = site.connect(server)
        size = len(case.raw) // PIECES + 1
        for start in range(0, len(case.raw), size):
            await client.send(case.raw[start : start + size])
            await trio.sleep(GRAIN)
        await check_refused(client, case)
        await client.stream.aclose()

    async with trio.open_nursery() as server:
        server.start_soon(site.connections.expire)
        for cases in batches():
            async with trio.open_nursery() as clients:
                for case in cases:
                    clients.start_soon(check, case)
        await trio.testing.wait_all_tasks_blocked()
        assert len(site.connections) == 0
        server.cancel_scope.cancel()
    site.check_unhurt()


async def test_half_of_each_ends_in_time(
    site: HostileSite, autojump_clock: trio.testing.MockClock
) -> None:
    """A request that breaks off in the middle and a client that stays: refused for what is there,
    or 408 after the timeout, or closed without a word where nothing had begun. Never later."""

    async def check(case: MalformedCase) -> None:
        client = site.connect(server)
        started = trio.current_time()
        await client.send(case.raw[: len(case.raw) // 2])
        answer = await client.rest()
        assert trio.current_time() - started <= TIMEOUT + 3 * GRAIN, case.name
        if answer:
            assert int(answer.split(b" ")[1]) in REFUSALS, case.name
        await client.stream.aclose()

    async with trio.open_nursery() as server:
        server.start_soon(site.connections.expire)
        for cases in batches():
            async with trio.open_nursery() as clients:
                for case in cases:
                    clients.start_soon(check, case)
        await trio.testing.wait_all_tasks_blocked()
        assert len(site.connections) == 0
        server.cancel_scope.cancel()
    assert {record.status for record in site.access.all} <= REFUSALS
    site.check_unhurt()


# Good requests of many kinds, to be spoilt.
SEEDS = [
    GOOD,
    GOOD + GOOD,
    b"GET /a?b=c&d HTTP/1.0\r\n\r\n",
    b"HEAD /a/../b%20c HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n" + GOOD,
    b"GET http://a.example:80/x HTTP/1.1\r\nHost: a\r\nX: \t y \t\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + GOOD,
    b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi" + GOOD,
    b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + GOOD,
    CHUNKED_HEAD + b'5;a="b"\r\nhello\r\n00A\r\n0123456789\r\n0\r\nX: y\r\n\r\n' + GOOD,
    CHUNKED_HEAD.replace(b"/", b"/unread", 1) + b"3\r\nabc\r\n0\r\n\r\n" + GOOD,
]

# Where requests are spoilt in practice: line ends, blanks, framing, and any byte at all.
SPOILS = st.one_of(
    st.sampled_from([b"\r", b"\n", b"\r\n", b" ", b"\t", b"\x00", b":", b",", b";", b"0", b"-"]),
    st.sampled_from(
        [
            b"Content-Length: 5\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: identity\r\n",
            b"Host: b\r\n",
            b"Expect: 100-continue\r\n",
            b"Connection: close\r\n",
            b"Connection: upgrade\r\nUpgrade: websocket\r\n",
            b"HTTP/1.0",
            b"HTTP/2.0",
            b"%00",
            b"/../..",
            GOOD,
        ]
    ),
    st.binary(min_size=1, max_size=3),
)


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    raw = draw(st.sampled_from([*SEEDS, *SEEDS, *(case.raw for case in CASES[::7])]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, min(len(raw), 300)))
        size = draw(st.integers(0, 8))
        match draw(st.sampled_from(["insert", "replace", "delete", "repeat"])):
            case "insert":
                raw = raw[:start] + draw(SPOILS) + raw[start:]
            case "replace":
                spoil = draw(SPOILS)
                raw = raw[:start] + spoil + raw[start + len(spoil) :]
            case "delete":
                raw = raw[:start] + raw[start + size :]
            case _:
                raw = raw[: start + size] + raw[start:]
    return raw


async def answers_to(site: HostileSite, raw: bytes) -> list[int]:
    """The statuses of all answers on a connection that gets ``raw`` and then nothing more."""
    statuses: list[int] = []
    async with trio.open_nursery() as server:
        server.start_soon(site.connections.expire)
        client, bystander = site.connect(server), site.connect(server)
        started = trio.current_time()
        await client.send(raw)
        await check_good(bystander)
        site.access.all.clear()
        data = await client.rest()
        # Whatever there is to wait for, twice: a head or a body, and the reading of the rest.
        assert trio.current_time() - started <= TIMEOUT + LINGER_PAUSE + 5 * GRAIN
        await client.stream.aclose()
        await bystander.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert len(site.connections) == 0
        while data:
            head, separator, data = data.partition(b"\r\n\r\n")
            assert separator, head
            assert head.startswith(b"HTTP/1.1 "), head
            statuses.append(int(head[9:12]))
            data = data[data.find(b"HTTP/1.1 ") :] if b"HTTP/1.1 " in data else b""
        server.cancel_scope.cancel()
    return statuses


def test_generated_requests_are_answered_alike(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Good requests spoilt at random: every connection ends in time, with answers that are
    answers, a bystander is served, and both parsers answer the same."""
    seen: dict[int, int] = {}
    with (
        open_hostile_site(tmp_path_factory.mktemp("a"), "httptools") as one,
        open_hostile_site(tmp_path_factory.mktemp("b"), "h11") as two,
    ):

        @settings(max_examples=500, deadline=None, derandomize=True)
        @given(spoilt())
        def check(raw: bytes) -> None:
            found = []
            for site in (one, two):
                clock = trio.testing.MockClock(autojump_threshold=0)
                found.append(trio.run(answers_to, site, raw, clock=clock))
                site.check_unhurt()
            assert found[0] == found[1]
            assert set(found[0]) <= REFUSALS | {100, 200}
            assert all(status in (100, 200) for status in found[0][:-1])
            for status in found[0]:
                seen[status] = seen.get(status, 0) + 1

        check()
    # The generator does its work: mostly refusals, of several kinds, and some that pass.
    assert sum(seen[status] for status in seen if status >= 400) > 250
    assert {200, 400, 501} <= set(seen)


@pytest.mark.parametrize("parser", PARSERS)
async def test_a_sample_over_real_sockets(tmp_path: Path, parser: str) -> None:
    """Every ninth of the corpus to a whole worker over TCP: the status arrives although the
    client has sent more than the server reads, and a good connection is served in between."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.replace("PARSER", parser))
    config = load_config(path, engines=["luajit"])
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            [listener] = await nursery.start(serve, config, LuaRoutes)
            good = Client(await trio.open_tcp_stream("127.0.0.1", listener.port))
            for case in CASES[::9]:
                client = Client(await trio.open_tcp_stream("127.0.0.1", listener.port))
                await client.send(case.raw + b"\r\n" * 1000)
                await check_refused(client, case)
                await client.stream.aclose()
                await check_good(good)
            await good.stream.aclose()
            nursery.cancel_scope.cancel()
    assert "Traceback" not in (tmp_path / "logs" / "error.log").read_text()
