"""What ``--check`` prints."""

from __future__ import annotations

from pathlib import Path

from candy_trio.config.check import check

RIGHT = '[[host]]\n[[host.route]]\nlocation = "/"\nlua_script = "scripts/a.lua"\n'


def test_a_right_file_is_ok(folder: Path) -> None:
    """Exit status 0 and one line."""
    (folder / "config.toml").write_text(RIGHT)
    assert check(Path("config.toml"), engines=["luajit"]) == ("config.toml: ok", 0)


def test_warnings_stand_before_the_ok(folder: Path) -> None:
    """What has no effect does not make the file wrong."""
    (folder / "config.toml").write_text(RIGHT + 'lua_memory_limit = "2g"')
    assert check(Path("config.toml"), engines=["luajit"]) == (
        "config.toml: host[0].route[0].lua_memory_limit is more than lua_vm_memory, which ends a"
        " script before that\nconfig.toml: ok",
        0,
    )


def test_a_wrong_file_lists_its_problems(folder: Path) -> None:
    """Exit status 1 and a line for each problem."""
    (folder / "config.toml").write_text("ports = 80\n" + RIGHT.replace("a.lua", "b.lua"))
    assert check(Path("config.toml"), engines=["luajit"]) == (
        "config.toml: ports: unknown key (line 1)\n"
        'config.toml: host[0].route[0].lua_script: no such file: "scripts/b.lua"'
        f" (that is {folder}/scripts/b.lua) (line 5)",
        1,
    )
