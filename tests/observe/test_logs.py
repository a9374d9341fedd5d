"""Both logs, as the configuration asks for them."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Literal

import msgspec
import pytest
import trio
import trio.testing

from candy_trio.errors import ConfigError
from candy_trio.observe.access_log import AccessRecord
from candy_trio.observe.log import Level
from candy_trio.observe.logs import open_logs

if TYPE_CHECKING:
    from pathlib import Path

RECORD = AccessRecord(0.0, "id", "::1", b"GET", b"/", b"HTTP/1.1", 200, 0, 0, 0.0, b"", b"", b"")


class Settings(msgspec.Struct, frozen=True):
    log_folder: str
    log_level: str = "info"
    access_log: Literal["combined", "json"] | None = "combined"


async def test_both_logs_are_written_while_it_runs(tmp_path: Path) -> None:
    """run writes both files, and what is left when it is cancelled; a request id is in both."""
    logs = open_logs(Settings(str(tmp_path / "new" / "logs")))
    assert logs.access is not None
    async with trio.open_nursery() as nursery:
        await nursery.start(logs.run)
        logs.error.log(Level.INFO, "one")
        logs.access.log(RECORD)
        await trio.testing.wait_all_tasks_blocked()
        folder = tmp_path / "new" / "logs"
        assert b": one\n" in (folder / "error.log").read_bytes()
        assert b' "-" "-" id\n' in (folder / "access.log").read_bytes()
        logs.error.log(Level.INFO, "two")
        nursery.cancel_scope.cancel()
    assert b": two\n" in (folder / "error.log").read_bytes()
    logs.close()


def test_the_configuration_decides(tmp_path: Path) -> None:
    """log_level sets the threshold, access_log = false makes no access log at all."""
    logs = open_logs(Settings(str(tmp_path), "warn", None))
    assert logs.access is None
    assert not logs.error.enabled(Level.NOTICE)
    assert [entry.name for entry in tmp_path.iterdir()] == ["error.log"]
    logs.close()


def test_json(tmp_path: Path) -> None:
    """access_log = "json" writes objects."""
    logs = open_logs(Settings(str(tmp_path), access_log="json"))
    assert logs.access is not None
    logs.access.log(RECORD)
    logs.close()
    assert (tmp_path / "access.log").read_bytes().startswith(b'{"time":"')


def test_a_dash_is_standard_error_and_output(capfd: pytest.CaptureFixture[str]) -> None:
    """log_folder = "-": the error log goes to standard error, the access log to standard
    output, and neither is closed."""
    for _ in range(2):
        logs = open_logs(Settings("-"))
        assert logs.access is not None
        logs.error.log(Level.ERR, "trouble")
        logs.access.log(RECORD)
        logs.close()
    out, err = capfd.readouterr()
    assert (out.count("GET /"), err.count("trouble")) == (2, 2)
    assert "trouble" not in out


def test_reopen_makes_new_files(tmp_path: Path) -> None:
    """After both files were renamed, reopen writes to new ones."""
    logs = open_logs(Settings(str(tmp_path)))
    assert logs.access is not None
    for name in ("error.log", "access.log"):
        (tmp_path / name).rename(tmp_path / (name + ".1"))
    logs.reopen()
    logs.error.log(Level.INFO, "new")
    logs.access.log(RECORD)
    logs.flush()
    assert b"new" in (tmp_path / "error.log").read_bytes()
    assert b"GET" in (tmp_path / "access.log").read_bytes()
    assert (tmp_path / "error.log.1").read_bytes() == b""
    logs.close()


def test_reopen_that_fails_is_logged(tmp_path: Path) -> None:
    """A log that can't be reopened stays open, and the error log tells."""
    logs = open_logs(Settings(str(tmp_path)))
    (tmp_path / "access.log").unlink()
    (tmp_path / "access.log").mkdir()
    logs.reopen()
    logs.close()
    assert b"[alert]" in (tmp_path / "error.log").read_bytes()


def test_a_folder_that_cannot_be_written_is_a_configuration_error(tmp_path: Path) -> None:
    """The error names the key, the folder, the file and what to do."""
    (tmp_path / "file").write_bytes(b"")
    folder = str(tmp_path / "file")
    with pytest.raises(ConfigError) as caught:
        open_logs(Settings(folder))
    (problem,) = caught.value.problems
    for part in ("log_folder", folder, "error.log", "name a folder"):
        assert part in problem


def test_losses_of_the_access_log_are_told_in_the_error_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each log's dropped lines are reported under its own name, in the error log."""
    logs = open_logs(Settings(str(tmp_path)))
    assert logs.access is not None

    def fail(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as broken:
        broken.setattr("os.write", fail)
        logs.access.log(RECORD)
        logs.error.log(Level.INFO, "lost")
        logs.flush()
    logs.access.log(RECORD)
    logs.error.log(Level.INFO, "kept")
    logs.close()
    text = (tmp_path / "error.log").read_text()
    assert "access.log: 1 lines" in text
    assert "error.log: 1 lines" in text
    assert "lost\n" not in text
