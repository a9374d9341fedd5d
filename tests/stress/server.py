"""Stress through the whole server: mixed requests over many connections, some of which go away."""

from __future__ import annotations

import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import trio
from stress.cases import Case, load_cases
from support.site import Site, open_site, read_reply, request_bytes

CLIENTS = 12
LEAVES = 0.08
"""How often a client goes away before it has its reply."""

TIME_LIMIT = 30.0
STUCK = 2 * TIME_LIMIT
"""Seconds after which a request that has no reply is lost: its limit has long passed."""

MODULE = """
local M = {size = 0}
function M.work(n)
  M.size = M.size + 1
  local s = 0
  for i = 1, n do s = s + i % 3 end
  M.size = M.size - 1
  return s, M.size
end
return M
"""

OWN = {
    "light": ("cd.say('light')", (200,)),
    "module": (
        "local s, size = require('ring').work(20000) cd.say(s, ' ', size)",
        (200,),
    ),
    "sleeper": ("for i = 1, 5 do cd.sleep(0.005) end cd.say('slept')", (200,)),
    "flusher": (
        "for i = 1, 20 do for k = 1, 5000 do end cd.say(('x'):rep(2000)) cd.flush(true) end",
        (200,),
    ),
    "endless answer": ("while true do cd.say(('x'):rep(1000)) end", (200, 500, 504)),
    "endless sleep": ("while true do cd.sleep(0) end", (504,)),
    "stored": (
        "local d = cd.shared.d d:incr('n', 1, 0)\n"
        "for i = 1, 200 do d:set('k' .. i % 50, ('v'):rep(i)) end cd.say(#d:get('k7') > 0)",
        (200,),
    ),
}  # fmt: skip

STATUS = {
    "right": (200,),
    "fails": (500,),
    "endless": (504,),
    "resists": (504,),
    "hungry": (500, 504),
}

NEEDS_MANY_BYTES = re.compile("overflow|stack")
"""On PUC-Lua the stack may take more memory than these routes have."""


class Counts:
    """What came of the requests."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.slowest_light = 0.0


def stress_server(engines: Sequence[str], seconds: float, slice_: float, seed: int) -> list[str]:
    """Run it; what went wrong."""
    counts = Counts()
    trio.run(_serve, engines, seconds, slice_, random.Random(seed), counts)
    total = ", ".join(f"{n} {name}" for name, n in sorted(counts.asked.items()))
    print(f"server: {total}; the slowest light reply: {counts.slowest_light * 1000:.0f} ms")
    if not counts.asked["200"]:
        counts.wrong.append("nothing was answered with 200")
    return counts.wrong


async def _serve(
    engines: Sequence[str], seconds: float, slice_: float, rng: random.Random, counts: Counts
) -> None:
    routes: list[tuple[str, Case]] = []
    text = [  # a VM has room for what all clients may hold: nobody is ended for somebody else's
        f'log_level = "error"\nlua_time_slice = "{max(slice_ * 1000, 1):.0f}ms"\n'
        f'lua_vm_memory = "1g"\naccess_log = false\n'
        'lua_shared_dict = [{name = "d", size = "1m"}]\n[[host]]\nport = 8080\n'
    ]
    files: dict[str, str] = {"lualib/ring.lua": MODULE}
    for engine in engines:
        for number, case in enumerate(_cases(engine)):
            target, script = f"/{engine}/{number}", f"{engine}_{number}.lua"
            own = case.name in OWN
            files[script] = (
                case.source if own else (f"cd.print((function(...) {case.source}\nend)())")
            )
            memory = "8m" if case.kind == "hungry" else "64m"
            limit = "30s" if case.kind in ("right", "fails") else "150ms"
            text.append(
                f'[[host.route]]\nlocation = "= {target}"\nlua_script = "{script}"\n'
                f'lua_engine = "{engine}"\nlua_memory_limit = "{memory}"\n'
                f'lua_cpu_limit = "{limit}"\nlua_time_limit = "{TIME_LIMIT:.0f}s"\n'
                if case.name != "endless sleep"
                else f'[[host.route]]\nlocation = "= {target}"\nlua_script = "{script}"\n'
                f'lua_engine = "{engine}"\nlua_time_limit = "300ms"\n'
            )
            routes.append((target, case))
    with tempfile.TemporaryDirectory() as folder:
        opening = open_site(Path(folder), "".join(text), files, polled=True)
        async with opening as site:
            right: dict[str, bytes] = {}
            end = time.monotonic() + seconds
            async with trio.open_nursery() as n:
                for _ in range(CLIENTS):
                    n.start_soon(_client, site, routes, end, rng, counts, right)
            for line in _logged_of(counts.wrong, site.log()):
                print(line)


def _logged_of(wrong: list[str], log: str) -> list[str]:
    """What the error log says of the requests that went wrong: no other trace of them is left."""
    requests = {f'"GET {line.split(" ", 1)[0]} ' for line in wrong}
    entries = re.split(r"\n(?=\d{4}/)", log)  # a traceback takes several lines
    return [entry for entry in entries if any(request in entry for request in requests)]


def _cases(engine: str) -> list[Case]:
    own = [Case(name, "right", source) for name, (source, _) in OWN.items()]
    return own + [case for case in load_cases(engine) if not case.raw]


async def _client(
    site: Site,
    routes: list[tuple[str, Case]],
    end: float,
    rng: random.Random,
    counts: Counts,
    right: dict[str, bytes],
) -> None:
    light = [route for route in routes if route[1].name == "light"]
    while time.monotonic() < end and len(counts.wrong) < 20:
        target, case = rng.choice(light if rng.random() < 0.3 else routes)
        leaves = rng.random() < LEAVES
        began = time.perf_counter()
        with trio.move_on_after(rng.random() * 0.05 if leaves else STUCK) as scope:
            async with site.connect() as stream:
                await stream.send_all(request_bytes(target))
                reply = await read_reply(stream)
        if scope.cancelled_caught:
            counts.asked["left"] += 1
            if not leaves:
                counts.wrong.append(f"{target} {case.name}: no reply after {STUCK} s")
            continue
        counts.asked[str(reply.status)] += 1
        statuses = OWN[case.name][1] if case.name in OWN else STATUS[case.kind]
        if case.kind != "resists" and NEEDS_MANY_BYTES.search(case.name):
            statuses = (*statuses, 500)
        if reply.status not in statuses:
            counts.wrong.append(f"{target} {case.name}: {reply.status} {reply.text[:200]!r}")
        elif reply.status == 200 and case.name != "endless answer":
            expected = right.setdefault(target, reply.body)
            if reply.body != expected:
                counts.wrong.append(f"{target} {case.name}: {reply.body!r}, before {expected!r}")
        if case.name == "light":
            counts.slowest_light = max(counts.slowest_light, time.perf_counter() - began)
