"""config.toml at the top: what a person sees first."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import tomli
from serving_process import ROOT, Server

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_it_listens_where_the_readme_says() -> None:
    """Port 8080 of this machine only, logging to the terminal."""
    config = tomli.loads((ROOT / "config.toml").read_text())
    [host] = config["host"]
    assert (host["ip"], host["port"], config["log_folder"]) == ("127.0.0.1", 8080, "-")


def test_there_are_routes_on_both_kinds_of_engine() -> None:
    """LuaJIT and PUC."""
    config = tomli.loads((ROOT / "config.toml").read_text())
    engines = {
        route.get("lua_engine", config["lua_engine"])
        for route in config["host"][0]["route"]
        if "lua_script" in route
    }
    assert {"luajit", "puc"} <= engines


def test_the_index_links_every_route(example: Server) -> None:
    """Each location but its own, and each link leads somewhere."""
    index = example.request("/")
    assert index.status == 200
    links = re.findall(r'<a href="([^"]+)"', index.text)
    config = tomli.loads((ROOT / "config.toml").read_text())
    locations = {route["location"].removeprefix("= ") for route in config["host"][0]["route"]}
    assert {link.partition("?")[0] for link in links} == locations - {"/"}
    assert {example.request(link).status for link in links} == {200, 302}


def test_the_pages_need_nothing_from_elsewhere(example: Server) -> None:
    """Each is one answer, made for small screens, too."""
    for path in ("/", "/counter", "/guestbook", "/engine/luajit", "/engine/puc"):
        page = example.request(path)
        assert page.header("Content-Type") == "text/html; charset=utf-8"
        assert 'name="viewport" content="width=device-width' in page.text
        assert re.search(r"<script|<link|src=|url\(|https?://", page.text) is None


def test_hello_greets(example: Server) -> None:
    """By name, as plain text."""
    reply = example.request("/hello?name=%3Cb%3E")
    assert (reply.text, reply.header("Content-Type")) == ("hello, <b>\n", "text/plain")
    assert example.request("/hello").text == "hello, world\n"


def test_the_engine_pages_run_on_the_engine_they_name(example: Server) -> None:
    """One script, two answers."""
    luajit, puc = (example.request(f"/engine/{name}").text for name in ("luajit", "puc"))
    assert "<h1>Engine: luajit</h1>" in luajit
    assert "LuaJIT 2.1" in luajit
    assert "<code>10 / 2</code></th><td>5</td>" in luajit
    assert "<h1>Engine: lua54</h1>" in puc
    assert "<code>10 / 2</code></th><td>5.0</td>" in puc
    assert "<code>_VERSION</code></th><td>Lua 5.4</td>" in puc


def test_the_counter_counts(example: Server) -> None:
    """One more with each request."""
    numbers = [
        int(re.findall(r"<strong>(\d+)</strong>", example.request("/counter").text)[0])
        for _ in range(3)
    ]
    assert numbers == list(range(numbers[0], numbers[0] + 3))


def sign(server: Server, **fields: str) -> tuple[int, str | None]:
    body = urlencode(fields).encode()
    reply = server.request("/guestbook", method="POST", headers=FORM, body=body)
    return reply.status, reply.header("Location")


def test_the_guestbook_keeps_what_is_posted(example: Server) -> None:
    """Newest first, escaped, ten at most; and a redirect after the post."""
    for number in range(12):
        assert sign(example, name=f"<b>{number}", text="one\ntwo ü") == (303, "/guestbook")
    page = example.request("/guestbook").text
    assert re.findall(r"<strong>&lt;b&gt;(\d+)</strong>", page) == [
        str(n) for n in range(11, 1, -1)
    ]
    assert "one\ntwo ü" in page
    assert "<b>" not in page


def test_the_guestbook_takes_complete_entries_only(example: Server) -> None:
    """422 where the name or the text is missing or too long."""
    for fields in (
        {},
        {"name": "Ada"},
        {"text": "hello"},
        {"name": " ", "text": "hello"},
        {"name": "Ada", "text": "x" * 2001},
        {"name": "x" * 161, "text": "hello"},
    ):
        assert sign(example, **fields)[0] == 422
    assert sign(example, name="a\nb", text="line of its own")[0] == 303
    assert "<strong>a b</strong>" in example.request("/guestbook").text


def test_the_old_address_leads_to_the_new_one(example: Server) -> None:
    """A redirect that a browser follows."""
    reply = example.request("/old")
    assert reply.status == 302
    assert example.request(reply.header("Location") or "").text == "hello, from the old address\n"
