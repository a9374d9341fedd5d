"""Scripts whose client has left, seen from what they write."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trio
from support.runs import make_run
from support.site import ENGINES, GET, Site, one_route, open_site

from candy_trio.config.load import load_config
from candy_trio.errors import ClientGone
from candy_trio.lua.collector import Collector
from candy_trio.lua.operations import perform
from candy_trio.lua.scheduler import Scheduler
from candy_trio.observe.logs import open_logs
from candy_trio.pipeline.app import App
from engines.base import Yielded

UNWATCHED = 'lua_script = "t.lua"\nlua_check_client_abort = false'


async def ask_and_leave(site: Site) -> None:
    stream = site.connect()
    await stream.send_all(GET)
    await trio.sleep(1)
    await stream.aclose()
    await trio.sleep(10)


@pytest.mark.parametrize("engine", ENGINES)
async def test_writing_to_nobody_ends_no_script_that_is_to_go_on(
    engine: str, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """lua_check_client_abort = false: the script runs to its end; only a flush that waits tells."""
    script = """
      cd.sleep(5)
      cd.say('x')
      cd.flush()
      cd.sleep(1)
      cd.say('y')
      local flushed, problem = cd.flush(true)
      cd.say('z')
      cd.flush()
      cd.sleep(1)
      candy.shared.set('flush', tostring(flushed) .. ' ' .. tostring(problem))
    """
    async with open_site(tmp_path, one_route(engine, UNWATCHED), {"t.lua": script}) as site:
        await ask_and_leave(site)
        assert site.app.shared["candy"].get(b"flush")[0] == b"nil client aborted", site.log()


def an_app(folder: Path) -> App:
    """Of one route, without a server."""
    path = folder / "config.toml"
    path.write_text(one_route("luajit", 'content_by_lua = ""'))
    config = load_config(path, engines=["luajit"])
    return App(config, open_logs(config), {})


async def test_a_client_found_gone_before_the_first_wait_cancels_that_wait(
    autojump_clock: trio.testing.MockClock, tmp_path: Path
) -> None:
    """What a first write has found out is not forgotten when the run opens its scope."""
    run = make_run(an_app(tmp_path), started=trio.current_time())
    vm: Any = SimpleNamespace(
        drop=lambda run: None, account=lambda run: None, suspended=set(), retired=False
    )
    run.step_seconds = 0.0
    slices = trio.Lock()
    scheduler = Scheduler(slices, Collector(slices, lambda vm, reason: None))
    run.client_gone()
    with pytest.raises(ClientGone):
        await scheduler.finish(vm, run, "t.lua", Yielded(b"sleep", (5,)))
    assert trio.current_time() == run.started


async def test_a_flush_that_waits_for_nothing_lets_others_run(tmp_path: Path) -> None:
    """A script that flushes in a loop would otherwise hold the event loop, its time limit
    included, for as long as its client keeps up."""
    run = make_run(an_app(tmp_path))
    run.exchange.response.begin(200, b"", None)
    with trio.testing.assert_checkpoints():
        assert await perform(run, b"flush", ()) == (True,)
