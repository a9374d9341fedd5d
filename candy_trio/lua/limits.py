"""What one run may use, and what is said of one that has used more.

Pure: numbers in, a :class:`Breach` or nothing out. Who adds up the numbers is
:mod:`candy_trio.lua.vm`, who acts on a breach :mod:`candy_trio.lua.scheduler`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from candy_trio.config.schema import LuaSettings

TIMEOUT: Final = 504
FAILURE: Final = 500
MEBIBYTE: Final = 1 << 20

DOUBTED_PART: Final = 32


class Breach(Struct, frozen=True):
    """A limit that a run went past."""

    key: str
    """Of the configuration."""
    status: int
    usage: str
    """What there was of it, and what is allowed; follows the script's name."""


def seconds_left(settings: LuaSettings, elapsed: float, computed: float) -> float:
    """How long the next step may compute."""
    return max(0.0, min(settings.cpu_limit - computed, settings.time_limit - elapsed))


def memory_left(settings: LuaSettings, memory: int, queued: int, plenty: bool) -> int:
    """What the next step may add to the VM; where that has ``plenty`` half the limit more, since
    much of it may be garbage, which :func:`in_doubt` comes to before :func:`after_step`."""
    most = settings.memory_limit
    if plenty:
        most += most // 2
    return max(0, most - memory - queued)


def in_doubt(settings: LuaSettings, memory: int, grown: int, queued: int, may_wait: bool) -> bool:
    """Whether garbage might fail the run: only a collection can tell how much of what it has
    ``grown`` by it still holds.

    Where it ``may_wait`` that is asked when the limit is passed, else when the next growth of that
    size might fail. Not for a small part of the limit: a run that holds nearly all of it would
    have a collection after each slice.
    """
    limit = settings.memory_limit
    most = memory + queued
    if grown <= limit // DOUBTED_PART:
        return False
    if may_wait:
        return most > limit
    return most > limit // 2 and grown > (limit - most) // 2


def after_step(settings: LuaSettings, computed: float, memory: int, queued: int) -> Breach | None:
    """The limit that a run is past which could go on."""
    if computed >= settings.cpu_limit:
        return _of_computing(settings, computed)
    if memory + queued > settings.memory_limit:
        return _of_memory(settings, memory, queued)
    return None


def of_seconds(settings: LuaSettings, elapsed: float, computed: float) -> Breach:
    """Why a step was ended for its time."""
    if computed >= settings.cpu_limit:
        return _of_computing(settings, computed)
    return of_elapsed(settings, elapsed)


def of_memory(settings: LuaSettings, memory: int, queued: int, room: int) -> Breach:
    """Why a step was ended for its memory, when its VM had ``room`` for more."""
    if memory + queued > settings.memory_limit:
        return _of_memory(settings, memory, queued)
    if room < memory_left(settings, memory, queued, plenty=False):
        return Breach(
            "lua_vm_memory",
            FAILURE,
            f"had taken {size(memory)} when it asked for more than the"
            f" {size(max(0, room))} that its VM had left",
        )
    return Breach(
        "lua_memory_limit",
        FAILURE,
        f"had taken {size(memory + queued)} when it asked for more than"
        f" {size(settings.memory_limit)}",
    )


def of_output(settings: LuaSettings, queued: int) -> Breach:
    """Why a run was ended that went on sending what its client does not take."""
    return _of_memory(settings, 0, queued)


def of_elapsed(settings: LuaSettings, elapsed: float) -> Breach:
    """The time limit, waiting included."""
    return Breach(
        "lua_time_limit", TIMEOUT, f"ran {elapsed:.3f} s of at most {settings.time_limit:g} s"
    )


def _of_computing(settings: LuaSettings, computed: float) -> Breach:
    return Breach(
        "lua_cpu_limit", TIMEOUT, f"computed {computed:.3f} s of at most {settings.cpu_limit:g} s"
    )


def _of_memory(settings: LuaSettings, memory: int, queued: int) -> Breach:
    output = f", {size(queued)} of it queued output," if queued else ""
    return Breach(
        "lua_memory_limit",
        FAILURE,
        f"took {size(memory + queued)}{output} of at most {size(settings.memory_limit)}",
    )


def size(count: int) -> str:
    """A number of bytes for a person."""
    if count < MEBIBYTE:
        return f"{count / 1024:.1f} KB"
    return f"{count / MEBIBYTE:.1f} MB"


def line(breach: Breach, name: str, note: str, where: bytes) -> str:
    """What the log says; ``note`` follows the usage, ``where`` is the cleaned traceback."""
    head = f"lua entry thread aborted: {breach.key}: {name} {breach.usage}{note}"
    if not where:
        return head
    return f"{head}\nstack traceback:\n{where.decode('utf-8', 'replace')}"
