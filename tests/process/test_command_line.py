"""``python -m candy_trio`` as a person and a service manager meet it: a real process."""

from __future__ import annotations

import os
import re
import signal
import socket
from pathlib import Path

import pytest
import trio
from running import (
    COMMAND,
    ENVIRONMENT,
    PATIENCE,
    get,
    read_rest,
    read_until,
    run,
    running,
    write_config,
)

from candy_trio import cli
from candy_trio.version import VERSION

SLOW = 'cd.sleep(0.5) cd.print("done")'
STUCK = "cd.sleep(25)"

POLL = 0.02
"""Seconds between two looks at a file."""


async def exists(*paths: Path) -> None:
    """Wait until another process has made all of them."""
    with trio.fail_after(PATIENCE):
        while not all(path.exists() for path in paths):  # noqa: ASYNC110 - no Event of theirs here
            await trio.sleep(POLL)


def read(path: Path) -> str:
    return path.read_text()


def test_version_names_what_it_stands_on(tmp_path: Path) -> None:
    """--version prints the versions of server, Python, trio and lupa, and every engine's."""
    ended = run("--version", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    expected = [
        f"candy_trio {re.escape(VERSION)}",
        r"Python 3\.\d+",
        r"trio \d",
        r"lupa \d",
        "luajit: LuaJIT 2.1",
        *(rf"lua5{minor}: .*5\.{minor}" for minor in range(1, 6)),
    ]
    for line in expected:
        assert re.search(f"^{line}", ended.stdout, re.MULTILINE), line


def test_a_wrong_word_in_the_environment_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server says what it must be, and does not start; --version says it for each engine."""
    monkeypatch.setitem(ENVIRONMENT, "CANDY_TRIO_SLICER", "timer")
    write_config(tmp_path)
    problem = "CANDY_TRIO_SLICER=timer: must be one of extension, ctypes, hooks\n"
    ended = run("config.toml", folder=tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", problem)
    ended = run("--version", folder=tmp_path)
    assert ended.returncode == 0
    assert f", {problem}" in ended.stdout


def test_wrong_arguments_are_status_2(tmp_path: Path) -> None:
    """An option that is not there: usage on standard error, as argparse does."""
    ended = run("--chekc", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "usage: candy-trio" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_check_of_a_good_file(tmp_path: Path) -> None:
    """--check says ok and exits with 0; it serves nothing and makes no logs."""
    write_config(tmp_path)
    ended = run("--check", "config.toml", folder=tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "config.toml: ok\n", "")
    assert not (tmp_path / "logs").exists()


def test_check_shows_warnings(tmp_path: Path) -> None:
    """What has no effect is named before the ok, and the status stays 0."""
    write_config(tmp_path, top='lua_memory_limit = "2g"')
    ended = run("--check", "config.toml", folder=tmp_path)
    assert ended.returncode == 0
    warning, ok = ended.stdout.splitlines()
    assert "lua_memory_limit is more than lua_vm_memory" in warning
    assert ok == "config.toml: ok"


WRONG = {
    "unknown key": ("port = 0", "port = 0\ntimeuot = 1", ['"timeout"', "timeuot"]),
    "port out of range": ("port = 0", "port = 99999", ["99999"]),
    "wrong type": ("port = 0", 'port = "http"', ["port"]),
    "not TOML": ("port = 0", "port = ", ["config.toml"]),
    "no script": (
        "[[host.route]]",
        '[[host.route]]\nlocation = "/b"\nlua_script = "none.lua"\n[[host.route]]',
        ["none.lua"],
    ),
    "unknown engine": (
        "[[host.route]]",
        '[[host.route]]\nlua_engine = "lua56"',
        ["lua56", "lua51, lua52, lua53, lua54, lua55, luajit"],
    ),
    "not built yet": ("[[host]]", "workers = 4\n[[host]]", ["workers", "not supported yet"]),
}


@pytest.mark.parametrize("arguments", [("--check",), ()], ids=["check", "serve"])
@pytest.mark.parametrize(("old", "new", "words"), WRONG.values(), ids=WRONG)
def test_wrong_files(
    tmp_path: Path, old: str, new: str, words: list[str], arguments: tuple[str, ...]
) -> None:
    """Checked or served, a wrong file is named with what is wrong, on standard error; status 1,
    no traceback, and nothing was opened."""
    path = write_config(tmp_path)
    path.write_text(path.read_text().replace(old, new, 1))
    ended = run(*arguments, "config.toml", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    for word in words:
        assert word in ended.stderr
    assert ended.stderr.startswith("config.toml: ")
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "logs").exists()


def test_a_missing_file(tmp_path: Path) -> None:
    """It is named; without an argument that is config.toml, here."""
    for arguments, name in ((["none.toml"], "none.toml"), ([], "config.toml")):
        ended = run(*arguments, folder=tmp_path)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr == f"{name}: can't be read: No such file or directory\n"


def test_an_address_in_use(tmp_path: Path) -> None:
    """One line that names the key, the reason and the mend; status 1, no traceback."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        path = write_config(tmp_path)
        path.write_text(path.read_text().replace("port = 0", f"port = {port}"))
        ended = run("config.toml", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f'[[host]] ip = "127.0.0.1", port = {port}: the address is already in use;'
        " stop the other program or choose a free port\n"
    )


def test_a_log_folder_that_can_not_be_written(tmp_path: Path) -> None:
    """The key, the reason and the mend; status 1. (A file in its place stops even root.)"""
    (tmp_path / "taken").write_text("")
    write_config(tmp_path, top='log_folder = "taken"')
    ended = run("config.toml", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(
        r'log_folder = ".*/taken": cannot write error\.log: .*; name a folder .*\n', ended.stderr
    )


async def test_the_terminal_names_the_address_although_logs_are_files(tmp_path: Path) -> None:
    """Standard error tells the address to open, the warnings and where the logs are; the address
    answers, and the logs have the same lines."""
    async with running(write_config(tmp_path, top='lua_memory_limit = "2g"')) as server:
        await server.said(r"logs are in .*/logs\n")
        assert re.fullmatch(
            rf"candy_trio/{re.escape(VERSION)}, Python .*\n"
            r"luajit: LuaJIT 2\.1.*, .*\n"
            r"warning: .*lua_memory_limit is more than lua_vm_memory, .*\n"
            r"listening on http://127\.0\.0\.1:\d+\n"
            rf"logs are in {re.escape(str(tmp_path))}/logs\n",
            server.errors,
        )
        stream = await server.connect()
        await stream.send_all(get())
        await read_until(stream, b"\r\n\r\nhello")
        told = server.errors
        server.process.terminate()
        assert await server.end() == 0
        assert server.errors == told
    log = (tmp_path / "logs" / "error.log").read_text()
    for line in told.splitlines()[:-1]:
        assert line.removeprefix("warning: ") in log


@pytest.mark.parametrize("level", ["info", "error"])
async def test_the_terminal_names_the_address_once(tmp_path: Path, level: str) -> None:
    """With the log on the terminal the address stands there once, by the log or, where log_level
    hides it, in its place."""
    config = write_config(tmp_path, top=f'log_folder = "-"\nlog_level = "{level}"')
    async with running(config) as server:
        stream = await server.connect()
        await stream.send_all(get())
        await read_until(stream, b"\r\n\r\nhello")
        assert server.errors.count("listening on") == 1
        assert ("[notice]" in server.errors) == (level == "info")
    assert not (tmp_path / "logs").exists()


async def test_it_serves_without_anyone_to_tell(tmp_path: Path) -> None:
    """Standard error whose reader is gone does not stop the server."""
    reading, writing = os.pipe()
    os.close(reading)
    process = await trio.lowlevel.open_process(
        [*COMMAND, str(write_config(tmp_path))], env=ENVIRONMENT, stderr=writing
    )
    os.close(writing)
    log = tmp_path / "logs" / "error.log"
    try:
        await exists(log)
        with trio.fail_after(PATIENCE):
            while not (found := re.search(r"listening on http://127\.0\.0\.1:(\d+)", read(log))):
                assert process.poll() is None
                await trio.sleep(POLL)
            async with await trio.open_tcp_stream("127.0.0.1", int(found[1])) as stream:
                await stream.send_all(get())
                await read_until(stream, b"\r\n\r\nhello")
            process.terminate()
            assert await process.wait() == 0
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_gracefully(tmp_path: Path, number: signal.Signals) -> None:
    """Idle connections are closed while the request in flight still runs; that one is finished
    and told that it was the last; nobody can connect any more; status 0 and no traceback."""
    async with running(write_config(tmp_path, SLOW)) as server:
        busy, fresh, used = [await server.connect() for _ in range(3)]
        await used.send_all(get())
        await read_until(used, b"done")
        await busy.send_all(get())
        await trio.sleep(0.1)  # for the script to begin: nothing outside shows that
        server.process.send_signal(number)
        assert await read_rest(fresh) == b""
        assert await read_rest(used) == b""
        assert server.process.poll() is None
        with pytest.raises(OSError, match="all attempts to connect"):
            await server.connect()
        answer = await read_rest(busy)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nConnection: close\r\n" in answer
        assert answer.endswith(b"\r\n\r\ndone")
        await busy.aclose()
        assert await server.end() == 0
        assert "Traceback" not in server.errors
    log = (tmp_path / "logs" / "error.log").read_text()
    assert "stopping gracefully, 3 connections open" in log
    assert log.endswith(": stopped\n")
    assert (tmp_path / "logs" / "access.log").read_text().count('" 200 ') == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_second_signal_ends_at_once(tmp_path: Path, number: signal.Signals) -> None:
    """Whatever still runs is cut and logged as 499; status 0, no traceback."""
    async with running(write_config(tmp_path, STUCK)) as server:
        stream = await server.connect()
        idle = await server.connect()
        await stream.send_all(get())
        await trio.sleep(0.1)
        server.process.send_signal(number)
        assert await read_rest(idle) == b""  # the first signal has been obeyed
        assert server.process.poll() is None
        server.process.send_signal(number)
        with trio.fail_after(5):
            assert await read_rest(stream) == b""
            assert await server.end() == 0
        assert "Traceback" not in server.errors
    assert "stopping at once" in (tmp_path / "logs" / "error.log").read_text()
    assert '" 499 ' in (tmp_path / "logs" / "access.log").read_text()


async def test_requests_in_flight_have_the_timeout_to_end(tmp_path: Path) -> None:
    """At shutdown a request gets its host's ``timeout``, then the process ends all the same."""
    async with running(write_config(tmp_path, STUCK, host='timeout = "500ms"')) as server:
        stream = await server.connect()
        await stream.send_all(get())
        await trio.sleep(0.1)
        server.process.terminate()
        with trio.fail_after(5):
            assert await read_rest(stream) == b""
            assert await server.end() == 0
    assert '" 499 ' in (tmp_path / "logs" / "access.log").read_text()


async def test_sigusr1_opens_new_logs(tmp_path: Path) -> None:
    """logrotate's way: rename, signal; new files come, and what follows goes there."""
    logs = tmp_path / "logs"
    async with running(
        write_config(tmp_path, 'cd.log(cd.ERR, cd.var.uri) cd.print("ok")')
    ) as server:
        stream = await server.connect()
        await stream.send_all(get("/before"))
        await read_until(stream, b"\r\n\r\nok")
        for name in ("error.log", "access.log"):
            (logs / name).rename(logs / f"{name}.1")
        server.process.send_signal(signal.SIGUSR1)
        await exists(logs / "error.log", logs / "access.log")
        await stream.send_all(get("/after"))
        await read_until(stream, b"\r\n\r\nok")
        server.process.terminate()
        assert await server.end() == 0
    for name in ("error.log", "access.log"):
        old, new = (logs / f"{name}.1").read_text(), (logs / name).read_text()
        assert "/before" in old
        assert "/after" not in old
        assert "/after" in new
        assert "/before" not in new


def test_ctrl_c_before_the_server_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the configuration is read Ctrl-C is still Python's: status 130, as shells have it,
    and no traceback."""

    def interrupted(*arguments: object, **settings: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "load_config", interrupted)
    assert cli.main([str(write_config(tmp_path))]) == 130
    assert capsys.readouterr().err == ""
