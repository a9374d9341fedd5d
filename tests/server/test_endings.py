"""How requests end: jumps, pages, errors before and after the head, and the log of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
from serving import TEXT, MakeSite, request, route

from candy_trio.errors import ClientGone, ProtocolError, RequestError
from candy_trio.handlers.base import DONE, Finish, Jump, Outcome

if TYPE_CHECKING:
    from candy_trio.pipeline.exchange import Exchange


async def test_no_route_is_404(make_site: MakeSite) -> None:
    """What no location matches gets the page, and the connection goes on."""
    site = make_site(routes=route("hello", "= /a"))
    client = await site.connect()
    answer = await client.get("/b")
    assert answer.status == 404
    assert answer.header("content-type") == "text/html"
    assert b"<h1>404 Not Found</h1>" in answer.body
    assert (await client.get("/a")).status == 200


async def test_internal_route_is_404_from_outside(make_site: MakeSite) -> None:
    """``internal`` routes are reached by a jump only."""

    async def jump(exchange: Exchange) -> Outcome:
        return Jump(b"/in")

    site = make_site(
        routes=route("hello", "= /in", "internal = true") + route("jump", "= /out"), jump=jump
    )
    client = await site.connect()
    assert (await client.get("/in")).status == 404
    assert (await client.get("/out")).body == b"hello /in"


async def test_path_that_leaves_the_root_is_400(make_site: MakeSite) -> None:
    """A target that can't be normalised is a protocol error: 400, connection closed."""
    client = await make_site().connect()
    assert (await client.get("/../etc/passwd")).status == 400
    assert await client.rest() == b""


async def test_jump_keeps_or_replaces_arguments(make_site: MakeSite) -> None:
    """A jump routes again, with the old query string or a new one, and says internal."""
    seen: list[tuple[bytes, bytes, bool]] = []

    async def target(exchange: Exchange) -> Outcome:
        seen.append((exchange.uri, exchange.args, exchange.internal))
        return DONE

    async def keep(exchange: Exchange) -> Outcome:
        return Jump(b"/target")

    async def replace(exchange: Exchange) -> Outcome:
        return Jump(b"@named", b"b=2")

    site = make_site(
        routes=route("target", "= /target")
        + route("target", "@named")
        + route("keep", "= /keep")
        + route("replace", "= /replace"),
        target=target,
        keep=keep,
        replace=replace,
    )
    client = await site.connect()
    await client.get("/keep?a=1")
    await client.get("/replace?a=1")
    assert seen == [(b"/target", b"a=1", True), (b"/replace", b"b=2", True)]


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (b"/x", 'rewrite or internal redirection cycle while internally redirecting to "/x"'),
        (b"@x", 'rewrite or internal redirection cycle while redirect to named location "@x"'),
    ],
)
async def test_eleventh_jump_is_refused(make_site: MakeSite, uri: bytes, message: str) -> None:
    """Ten jumps pass, the next is 500 with nginx's line in the log."""
    jumps: list[int] = []

    async def again(exchange: Exchange) -> Outcome:
        jumps.append(exchange.jumps)
        if exchange.args == b"stop" and exchange.jumps == 10:
            return DONE
        return Jump(uri)

    site = make_site(routes=route("again", "/") + route("again", "@x"), again=again)
    client = await site.connect()
    assert (await client.get("/?stop")).status == 200
    assert (await client.get("/")).status == 500
    assert max(jumps) == 10
    assert message in site.errors.text


async def test_unknown_named_location_is_500(make_site: MakeSite) -> None:
    """As in nginx."""

    async def jump(exchange: Exchange) -> Outcome:
        return Jump(b"@nowhere")

    site = make_site(routes=route("jump"), jump=jump)
    client = await site.connect()
    assert (await client.get()).status == 500
    assert 'could not find named location "@nowhere"' in site.errors.text


async def test_finish_gives_the_page_and_its_headers(make_site: MakeSite) -> None:
    """Finish sends the page of a status with the header lines that come with it."""

    async def finish(exchange: Exchange) -> Outcome:
        return Finish(302, b"Location: /there\r\n")

    client = await make_site(routes=route("finish"), finish=finish).connect()
    answer = await client.get()
    assert answer.status == 302
    assert answer.header("location") == "/there"
    assert b"<h1>302 Found</h1>" in answer.body
    assert (await client.get()).status == 302


@pytest.mark.parametrize(("status", "length"), [(200, "0"), (204, None), (304, None), (599, "0")])
async def test_finish_without_a_page(make_site: MakeSite, status: int, length: str | None) -> None:
    """Statuses without a page have no body, and no Content-Type for it."""

    async def finish(exchange: Exchange) -> Outcome:
        return Finish(status)

    client = await make_site(routes=route("finish"), finish=finish).connect()
    answer = await client.get()
    assert (answer.status, answer.body) == (status, b"")
    assert answer.header("content-length") == length
    assert answer.header("content-type") is None


@pytest.mark.parametrize("status", [408, 444, 499])
async def test_silent_statuses_send_nothing(make_site: MakeSite, status: int) -> None:
    """The connection is closed without an answer, the log shows the status."""

    async def finish(exchange: Exchange) -> Outcome:
        return Finish(status)

    site = make_site(routes=route("finish"), finish=finish)
    client = await site.connect()
    await client.send(request("GET"))
    assert await client.rest() == b""
    assert await site.statuses() == [status]


async def test_handler_that_answers_nothing(make_site: MakeSite) -> None:
    """Done without a response is 200 with an empty body."""

    async def nothing(exchange: Exchange) -> Outcome:
        return DONE

    client = await make_site(routes=route("nothing"), nothing=nothing).connect()
    answer = await client.get()
    assert (answer.status, answer.body, answer.header("content-length")) == (200, b"", "0")


@pytest.mark.parametrize(
    ("error", "status", "kept", "logged"),
    [
        (ZeroDivisionError("oops"), 500, True, "ZeroDivisionError: oops"),
        (RequestError(504, "too slow"), 504, True, "too slow"),
        (ProtocolError(400, "nonsense"), 400, False, "nonsense"),
    ],
)
async def test_error_before_the_head(
    make_site: MakeSite, error: Exception, status: int, kept: bool, logged: str
) -> None:
    """An error gives its page and its line, with the request; only protocol errors close."""

    async def fail(exchange: Exchange) -> Outcome:
        raise error

    site = make_site(routes=route("fail"), fail=fail)
    client = await site.connect()
    answer = await client.get("/path")
    assert answer.status == status
    assert b"oops" not in answer.body
    assert (answer.header("connection") == "keep-alive") == kept
    assert await site.statuses() == [status]
    assert logged in site.errors.text
    assert 'request: "GET /path HTTP/1.1"' in site.errors.text
    assert site.access.all[0].request_id in site.errors.text
    if kept:
        assert (await client.get()).status == status


@pytest.mark.parametrize(
    ("error", "status"), [(ZeroDivisionError(), 500), (RequestError(504, "slow"), 504)]
)
async def test_error_after_the_head(make_site: MakeSite, error: Exception, status: int) -> None:
    """What was sent stays sent, the body has no end, the connection closes, the log tells."""

    async def fail(exchange: Exchange) -> Outcome:
        exchange.response.begin(200, TEXT, None)
        exchange.response.write(b"part")
        raise error

    site = make_site(routes=route("fail"), fail=fail)
    client = await site.connect()
    answer = await client.get()
    assert (answer.status, answer.body, answer.complete) == (200, b"part", False)
    assert await client.rest() == b""
    assert await site.statuses() == [status]


async def test_client_gone_sends_nothing(make_site: MakeSite) -> None:
    """ClientGone from a handler: nothing is sent, 499 in the log."""

    async def fail(exchange: Exchange) -> Outcome:
        raise ClientGone("left")

    site = make_site(routes=route("fail"), fail=fail)
    client = await site.connect()
    await client.send(request("GET"))
    assert await client.rest() == b""
    assert await site.statuses() == [499]


async def test_body_longer_than_promised_is_cut(make_site: MakeSite) -> None:
    """The promised length goes out, the rest does not, and the log says how much that was."""

    async def long(exchange: Exchange) -> Outcome:
        exchange.response.begin(200, TEXT, 5)
        exchange.response.write(b"abc")
        exchange.response.write(b"defgh")
        return DONE

    site = make_site(routes=route("long"), long=long)
    client = await site.connect()
    assert (await client.get()).body == b"abcde"
    assert (await client.get()).body == b"abcde"
    assert "3 bytes longer than its Content-Length" in site.errors.text


async def test_body_shorter_than_promised_ends_the_connection(make_site: MakeSite) -> None:
    """A client must be able to tell that bytes are missing."""

    async def short(exchange: Exchange) -> Outcome:
        exchange.response.begin(200, TEXT, 5)
        exchange.response.write(b"abc")
        return DONE

    client = await make_site(routes=route("short"), short=short).connect()
    answer = await client.get()
    assert (answer.body, answer.complete) == (b"abc", False)


async def test_redirect_route(make_site: MakeSite) -> None:
    """redirect_to is filled in from the request; control bytes of the path can't split it."""
    routes = (
        '[[host.route]]\nlocation = "/"\nredirect_to = "https://new.test$uri$is_args$args"\n'
        "redirect_code = 308\n"
    )
    client = await make_site(routes=routes).connect()
    answer = await client.get("/a%0d%0aX-Y:1?b=%20")
    assert answer.status == 308
    assert answer.header("location") == "https://new.test/a%0D%0AX-Y:1?b=%20"
    assert b"<h1>308 Permanent Redirect</h1>" in answer.body


async def test_bytes_are_counted(make_site: MakeSite) -> None:
    """The access log has the bytes of head and body, and of the body alone, chunk sizes too."""

    async def stream(exchange: Exchange) -> Outcome:
        exchange.response.begin(200, b"", None)
        exchange.response.write(b"x" * 20)
        return DONE

    site = make_site(routes=route("hello", "= /a") + route("stream", "= /b"), stream=stream)
    for path in ("/a", "/b"):
        client = await site.connect()
        await client.send(request("GET", path, "Connection: close"))
        data = await client.rest()
        await site.statuses()
        record = site.access.all[-1]
        assert record.bytes_sent == len(data)
        assert record.body_bytes_sent == len(data.partition(b"\r\n\r\n")[2])


async def test_server_tokens_hide_the_version(make_site: MakeSite) -> None:
    """server_tokens = false takes the version out of header and pages, refusals included."""
    site = make_site("server_tokens = false", routes=route("hello", "= /"))
    client = await site.connect()
    for answer in (await client.get(), await client.get("/no")):
        assert answer.header("server") == "candy_trio"
        assert b"candy_trio/" not in answer.body
    await client.send(b"NONSENSE\r\n\r\n")
    answer = await client.answer()
    assert answer.header("server") == "candy_trio"
    assert b"<center>candy_trio</center>" in answer.body


async def test_mistake_of_the_server_ends_one_connection_only(
    make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error outside any request is logged with its traceback, and others are served on."""
    site = make_site()
    client = await site.connect()
    with monkeypatch.context() as patch:
        patch.setattr(site.app.head_writer, "_now", lambda: 1 / 0)
        await client.send(b"NONSENSE\r\n\r\n")
        assert await client.rest() == b""
    assert "ZeroDivisionError" in site.errors.text
    assert (await (await site.connect()).get()).status == 200


async def test_requests_are_independent(make_site: MakeSite) -> None:
    """Many connections at once each get their own answers."""
    site = make_site()

    async def ask(number: int) -> None:
        client = await site.connect()
        for turn in range(3):
            assert (
                await client.get(f"/{number}-{turn}")
            ).body == f"hello /{number}-{turn}".encode()

    async with trio.open_nursery() as nursery:
        for number in range(50):
            nursery.start_soon(ask, number)
