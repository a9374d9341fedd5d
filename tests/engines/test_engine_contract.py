"""The contract suite on every engine that is installed, and the registry that finds them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from importlib.metadata import EntryPoint

import pytest
from contracts import engine_contract
from contracts.engine_contract import CHECKS, LIMIT_CHECKS, check_engine, limited_vm

from engines import registry
from engines.base import LuaEngine, LuaVM
from engines.errors import EngineUnavailable

NAMES = ["lua51", "lua52", "lua53", "lua54", "lua55", "luajit"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(name: str, check: Callable[[LuaVM], None]) -> None:
    """Each engine keeps each point of the contract."""
    vm = registry.load(name).new_vm()
    check(vm)
    vm.close()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("check", [*CHECKS, *LIMIT_CHECKS], ids=lambda check: check.__name__)
def test_contract_with_limits(name: str, check: Callable[[LuaVM], None]) -> None:
    """So does each with time slices and limits, and it keeps the points that need them."""
    with closing(limited_vm(registry.load(name), check)) as vm:
        check(vm)


def test_check_engine_runs_every_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """What third-party engines call is the same list."""
    ran: list[str] = []
    for checks in ("CHECKS", "LIMIT_CHECKS"):
        names = [check.__name__ for check in getattr(engine_contract, checks)]
        fakes = [lambda vm, name=name: ran.append(name) for name in names]
        monkeypatch.setattr(engine_contract, checks, fakes)
    check_engine(registry.load("luajit"))
    assert len(ran) == 2 * len(CHECKS) + len(LIMIT_CHECKS)
    assert len(CHECKS) >= 15
    assert len(LIMIT_CHECKS) >= 8


def test_the_six_engines_are_here() -> None:
    """lupa ships all of them: this machine must be able to test all."""
    assert sorted(registry.available()) == NAMES


def test_puc_is_lua_5_4() -> None:
    """The configuration's "puc" is an alias."""
    assert registry.load("puc").name == "lua54"


def test_an_unknown_engine_lists_those_that_are() -> None:
    """The error names the mend."""
    with pytest.raises(EngineUnavailable, match=r"luau.*lua51, lua52.*luajit"):
        registry.load("luau")


def test_an_engine_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any entry point of the group takes part; a broken one hurts nobody else."""
    mine = EntryPoint("mine", "engines.luajit:LuaJIT", registry.GROUP)
    broken = EntryPoint("broken", "no_such_module:X", registry.GROUP)
    wrong = EntryPoint("wrong", "engines.luajit:LupaVM", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [mine, broken, wrong])
    assert isinstance(registry.load("mine"), LuaEngine)
    assert "broken" not in registry.available()
    with pytest.raises(EngineUnavailable, match=r"broken.*no_such_module"):
        registry.load("broken")
    with pytest.raises(EngineUnavailable, match="wrong"):
        registry.load("wrong")
