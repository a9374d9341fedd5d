"""The load of benchmarks/fairness.py, a process of its own: what it measures goes out as JSON.

Some clients ask for the heavy route again and again; beside them one asks for the light route,
one request after another over one connection. The heavy clients' threads sleep in ``recv``, so
that the light one's clock is not theirs.
"""

from __future__ import annotations

import gc
import http.client
import sys
import threading
import time

import msgspec

LIGHT_BODY = b"light\n"
HEAD_START_SECONDS = 0.2
"""Until the light client begins: the heavy route must be busy by then."""
TIMEOUT_SECONDS = 60


class Task(msgspec.Struct, frozen=True):
    """What to do; the only argument of the command, as JSON."""

    port: int
    turns: int
    expected: str
    clients: int
    seconds: float


class Outcome(msgspec.Struct):
    """What was seen."""

    light: list[float] = msgspec.field(default_factory=list)
    """Seconds that each light request took."""
    heavy: list[float] = msgspec.field(default_factory=list)
    """Seconds that each heavy request took which was answered rightly."""
    failures: list[str] = msgspec.field(default_factory=list)
    """What was answered otherwise, or not at all."""


def heavy_target(turns: int) -> str:
    return f"/heavy?n={turns}"


def ask(client: http.client.HTTPConnection, target: str) -> tuple[int, bytes]:
    client.request("GET", target)
    response = client.getresponse()
    return response.status, response.read()


def connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)


def keep_asking(
    task: Task, target: str, body: bytes, until: float, times: list[float], failures: list[str]
) -> None:
    """Requests until ``until``; the one that is under way then is awaited, too."""
    client = connect(task.port)
    while (start := time.perf_counter()) < until:
        try:
            answer = ask(client, target)
        except (OSError, http.client.HTTPException) as error:
            failures.append(f"{target}: {error!r}")
            client.close()
            continue
        if answer == (200, body):
            times.append(time.perf_counter() - start)
        else:
            failures.append(f"{target}: {answer}")


def run(task: Task) -> Outcome:
    outcome = Outcome()
    until = time.perf_counter() + HEAD_START_SECONDS + task.seconds
    heavy = heavy_target(task.turns), f"{task.expected}\n".encode()
    threads = [
        threading.Thread(
            target=keep_asking, args=(task, *heavy, until, outcome.heavy, outcome.failures)
        )
        for _ in range(task.clients)
    ]
    for thread in threads:
        thread.start()
    time.sleep(HEAD_START_SECONDS)
    keep_asking(task, "/light", LIGHT_BODY, until, outcome.light, outcome.failures)
    for thread in threads:
        thread.join()
    return outcome


if __name__ == "__main__":
    gc.disable()
    task = msgspec.json.decode(sys.argv[1], type=Task)
    sys.stdout.buffer.write(msgspec.json.encode(run(task)))
