"""Tracebacks as a script's author expects them: without the frames of the server's own Lua.

Rules of a clean traceback:

- Lines of our chunks, which are named ``[candy NAME.lua]``, go. Where one stands for a library
  function that the script called (``pcall``, ``say``), it becomes ``[C]: in function 'say'``,
  which is what the same call shows on OpenResty; ``[C]: in ?`` where a tail call lost the name.
- The script's outermost function is our factory's closure on its first line: it is the main
  chunk to its author. What the script tail-called has taken its place.
- Names in it come from the script and may be as long as its strings: what does not fit into
  :data:`MAX_LINE` is cut, so that no expression here runs over a megabyte.
"""

from __future__ import annotations

import re

MAX_LINE = 512
"""Bytes of one line: a path and a name; Lua itself shows 60 of a chunk's name."""

MAX_LINES = 64
"""Lua shows 22 levels; more lines are newlines inside names."""

_OURS = re.compile(rb"\t\[candy [^\]]*\]:(?:\d+:)? in (.*)")
_KERNEL = b"\t[candy kernel.lua]:"
"""Where ``error`` stands for ``raise``, which all misuse of the API goes through."""
_TAIL_CALLS = (b"(...tail calls...)", b"(tail call): ?")
_NAMED = re.compile(rb"(?:function|upvalue|local|field|method|global) '(?:[^']*\.)?([^'.]+)'")
_C = b"\t[C]: in "
# LuaJIT gives no line where a thread died in an instruction of its own.
_FACTORY = re.compile(rb"^(\t(.*?):(?:\d+:)? in )function <.*?:1>")


def clean(traceback: bytes, *, of_run: bool = True) -> bytes:
    """``traceback`` (lines after the heading) without our frames.

    ``of_run`` says that its outermost function is the script, not that of a coroutine.
    """
    lines: list[bytes] = []
    hidden_name = b""
    after_ours = failed_in_ours = False
    for full_line in traceback.split(b"\n", MAX_LINES)[:MAX_LINES]:
        line = full_line[:MAX_LINE]
        ours = _OURS.match(line)
        if ours is None:
            if after_ours and line.strip() in _TAIL_CALLS:
                hidden_name = b"?"
                continue
            if hidden_name and b"[candy" not in line:
                lines.append(_C + (b"?" if hidden_name == b"?" else b"function '%b'" % hidden_name))
            hidden_name, after_ours = b"", False
            lines.append(line)
            continue
        after_ours = True
        # A native function that one of ours called is an implementation detail.
        while lines and lines[-1].startswith(_C) and not hidden_name:
            native = _NAMED.search(lines[-1])
            if native is not None and native[1] == b"error" and not line.startswith(_KERNEL):
                break
            lines.pop()
            failed_in_ours = True
        named = _NAMED.match(ours[1])
        hidden_name = named[1] if named is not None else b""
    tail_called = False
    while lines and lines[-1].strip() in (b"", *_TAIL_CALLS):
        tail_called |= lines.pop().strip() != b""
    if failed_in_ours and not lines:
        lines.append(_C + b"?")
    return b"\n".join(_main_chunk(lines) if of_run and not tail_called else lines)


def numbered(traceback: bytes) -> bytes:
    """What ``Failed`` has, cleaned and headed as OpenResty's log does: the run's own comes last."""
    *coroutines, run = traceback.split(b"\nstack traceback:\n")
    parts = [*(clean(part, of_run=False) for part in coroutines), clean(run)]
    return b"\n".join(b"coroutine %d:\n%b" % part for part in enumerate(parts))


def _main_chunk(lines: list[bytes]) -> list[bytes]:
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index]
        if line.startswith(_C) or not line.startswith(b"\t"):
            continue
        lines[index] = _FACTORY.sub(rb"\1main chunk", line)
        break
    return lines
