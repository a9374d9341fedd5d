"""How lines get to their file: when, in how many writes, and what happens when they can't."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from candy_trio.observe.writer import MAX_BUFFERED, LogWriter, Loss

if TYPE_CHECKING:
    from pathlib import Path

Write = Callable[[int, bytes], int]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "x.log"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for descriptor in (read, write):
        with suppress(OSError):  # some tests close one
            os.close(descriptor)


def content(path: Path) -> bytes:
    return path.read_bytes()


def fake_write(monkeypatch: pytest.MonkeyPatch, write: Write) -> Write:
    """Let the writer call ``write``; returns the real one."""
    real = os.write
    monkeypatch.setattr("os.write", write)
    return real


def fill(descriptor: int) -> int:
    """Write until nobody could write more without blocking; returns how many bytes."""
    os.set_blocking(descriptor, False)
    size = 0
    try:
        while True:
            size += os.write(descriptor, b"." * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(descriptor, True)
    return size


def test_the_folder_is_made_and_old_lines_stay(path: Path) -> None:
    """A missing folder is created; an existing file is appended to, readable by others."""
    for text in (b"one\n", b"two\n"):
        log = LogWriter(path)
        log.write(text)
        log.close()
    assert content(path) == b"one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) & ~0o644 == 0


def test_without_the_task_lines_wait_for_flush(path: Path) -> None:
    """write only buffers, outside of any event loop, too; flush writes."""
    log = LogWriter(path)
    log.write(b"one\n")
    assert content(path) == b""
    log.flush()
    assert content(path) == b"one\n"
    log.close()


async def test_lines_from_before_the_task_are_written_by_it(path: Path) -> None:
    """What was logged before the task ran is written as soon as it runs."""
    log = LogWriter(path)
    log.write(b"early\n")
    async with trio.open_nursery() as nursery:
        await nursery.start(log.run)
        await trio.testing.wait_all_tasks_blocked()
        assert content(path) == b"early\n"
        log.write(b"later\n")
        await trio.testing.wait_all_tasks_blocked()
        assert content(path) == b"early\nlater\n"
        nursery.cancel_scope.cancel()
    log.close()


async def test_cancelled_it_writes_the_rest(path: Path) -> None:
    """Lines that are buffered when the task is cancelled are written, later ones by flush."""
    log = LogWriter(path)
    async with trio.open_nursery() as nursery:
        await nursery.start(log.run)
        log.write(b"last\n")
        nursery.cancel_scope.cancel()
    assert content(path) == b"last\n"
    log.write(b"very last\n")
    log.close()
    assert content(path) == b"last\nvery last\n"


class Turns(trio.abc.Instrument):
    """Counts turns of the event loop."""

    turn = 0

    def before_io_wait(self, timeout: float) -> None:
        self.turn += 1


async def test_one_write_a_turn_at_most(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many tasks log however often, no turn of the loop has two writes, every line
    arrives, and a turn's lines share one write."""
    turns = Turns()
    trio.lowlevel.add_instrument(turns)
    written_in: list[int] = []

    def write(descriptor: int, data: bytes) -> int:
        written_in.append(turns.turn)
        return real(descriptor, data)

    real = fake_write(monkeypatch, write)
    log = LogWriter(path)

    async def chatter(name: int) -> None:
        for i in range(20):
            for _ in range(5):
                log.write(b"%d %d\n" % (name, i))
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        await nursery.start(log.run)
        async with trio.open_nursery() as chatters:
            for name in range(10):
                chatters.start_soon(chatter, name)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    trio.lowlevel.remove_instrument(turns)
    log.close()
    assert content(path).count(b"\n") == 10 * 20 * 5
    assert len(set(written_in)) == len(written_in) <= 25


def test_partial_writes_lose_and_repeat_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A descriptor that takes three bytes at a time gets every byte once, in order."""
    real = fake_write(monkeypatch, lambda descriptor, data: real(descriptor, bytes(data[:3])))
    log = LogWriter(path)
    log.write(b"a first line\n")
    log.write(b"a second line\n")
    log.flush()
    assert content(path) == b"a first line\na second line\n"
    log.close()


async def test_a_descriptor_that_takes_little_gets_it_turn_by_turn(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where a write takes three bytes only, each turn of the loop has one; and when the
    task is cancelled, the rest is written at once."""
    turns = Turns()
    trio.lowlevel.add_instrument(turns)
    written_in: list[int] = []

    def write(descriptor: int, data: bytes) -> int:
        written_in.append(turns.turn)
        return real(descriptor, bytes(data[:3]))

    real = fake_write(monkeypatch, write)
    log = LogWriter(path)
    async with trio.open_nursery() as nursery:
        await nursery.start(log.run)
        log.write(b"a line of some length\n")
        await trio.testing.wait_all_tasks_blocked()
        assert len(set(written_in)) == len(written_in) == 8
        log.write(b"another one\n")
        await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    trio.lowlevel.remove_instrument(turns)
    assert content(path) == b"a line of some length\nanother one\n"
    log.close()


async def test_the_buffer_is_bounded(path: Path) -> None:
    """Lines that would overfill the buffer are written at once, although no task runs."""
    log = LogWriter(path)
    line = b"x" * 999 + b"\n"
    count = 3 * MAX_BUFFERED // len(line)
    for _ in range(count):
        log.write(line)
    assert len(content(path)) >= count * len(line) - MAX_BUFFERED
    log.close()
    assert len(content(path)) == count * len(line)


class FullDisk:
    """An os.write that fails with ENOSPC while ``full``, and before that takes ``room``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.room: int | None = None
        self.real = fake_write(monkeypatch, self.write)

    def write(self, descriptor: int, data: bytes) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.room is not None:
            self.full = True
            data = data[: self.room]
        return self.real(descriptor, data)


def test_a_full_disk_costs_lines_and_is_reported_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing can be written lines are dropped and counted; the count is told once, after
    the first write that works."""
    disk = FullDisk(monkeypatch)
    losses: list[Loss] = []
    log = LogWriter(path, losses.append)
    disk.full = True
    log.write(b"one\n")
    log.flush()
    log.write(b"two\nlines\n")
    log.flush()
    assert losses == []
    disk.full = False
    for text in (b"three\n", b"four\n"):
        log.write(text)
        log.flush()
    assert losses == [Loss(3, 14, "No space left on device")]
    assert content(path) == b"three\nfour\n"
    log.close()


def test_a_line_cut_by_a_full_disk_is_not_glued_to_the_next(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk fills within a line, what is written later starts on a line of its own."""
    disk = FullDisk(monkeypatch)
    log = LogWriter(path)
    disk.room = 6
    log.write(b"one\ntwo\nthree\n")
    log.flush()
    disk.room = None
    log.write(b"lost too\n")
    log.flush()
    disk.full = False
    log.write(b"four\n")
    log.flush()
    log.write(b"five\n")
    log.close()
    assert content(path) == b"one\ntw\nfour\nfive\n"


async def test_the_task_survives_a_full_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task goes on after a failed write, without spinning, and what on_loss logs arrives."""
    disk = FullDisk(monkeypatch)
    log = LogWriter(path)
    log.on_loss = lambda loss: log.write(b"lost %d\n" % loss.lines)
    disk.full = True
    async with trio.open_nursery() as nursery:
        await nursery.start(log.run)
        log.write(b"one\n")
        await trio.testing.wait_all_tasks_blocked()
        disk.full = False
        log.write(b"two\n")
        await trio.testing.wait_all_tasks_blocked()
        assert content(path) == b"two\nlost 1\n"
        nursery.cancel_scope.cancel()
    log.close()


def test_reopen_follows_a_rename(path: Path) -> None:
    """After logrotate's rename, buffered lines go to the old file, which is closed, and later
    ones to a new one."""
    opened = len(os.listdir("/dev/fd"))
    log = LogWriter(path)
    log.write(b"old\n")
    rotated = path.rename(path.with_suffix(".1"))
    log.reopen()
    log.write(b"new\n")
    log.close()
    assert len(os.listdir("/dev/fd")) == opened
    assert (rotated.read_bytes(), content(path)) == (b"old\n", b"new\n")


def test_reopen_that_fails_keeps_the_old_file(path: Path) -> None:
    """Where no new file can be made, OSError tells, and lines go to the old one."""
    log = LogWriter(path)
    moved = path.parent.rename(path.parent.with_name("moved"))
    path.parent.write_bytes(b"a file in the folder's place")
    with pytest.raises(OSError, match="exists"):
        log.reopen()
    log.write(b"still here\n")
    log.close()
    assert (moved / path.name).read_bytes() == b"still here\n"


def test_reopening_a_descriptor_changes_nothing(pipe: tuple[int, int]) -> None:
    """Standard output is nobody's to reopen or to close."""
    read, write = pipe
    log = LogWriter(write)
    log.reopen()
    log.write(b"line\n")
    log.close()
    assert os.read(read, 100) == b"line\n"
    os.fstat(write)


def test_lines_after_close_are_dropped(path: Path, pipe: tuple[int, int]) -> None:
    """Logging while everything is being closed raises nothing."""
    for log in (LogWriter(path), LogWriter(pipe[1])):
        log.close()
        log.write(b"late\n")
        log.flush()
        log.close()
    assert content(path) == b""


async def test_a_slow_reader_stops_nobody(pipe: tuple[int, int]) -> None:
    """With a full blocking pipe the task waits, everyone else runs, and the lines arrive when
    the reader reads."""
    read, write = pipe
    filled = fill(write)
    log = LogWriter(write)
    lines = b"".join(b"line %d\n" % i for i in range(2_000))
    async with trio.open_nursery() as nursery:
        await nursery.start(log.run)
        log.write(lines)
        await trio.testing.wait_all_tasks_blocked()  # a blocking write would hang here
        got = b""
        while len(got) < filled + len(lines):
            await trio.lowlevel.wait_readable(read)
            got += os.read(read, 10_000)
        nursery.cancel_scope.cancel()
    assert got[filled:] == lines
    log.close()


def test_a_reader_that_sleeps_costs_lines_not_the_server(pipe: tuple[int, int]) -> None:
    """When the buffer overflows before a full pipe, write drops it at once and goes on."""
    read, write = pipe
    filled = fill(write)
    losses: list[Loss] = []
    log = LogWriter(write, losses.append)
    line = b"x" * 999 + b"\n"
    for _ in range(MAX_BUFFERED // len(line) + 1):
        log.write(line)
    assert len(os.read(read, filled)) == filled
    log.flush()
    assert os.read(read, 10_000) == line
    assert losses == [Loss(1048, 1_048_000, "the reader does not keep up")]
    log.close()


async def test_a_reader_that_is_gone_stops_nobody(pipe: tuple[int, int]) -> None:
    """A closed pipe (EPIPE) drops lines like a full disk; the task goes on."""
    read, write = pipe
    log = LogWriter(write)
    os.close(read)
    async with trio.open_nursery() as nursery:
        await nursery.start(log.run)
        for _ in range(3):
            log.write(b"line\n")
            await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    log.close()


async def test_a_non_blocking_pipe_loses_nothing(pipe: tuple[int, int]) -> None:
    """Where standard output was made non-blocking by another program, a full pipe is waited
    for."""
    read, write = pipe
    filled = fill(write)
    os.set_blocking(write, False)
    log = LogWriter(write)
    async with trio.open_nursery() as nursery:
        await nursery.start(log.run)
        log.write(b"line\n")
        await trio.testing.wait_all_tasks_blocked()
        assert len(os.read(read, filled)) == filled
        await trio.lowlevel.wait_readable(read)
        assert os.read(read, 100) == b"line\n"
        nursery.cancel_scope.cancel()
    log.close()


async def test_a_write_that_would_block_is_tried_again(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A descriptor that looks writable and is not (EAGAIN) loses no line."""
    read, write = pipe
    refusals = iter(range(3))

    def refuse(descriptor: int, data: bytes) -> int:
        if next(refusals, None) is not None:
            raise BlockingIOError(errno.EAGAIN, "try again")
        return real(descriptor, data)

    real = fake_write(monkeypatch, refuse)
    losses: list[Loss] = []
    log = LogWriter(write, losses.append)
    async with trio.open_nursery() as nursery:
        await nursery.start(log.run)
        log.write(b"line\n")
        await trio.lowlevel.wait_readable(read)
        assert os.read(read, 100) == b"line\n"
        nursery.cancel_scope.cancel()
    assert losses == []
    log.close()
