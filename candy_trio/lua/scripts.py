"""The code cache: a script is compiled once in each VM, and again when its file has changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypeAlias

from candy_trio.errors import RequestError

if TYPE_CHECKING:
    from pathlib import Path

    from candy_trio.config.schema import ScriptSource
    from candy_trio.lua.vm import ScriptVM

CHECK_INTERVAL: Final = 1.0
"""Seconds between two looks at a script's file: nobody edits faster, and a look costs a system
call that small requests would notice."""

_Stamp: TypeAlias = tuple[int, int, int]


class Script:
    """One route's script in one VM."""

    def __init__(self, vm: ScriptVM, source: ScriptSource) -> None:
        self._vm = vm
        self._source = source
        self._number: int | None = None
        self._problem: tuple[int, str] | None = None
        self._stamp: _Stamp | None = None
        self._next_check = float("-inf")

    @property
    def name(self) -> str:
        """What logs call it."""
        return self._source.chunk[1:]

    def number(self, now: float) -> int:
        """The number to run it by, at ``now`` on trio's clock.

        Raises RequestError: 500 if it does not compile, 404 without its file."""
        if now >= self._next_check:
            self._next_check = now + CHECK_INTERVAL
            self._refresh()
        if self._number is None:
            # A new exception for each request: one that is raised again gathers the frames, and
            # with them the exchanges, of all requests.
            raise RequestError(*(self._problem or (500, f"{self.name}: not compiled")))
        return self._number

    def compile_anew(self) -> int:
        """A fresh compilation, for ``lua_code_cache = false``; the caller drops it."""
        return self._compile(self._read())

    def _refresh(self) -> None:
        path = self._source.path
        if path is None:
            if self._number is None and self._problem is None:
                self._replace()
            return
        try:
            stamp = _stamp_of(path)
        except OSError:
            stamp = None
        if stamp is None or stamp != self._stamp:
            self._stamp = stamp
            self._replace()

    def _replace(self) -> None:
        old, self._number, self._problem = self._number, None, None
        if old is not None:
            self._vm.drop_script(old)
        try:
            self._number = self._compile(self._read())
        except RequestError as problem:
            self._problem = problem.status, problem.reason

    def _read(self) -> bytes:
        path = self._source.path
        if path is None:
            return self._source.text or b""
        try:
            return path.read_bytes()
        except OSError as error:
            status = 404 if isinstance(error, FileNotFoundError) else 500
            raise RequestError(status, f'open() "{path}" failed: {error.strerror}') from None

    def _compile(self, text: bytes) -> int:
        number, problem = self._vm.compile(text, self._source.chunk)
        if number is None:
            kind = "inlined Lua code" if self._source.path is None else "external Lua file"
            message = (problem or b"").decode("utf-8", "replace")
            raise RequestError(500, f'failed to load {kind} "{self.name}": {message}')
        return number


def _stamp_of(path: Path) -> _Stamp:
    status = os.stat(path)
    return status.st_mtime_ns, status.st_size, status.st_ino
