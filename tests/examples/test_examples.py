"""The ten examples over HTTP, on LuaJIT and on Lua 5.4."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import tomli
from serving_process import ROOT, Reply, Server

ATTACK = '<script>alert("1")</script>\'&'
ESCAPED = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


def test_there_are_ten_examples_and_each_has_a_route() -> None:
    """Every script in the folder is served, and none that is not there."""
    config = tomli.loads((ROOT / "examples" / "config.toml").read_text())
    served = {route.get("lua_script") for route in config["host"][0]["route"]} - {None}
    assert served == {path.name for path in (ROOT / "examples").glob("*.lua")}
    assert len(served) == 10


def test_half_of_them_speak_cd_and_half_ngx() -> None:
    """A script keeps to one of the two names."""
    spoken = {"cd": 0, "ngx": 0}
    for path in (ROOT / "examples").glob("*.lua"):
        code = re.sub(r"--.*", "", path.read_text())
        names = set(re.findall(r"\b(cd|ngx)\.", code))
        assert len(names) == 1, path.name
        spoken[names.pop()] += 1
    assert spoken == {"cd": 5, "ngx": 5}


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.lua")), ids=lambda p: p.name)
def test_an_example_begins_by_saying_what_it_shows(path: Path) -> None:
    """Its first line is a comment."""
    assert path.read_text().startswith("-- ")


def test_the_front_door_leads_to_a_page(examples: Server) -> None:
    """/ is a redirect."""
    reply = examples.request("/")
    assert (reply.status, reply.header("Location")) == (302, "/page")


# ------------------------------------------------------------------ 1: API keys
def keys(server: Server, key: str | None, method: str = "GET") -> Reply:
    headers = {} if key is None else {"X-API-Key": key}
    return server.request("/keys/report", method=method, headers=headers)


@pytest.mark.parametrize("key", [None, "", "wrong", "demo-reader-keyx", "demo-reader-ke", "é"])
def test_without_a_good_key_there_is_no_answer(examples: Server, key: str | None) -> None:
    """401 with a challenge, whatever is wrong with the key."""
    reply = keys(examples, key)
    assert reply.status == 401
    assert reply.header("WWW-Authenticate") == 'ApiKey realm="examples"'
    assert "reader" not in reply.text


def test_a_key_opens_what_it_is_for(examples: Server) -> None:
    """The reader reads, the writer writes, too; neither answer may be cached for others."""
    for key, method, text in [
        ("demo-reader-key", "GET", "reader reads /keys/report\n"),
        ("demo-writer-key", "GET", "writer reads /keys/report\n"),
        ("demo-writer-key", "POST", "writer writes /keys/report\n"),
    ]:
        reply = keys(examples, key, method)
        assert (reply.status, reply.text) == (200, text)
        assert reply.header("Cache-Control") == "private, no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_key_opens_nothing_else(examples: Server, method: str) -> None:
    """403 where the key is good and the method not for it."""
    assert keys(examples, "demo-reader-key", method).status == 403


def test_a_key_is_not_logged(examples: Server) -> None:
    """The log says that a key was wrong, not which one."""
    keys(examples, "a-secret-with-a-typo")
    examples.wait_for_log(r"\[warn\].*unknown API key")
    assert "a-secret-with-a-typo" not in examples.log()


def test_the_keys_themselves_are_not_in_the_accounts() -> None:
    """The module that is used holds digests only."""
    text = (ROOT / "examples" / "lualib" / "accounts.lua").read_text()
    code = re.sub(r"--.*", "", text)
    assert "demo" not in code


# ------------------------------------------------------------------ 2: dynamic page
def test_the_page_greets(examples: Server) -> None:
    """By the name given, or as a stranger."""
    assert "<h1>Hello, Ada!</h1>" in examples.request("/page?name=Ada").text
    assert "<h1>Hello, stranger!</h1>" in examples.request("/page").text
    reply = examples.request("/page?name=")
    assert "<h1>Hello, stranger!</h1>" in reply.text
    assert reply.header("Content-Type") == "text/html; charset=utf-8"
    assert reply.header("Cache-Control") == "no-store"


def test_the_page_escapes_all_that_comes_from_outside(examples: Server) -> None:
    """The name, the address as asked for, and header fields."""
    reply = examples.request(f"/page?name={quote(ATTACK)}&raw=<i>'", headers={"X-Test": ATTACK})
    assert reply.status == 200
    assert f"<h1>Hello, {ESCAPED}!</h1>" in reply.text
    assert f"<td>{ESCAPED}</td>" in reply.text
    assert "<script" not in reply.text
    assert "<i>" not in reply.text


@pytest.mark.parametrize(
    ("query", "name"), [("name", "stranger"), ("name=a&name=b", "a"), ("name&name=b", "stranger")]
)
def test_the_page_takes_odd_arguments(examples: Server, query: str, name: str) -> None:
    """Arguments without a value or given twice."""
    assert f"<h1>Hello, {name}!</h1>" in examples.request(f"/page?{query}").text


def test_the_page_says_which_engine_made_it(
    examples: Server, request: pytest.FixtureRequest
) -> None:
    """The configuration's lua_engine is really what runs the script."""
    engine = request.node.callspec.params["examples"]
    assert f"candy_trio 0.1.0 on {engine}." in examples.request("/page").text


# ------------------------------------------------------------------ 3: rate limit
def test_the_limit_holds_within_each_window(examples: Server) -> None:
    """Of the requests of one window the first five pass, however many come at once."""
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: examples.request("/limited"), range(24)))
    windows: dict[str | None, list[Reply]] = {}
    for reply in replies:
        windows.setdefault(reply.header("X-RateLimit-Reset"), []).append(reply)
    assert len(windows) <= 2  # the clock may have gone over the end of one
    for replies_of_one in windows.values():
        passed = [reply for reply in replies_of_one if reply.status == 200]
        refused = [reply for reply in replies_of_one if reply.status == 429]
        assert len(passed) == min(5, len(replies_of_one))
        assert len(refused) == len(replies_of_one) - len(passed)
        remaining = sorted(int(reply.header("X-RateLimit-Remaining") or "") for reply in passed)
        assert remaining == list(range(5 - len(passed), 5))
        for reply in refused:
            assert 1 <= int(reply.header("Retry-After") or "") <= 60
            assert reply.header("X-RateLimit-Remaining") == "0"
            assert reply.header("X-RateLimit-Limit") == "5"


# ------------------------------------------------------------------ 4: response cache
def test_an_answer_is_computed_once_for_all_who_ask_at_once(examples: Server) -> None:
    """One MISS; the others wait for it or find it, and all get the same."""
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: examples.request("/cached?city=Lima"), range(8)))
    assert {reply.status for reply in replies} == {200}
    assert len({reply.text for reply in replies}) == 1
    how = [reply.header("X-Cache") for reply in replies]
    assert how.count("MISS") == 1
    assert set(how) <= {"MISS", "WAIT", "HIT"}


def test_a_second_request_is_answered_from_the_cache(examples: Server) -> None:
    """HIT with the same text, whatever else stands in the query or the case of the name."""
    first = examples.request("/cached?city=Hanoi")
    for target in ("/cached?city=Hanoi", "/cached?x=1&city=hanoi", "/cached?city=HANOI&city=Oslo"):
        reply = examples.request(target)
        assert reply.header("X-Cache") == "HIT"
        assert reply.text == first.text


@pytest.mark.parametrize("query", ["", "?city", "?city=", "?city=Atlantis", "?city=%00"])
def test_only_what_exists_is_cached(examples: Server, query: str) -> None:
    """404 for anything else."""
    assert examples.request("/cached" + query).status == 404


def test_an_old_answer_is_served_while_a_new_one_is_computed(
    changed_examples: Callable[..., AbstractContextManager[Server]],
) -> None:
    """STALE for those who come while somebody else is at it, once the answer is no longer fresh."""
    change = {"local FRESH = 10 ": "local FRESH = 0.01 "}
    with changed_examples("response_cache.lua", change) as server, ThreadPoolExecutor(4) as pool:
        assert server.request("/cached?city=Oslo").header("X-Cache") == "MISS"
        seen: set[str | None] = set()
        for _ in range(20):
            replies = list(pool.map(lambda _: server.request("/cached?city=Oslo"), range(4)))
            seen |= {reply.header("X-Cache") for reply in replies}
            if "STALE" in seen:
                break
        assert {"MISS", "STALE"} <= seen <= {"MISS", "STALE", "HIT"}


def test_an_error_does_not_keep_the_lock(
    changed_examples: Callable[..., AbstractContextManager[Server]],
) -> None:
    """500 for each who tries, where a lock left behind would make the second one wait: 503."""
    change = {"ngx.sleep(0.2) ": 'error("the database is down") '}
    with changed_examples("response_cache.lua", change) as server:
        for _ in range(2):
            assert server.request("/cached?city=Oslo").status == 500
        server.wait_for_log(r"response_cache\.lua:\d+: the database is down")


# ------------------------------------------------------------------ 5: form validation
GOOD = {"name": "Ada", "email": "ada@example.org", "guests": "4"}


def book(server: Server, **changed: str) -> Reply:
    body = urlencode({**GOOD, **changed}).encode()
    return server.request("/form", method="POST", headers=FORM, body=body)


def test_the_form_is_shown(examples: Server) -> None:
    """With all its fields and no complaint."""
    reply = examples.request("/form")
    assert reply.status == 200
    assert re.findall(r'name="(\w+)"', reply.text) == ["viewport", "name", "email", "guests"]
    assert "<strong>" not in reply.text


def test_a_good_form_is_answered_by_a_redirect(examples: Server) -> None:
    """303, so that reloading does not post again; the page it leads to says thank you."""
    reply = book(examples, name="Søren")
    assert (reply.status, reply.header("Location")) == (303, "/form?booked")
    assert "Your table is booked." in examples.request("/form?booked").text
    examples.wait_for_log(r"\[notice\].*booked: S.*ren, 4 guests")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 61),
        ("name", "a\nb"),
        ("name", "a\0b"),
        ("email", ""),
        ("email", "ada"),
        ("email", "ada@example"),
        ("email", "a b@example.org"),
        ("email", "ada@example.org\nBcc: x@example.org"),
        ("email", "x" * 250 + "@example.org"),
        ("guests", ""),
        ("guests", "0"),
        ("guests", "13"),
        ("guests", "-1"),
        ("guests", "1.5"),
        ("guests", "1e1"),
        ("guests", "0x8"),
        ("guests", "four"),
    ],
)
def test_a_wrong_field_is_named(examples: Server, field: str, value: str) -> None:
    """422, one complaint at that field, and what was typed in the others is kept."""
    reply = book(examples, **{field: value})
    assert reply.status == 422
    assert reply.text.count("<strong>") == 1
    assert re.search(rf'name="{field}" value="[^"]*" aria-invalid="true"', reply.text)
    for other in GOOD.keys() - {field}:
        assert f'name="{other}" value="{GOOD[other]}"' in reply.text


def test_fields_that_are_missing_doubled_or_bare_are_no_surprise(examples: Server) -> None:
    """422 without any field; the first of two counts; a bare name is empty."""
    reply = examples.request("/form", method="POST", headers=FORM, body=b"")
    assert (reply.status, reply.text.count("<strong>")) == (422, 3)
    body = b"name=Ada&name=Bob&email=a@b.c&guests=1"
    assert examples.request("/form", method="POST", headers=FORM, body=body).status == 303
    body = b"name&email=a@b.c&guests=1"
    assert examples.request("/form", method="POST", headers=FORM, body=body).status == 422


def test_the_form_gives_back_what_was_typed_escaped(examples: Server) -> None:
    """Nothing typed becomes HTML."""
    reply = book(examples, name=ATTACK, guests='"><script>')
    assert f'value="{ESCAPED}"' in reply.text
    assert "<script" not in reply.text


def test_the_form_refuses_what_no_form_of_ours_sends(examples: Server) -> None:
    """Other media types, other methods, forms of other sites, too many fields."""
    body = urlencode(GOOD).encode()
    for content_type in ("text/plain", "application/json", "application/x-www-form-urlencodedx"):
        reply = examples.request(
            "/form", method="POST", headers={"Content-Type": content_type}, body=body
        )
        assert reply.status == 415
    assert examples.request("/form", method="POST", body=None).status == 415
    for site, status in [("cross-site", 403), ("same-site", 403), ("same-origin", 303)]:
        headers = {**FORM, "Sec-Fetch-Site": site}
        reply = examples.request("/form", method="POST", headers=headers, body=body)
        assert reply.status == status
    headers = {"Content-Type": "Application/X-WWW-Form-URLencoded; charset=utf-8"}
    assert examples.request("/form", method="POST", headers=headers, body=body).status == 303
    many = b"&".join(b"f%d=1" % i for i in range(11))
    assert examples.request("/form", method="POST", headers=FORM, body=many).status == 400
    reply = examples.request("/form", method="DELETE")
    assert (reply.status, reply.header("Allow")) == (405, "GET, HEAD, POST")


# ------------------------------------------------------------------ 6: router
def test_the_router_finds_its_handlers(examples: Server) -> None:
    """By method and pattern, with the parameters of the path."""
    reply = examples.request("/api/books")
    assert reply.header("Content-Type") == "application/json"
    assert [book["id"] for book in json.loads(reply.text)["books"]] == [1, 2]
    shown = json.loads(examples.request("/api/books/2").text)
    assert (shown["title"], shown["year"]) == ("Lua Programming Gems", 2008)
    assert json.loads(examples.request("/api//x/../books/./1").text)["id"] == 1


def test_no_vote_is_lost(examples: Server) -> None:
    """Votes that come at once are all counted."""
    before = json.loads(examples.request("/api/books/1").text)["votes"]
    with ThreadPoolExecutor(8) as pool:
        replies = list(
            pool.map(lambda _: examples.request("/api/books/1/votes", method="POST"), range(20))
        )
    counted = sorted(json.loads(reply.text)["votes"] for reply in replies)
    assert counted == list(range(before + 1, before + 21))


@pytest.mark.parametrize(
    "path",
    [
        "/api/", "/api/book", "/api/books/", "/api/books/3", "/api/books/0", "/api/books/1e0",
        "/api/books/-1", "/api/books/99999999999999999999", "/api/books/1/2", "/api/books/%31%00",
    ],
)  # fmt: skip
def test_the_router_answers_404(examples: Server, path: str) -> None:
    """For paths and books that are not there (a NUL in a path is malformed: 400)."""
    reply = examples.request(path)
    assert reply.status == (400 if "%00" in path else 404)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("DELETE", "/api/books", "GET"), ("GET", "/api/books/1/votes", "POST")],
)
def test_the_router_answers_405(examples: Server, method: str, path: str, allow: str) -> None:
    """With the methods that the path does have."""
    reply = examples.request(path, method=method)
    assert (reply.status, reply.header("Allow")) == (405, allow)


def test_head_is_get_without_a_body(examples: Server) -> None:
    """The same head, Content-Length included."""
    head, get = (examples.request("/api/books/2", method=method) for method in ("HEAD", "GET"))
    assert (head.status, head.body) == (200, b"")
    assert head.header("Content-Length") == get.header("Content-Length") == str(len(get.body))


# ------------------------------------------------------------------ 7: security headers
@pytest.mark.parametrize("path", ["/secure/", "/secure/style.css", "/secure/nothing"])
def test_every_answer_has_the_policy(examples: Server, path: str) -> None:
    """The page, the style sheet and the 404 alike; no HSTS over plain http."""
    reply = examples.request(path)
    policy = reply.header("Content-Security-Policy") or ""
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "unsafe-inline" not in policy
    assert reply.header("X-Content-Type-Options") == "nosniff"
    assert reply.header("Referrer-Policy") == "no-referrer"
    assert reply.header("Strict-Transport-Security") is None


def test_the_page_keeps_its_own_policy(examples: Server) -> None:
    """No inline style or script, and its style sheet really is one."""
    page = examples.request(f"/secure/?q={quote(ATTACK)}").text
    assert ESCAPED in page
    assert "<style" not in page
    assert "<script" not in page
    assert "style=" not in page
    sheet = re.search(r'<link rel="stylesheet" href="([^"]+)">', page)
    assert sheet is not None
    assert examples.request(sheet[1]).header("Content-Type") == "text/css"


def test_what_is_not_there_is_404(examples: Server) -> None:
    """With the error page of the server."""
    reply = examples.request("/secure/nothing")
    assert reply.status == 404
    assert "404 Not Found" in reply.text


# ------------------------------------------------------------------ 8: error handling
@pytest.mark.parametrize(
    ("order", "status", "text"),
    [
        ("1", 200, "2 of tea: 6 euros\n"),
        ("2", 200, "1 of coffee: 4 euros\n"),
        ("9", 404, "There is no order 9.\n"),
        ("x", 400, "Ask for ?id= and a number.\n"),
        ("", 400, "Ask for ?id= and a number.\n"),
        ("-1", 400, "Ask for ?id= and a number.\n"),
    ],
)
def test_a_visitors_mistake_is_explained(
    examples: Server, order: str, status: int, text: str
) -> None:
    """With its own status and message."""
    reply = examples.request(f"/order?id={order}")
    assert (reply.status, reply.text) == (status, text)


def test_our_mistake_is_logged_and_not_shown(examples: Server) -> None:
    """The visitor's number finds the log line, which has the message, the place, the calls."""
    reply = examples.request("/order?id=3")
    assert reply.status == 500
    found = re.fullmatch(r"Something went wrong on our side\. Please quote (\w+)\.\n", reply.text)
    assert found is not None
    entry = examples.wait_for_log(
        rf"\[error\] [^\[]*\[lua\] error_handling\.lua:\d+: [^\[]*[^#]*{found[1]}"
    )[0]
    assert "error_handling.lua:21: attempt to perform arithmetic on" in entry
    assert "'price'" in entry
    assert "in main chunk" in entry


def test_exit_passes_through_xpcall(examples: Server) -> None:
    """403 with the server's page: nothing of the script's."""
    reply = examples.request("/order?id=4")
    assert reply.status == 403
    assert "403 Forbidden" in reply.text
    assert "tea" not in reply.text


# ------------------------------------------------------------------ 9: JSON service
def post_note(server: Server, value: Any) -> Reply:
    return server.request("/notes", method="POST", headers=JSON, body=json.dumps(value).encode())


def test_a_note_lives(examples: Server) -> None:
    """Created, shown, listed, deleted; deleted again as well; then not found."""
    created = post_note(examples, {"text": 'tea "é" 😀\n', "id": 7, "admin": True})
    assert created.status == 201
    note = json.loads(created.text)
    assert note.keys() == {"id", "text"}
    assert note["text"] == 'tea "é" 😀\n'
    place = created.header("Location") or ""
    assert place == f"/notes/{note['id']}"
    assert json.loads(examples.request(place).text) == note
    assert note in json.loads(examples.request("/notes").text)["notes"]
    for _ in range(2):
        deleted = examples.request(place, method="DELETE")
        assert (deleted.status, deleted.body) == (204, b"")
    assert examples.request(place).status == 404
    assert note not in json.loads(examples.request("/notes").text)["notes"]


def test_notes_that_come_at_once_get_numbers_of_their_own(examples: Server) -> None:
    """Each number once, and each note is the one that was sent."""
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda i: post_note(examples, {"text": f"note {i}"}), range(20)))
    notes = [json.loads(reply.text) for reply in replies]
    assert len({note["id"] for note in notes}) == 20
    assert [note["text"] for note in notes] == [f"note {i}" for i in range(20)]
    for note in notes:
        assert json.loads(examples.request(f"/notes/{note['id']}").text) == note


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"tea", 400),
        (b'{"text": "tea"', 400),
        (b'{"text": "tea"} x', 400),
        (b"[" * 5000, 400),
        (b'"tea"', 422),
        (b"null", 422),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"text": ""}', 422),
        (b'{"text": null}', 422),
        (b'{"text": 5}', 422),
        (b'{"text": "' + b"x" * 1001 + b'"}', 422),
        (b'{"text": "' + b"x" * 20000 + b'"}', 413),
    ],
    ids=lambda value: str(value[:12]) if isinstance(value, bytes) else str(value),
)
def test_what_is_no_note_is_refused(examples: Server, body: bytes, status: int) -> None:
    """With a status that says what is wrong, and a JSON object with the reason."""
    reply = examples.request("/notes", method="POST", headers=JSON, body=body)
    assert reply.status == status
    assert json.loads(reply.text).keys() == {"error"}


def test_another_type_or_method_is_refused(examples: Server) -> None:
    """415, and 405 with the methods that there are."""
    body = b'{"text": "tea"}'
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/jsonx"}):
        reply = examples.request("/notes", method="POST", headers=headers, body=body)
        assert reply.status == 415
    typed = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert examples.request("/notes", method="POST", headers=typed, body=body).status == 201
    for target, method, allow in [
        ("/notes", "DELETE", "GET, HEAD, POST"),
        ("/notes/1", "POST", "DELETE, GET, HEAD"),
    ]:
        reply = examples.request(target, method=method, headers=JSON, body=body)
        assert (reply.status, reply.header("Allow")) == (405, allow)


@pytest.mark.parametrize("target", ["/notes/", "/notes/x", "/notes/1/2", "/notes/-1", "/notess"])
def test_other_paths_are_not_the_services(examples: Server, target: str) -> None:
    """The location takes /notes and /notes/NUMBER only."""
    assert examples.request(target).status == 404


# ------------------------------------------------------------------ 10: streaming
def test_the_export_is_complete(examples: Server) -> None:
    """Every row, in order, chunked, with the type and name of a file."""
    reply = examples.request("/export?rows=1234")
    rows = ["row,value", *(f"{row},{row * row % 1009}" for row in range(1, 1235))]
    assert reply.text.splitlines() == rows
    assert reply.header("Content-Type") == "text/csv"
    assert reply.header("Transfer-Encoding") == "chunked"
    assert reply.header("Content-Disposition") == 'attachment; filename="measurements.csv"'


@pytest.mark.parametrize(("query", "rows"), [("", 5000), ("?rows=0", 0), ("?rows=500", 500)])
def test_the_export_has_as_many_rows_as_asked_for(examples: Server, query: str, rows: int) -> None:
    """At the edges of a batch, too."""
    assert len(examples.request("/export" + query).text.splitlines()) == rows + 1


@pytest.mark.parametrize("rows", ["x", "-1", "1.5", "1e3", "1000001", "99999999999", "0x10"])
def test_a_wrong_number_of_rows_is_found_before_anything_is_sent(
    examples: Server, rows: str
) -> None:
    """400, as text."""
    reply = examples.request(f"/export?rows={rows}")
    assert (reply.status, reply.header("Content-Type")) == (400, "text/plain")
    assert reply.header("Content-Disposition") is None


def test_the_export_begins_before_it_is_complete(examples: Server) -> None:
    """A client that does not read on holds up its own export, and nobody else's request."""
    with examples.connect() as stalled:
        stalled.sendall(b"GET /export?rows=1000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        first = stalled.recv(4096)
        assert first.startswith(b"HTTP/1.1 200 ")
        # The whole of it takes 2,000 batches of 10 ms: 20 s, and more than the sockets' buffers.
        assert len(examples.request("/export?rows=500").text.splitlines()) == 501
