"""The contract suite on every engine that is installed, and the registry that finds them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint

import pytest
from contracts.engine_contract import CHECKS, check_engine

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


def test_check_engine_runs_every_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """What third-party engines call is the same list."""
    ran: list[str] = []
    fakes = [lambda vm, name=check.__name__: ran.append(name) for check in CHECKS]
    monkeypatch.setattr("contracts.engine_contract.CHECKS", fakes)
    check_engine(registry.load("luajit"))
    assert len(ran) == len(CHECKS) >= 15


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
