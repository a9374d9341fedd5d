"""A request that is refused before it is one can be found in both logs."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.site import one_route, open_site

GOOD_HEAD = b"Host: localhost\r\n\r\n"

REFUSED = {
    "an unknown method": (b"FOO /a?b=1 HTTP/1.1\r\n" + GOOD_HEAD, 501, "FOO /a?b=1 HTTP/1.1"),
    "a missing Host": (b"GET /a HTTP/1.1\r\n\r\n", 400, "GET /a HTTP/1.1"),
    "a byte that is not ASCII": (
        b"GET /?name=J\xf6rg HTTP/1.1\r\n" + GOOD_HEAD,
        400,
        r"GET /?name=J\xF6rg HTTP/1.1",
    ),
    "a large head": (
        b"GET /b HTTP/1.1\r\nX: " + b"x" * 40000 + b"\r\n" + GOOD_HEAD,
        431,
        "GET /b HTTP/1.1",
    ),
    "a line that is none": (b'rubbish"\r\n\r\n', 400, r"rubbish\x22"),
}


@pytest.mark.parametrize("parser", ["httptools", "h11"])
@pytest.mark.parametrize("name", REFUSED)
async def test_a_refused_request_shows_its_line(name: str, parser: str, tmp_path: Path) -> None:
    """Both logs have the request line as it came, escaped; the second request of a connection's
    too."""
    data, status, shown = REFUSED[name]
    config = f'http_parser = "{parser}"\n' + one_route("luajit")
    async with open_site(tmp_path, config, {"t.lua": "cd.say('ok')"}) as site:
        good = b"GET /good HTTP/1.1\r\n" + GOOD_HEAD
        stream = site.connect()
        async with stream:
            await stream.send_all(good + data)
            received = b"".join([part async for part in stream])
        assert b"HTTP/1.1 %d " % status in received
        assert f'request: "{shown}"' in site.log().splitlines()[-1]
        access = (tmp_path / "logs" / "access.log").read_text().splitlines()
        assert f'"{shown}" {status} ' in access[-1]
        assert '"GET /good HTTP/1.1" 200 ' in access[0]
