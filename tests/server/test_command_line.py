"""``python -m candy_trio``: exit statuses, and words instead of tracebacks."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from candy_trio.cli import main
from candy_trio.version import VERSION

REDIRECT = '[[host.route]]\nlocation = "/"\nredirect_to = "https://new.test$uri"\n'
VALID = f'log_folder = "-"\n[[host]]\nip = "127.0.0.1"\nport = 0\n{REDIRECT}'


def write(folder: Path, text: str) -> str:
    path = folder / "config.toml"
    path.write_text(text)
    return str(path)


def test_version_names_what_it_stands_on(capsys: pytest.CaptureFixture[str]) -> None:
    """--version prints the versions of server, Python, trio and lupa, and the engines."""
    assert main(["--version"]) == 0
    out = capsys.readouterr().out
    for line in (
        f"candy_trio {re.escape(VERSION)}",
        "Python 3",
        "trio ",
        "lupa ",
        "luajit: LuaJIT",
    ):
        assert re.search(f"^{line}", out, re.MULTILINE), line


def test_check_accepts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--check of a valid file says so and exits with 0, without serving."""
    assert main(["--check", write(tmp_path, VALID)]) == 0
    assert "valid" in capsys.readouterr().out


def test_check_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every problem has its line on standard error; the status is 1."""
    text = VALID.replace("port = 0", "port = 99999\ntimeuot = 1")
    for arguments in (["--check"], []):
        assert main([*arguments, write(tmp_path, text)]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "99999" in captured.err
        assert "timeuot" in captured.err
        assert "Traceback" not in captured.err


def test_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is a problem like any other."""
    assert main([str(tmp_path / "none.toml")]) == 1
    assert "none.toml" in capsys.readouterr().err


def test_taken_port(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A port in use: one line that names the key, status 1, no traceback."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main([write(tmp_path, VALID.replace("port = 0", f"port = {port}"))]) == 1
    error = capsys.readouterr().err
    assert f"port = {port}: the address is already in use" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_process_serves_and_stops(tmp_path: Path, number: signal.Signals) -> None:
    """The module runs as a program: it logs its URL, answers there, and a signal ends it with
    status 0 and without a traceback."""
    process = subprocess.Popen(
        [sys.executable, "-m", "candy_trio", write(tmp_path, VALID)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stderr is not None
        errors = ""
        while "listening on" not in errors:
            line = process.stderr.readline()
            assert line, errors
            errors += line
        url = re.search(r"listening on (\S+)", errors)
        assert url is not None

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *args: object) -> None:
                return None

        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay)
        with pytest.raises(urllib.error.HTTPError) as caught:
            opener.open(f"{url[1]}/x", timeout=10)
        with caught.value as answer:
            assert answer.code == 301
            assert answer.headers["Location"] == "https://new.test/x"
        process.send_signal(number)
        out, rest = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "Traceback" not in errors + rest
    assert '"GET /x HTTP/1.1" 301' in out
