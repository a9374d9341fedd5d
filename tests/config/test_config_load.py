"""Right configuration files: defaults, inheritance, paths, scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from candy_trio.config.load import load_config
from candy_trio.config.schema import (
    Config,
    Host,
    Location,
    LuaContent,
    LuaSettings,
    Redirect,
    Route,
    ScriptSource,
    SharedDict,
)
from candy_trio.errors import ConfigError

Load = Callable[[str], Config]

SMALLEST = """
[[host]]
[[host.route]]
location = "/"
lua_script = "scripts/a.lua"
"""


def lua_of(route: Route) -> LuaSettings:
    """Settings of a route that is known to run Lua."""
    assert isinstance(route.content, LuaContent)
    return route.content.lua


def test_the_smallest_file_gets_every_default(load: Load, folder: Path) -> None:
    """The defaults are those of the reference."""
    assert load(SMALLEST) == Config(
        path=folder / "config.toml",
        folder=folder,
        log_level="info",
        log_folder=str(folder / "logs"),
        access_log="combined",
        http_parser="auto",
        lua_time_slice=0.005,
        lua_vm_memory=1 << 30,
        lua_regex_match_limit=0,
        lua_regex_cache_max_entries=1024,
        lua_package_path=(folder / "lualib/?.lua", folder / "lualib/?/init.lua"),
        package_path_text="lualib/?.lua;lualib/?/init.lua",
        shared_dicts=(),
        hosts=(
            Host(
                ip="0.0.0.0",
                port=8080,
                server_names=(),
                timeout=75.0,
                max_body_size=10 << 20,
                max_header_size=32 << 10,
                server_tokens=True,
                routes=(
                    Route(
                        location=Location("", "/"),
                        content=LuaContent(
                            ScriptSource(folder / "scripts/a.lua", None, "@scripts/a.lua"),
                            LuaSettings(
                                engine="luajit",
                                isolate=None,
                                sandbox=True,
                                code_cache=True,
                                interleave=None,
                                time_limit=30.0,
                                cpu_limit=5.0,
                                memory_limit=64 << 20,
                                need_request_body=False,
                                check_client_abort=True,
                                use_default_type=True,
                                transform_underscores_in_response_headers=True,
                                http10_buffering=True,
                            ),
                        ),
                        internal=False,
                        variables=(),
                        default_type="text/plain",
                        max_body_size=10 << 20,
                        client_body_buffer_size=16 << 10,
                        server_tokens=True,
                        serial=0,
                    ),
                ),
            ),
        ),
        warnings=(),
    )


def test_every_key_reaches_its_field(load: Load, folder: Path) -> None:
    """Nothing that a file says is dropped on the way."""
    config = load(
        """
        log_level = "debug"
        log_folder = "-"
        access_log = "json"
        http_parser = "h11"
        lua_vm_memory = "2g"
        lua_regex_match_limit = 5000
        lua_regex_cache_max_entries = 10
        lua_time_slice = "10ms"
        lua_package_path = "/opt/lua/?.lua;../shared/?.lua;"
        lua_shared_dict = [{ name = "cache", size = "10m" }, { name = "hits", size = 65536 }]
        [[host]]
        ip = "0:0::1"
        port = 0
        server_name = ["Example.COM.", "*.example.com"]
        timeout = "2m"
        max_body_size = "1m"
        max_header_size = 4096
        [[host.route]]
        location = "~* \\\\.PNG$"
        content_by_lua_file = "scripts/a.lua"
        lua_engine = "puc"
        lua_isolate = "shop"
        lua_sandbox = false
        lua_code_cache = false
        lua_interleave = true
        lua_time_limit = 1.5
        lua_cpu_limit = "250ms"
        lua_memory_limit = "1m"
        lua_need_request_body = true
        lua_check_client_abort = false
        lua_use_default_type = false
        lua_transform_underscores_in_response_headers = false
        lua_http10_buffering = false
        client_body_buffer_size = "8k"
        server_tokens = false
        internal = true
        default_type = "text/html"
        set = { user = "", greeting = "hello $user" }
        [[host.route]]
        location = "@old"
        redirect_to = "https://example.com/"
        redirect_code = 308
        """
    )
    assert config.log_folder == "-"
    assert (config.log_level, config.access_log, config.http_parser) == ("debug", "json", "h11")
    assert (config.lua_vm_memory, config.lua_time_slice) == (2 << 30, 0.01)
    assert (config.lua_regex_match_limit, config.lua_regex_cache_max_entries) == (5000, 10)
    assert config.lua_package_path == (Path("/opt/lua/?.lua"), folder.parent / "shared/?.lua")
    assert config.package_path_text == "/opt/lua/?.lua;../shared/?.lua;"
    assert config.shared_dicts == (SharedDict("cache", 10 << 20), SharedDict("hits", 65536))
    (host,) = config.hosts
    assert (host.ip, host.port, host.timeout) == ("::1", 0, 120.0)
    assert host.server_names == ("example.com", "*.example.com")
    assert (host.max_body_size, host.max_header_size) == (1 << 20, 4096)
    script, redirect = host.routes
    assert script == Route(
        location=Location("~*", r"\.PNG$"),
        content=LuaContent(
            ScriptSource(folder / "scripts/a.lua", None, "@scripts/a.lua"),
            LuaSettings(
                engine="lua54",
                isolate="shop",
                sandbox=False,
                code_cache=False,
                interleave=True,
                time_limit=1.5,
                cpu_limit=0.25,
                memory_limit=1 << 20,
                need_request_body=True,
                check_client_abort=False,
                use_default_type=False,
                transform_underscores_in_response_headers=False,
                http10_buffering=False,
            ),
        ),
        internal=True,
        variables=(("user", ""), ("greeting", "hello $user")),
        default_type="text/html",
        max_body_size=1 << 20,
        client_body_buffer_size=8192,
        server_tokens=False,
        serial=0,
    )
    assert redirect.location == Location("@", "old")
    assert redirect.content == Redirect("https://example.com/", 308)
    assert redirect.serial == 1


def test_access_log_can_be_off(load: Load) -> None:
    """``access_log = false`` means none."""
    assert load("access_log = false" + SMALLEST).access_log is None


INHERITED = {
    "lua_engine": ("lua51", "lua54", "lua55"),
    "lua_isolate": ("a", "b", "c"),
    "lua_interleave": (True, False, True),
    "lua_sandbox": (False, True, False),
    "lua_code_cache": (False, True, False),
    "lua_time_limit": (1.0, 2.0, 3.0),
    "lua_cpu_limit": (1.0, 2.0, 3.0),
    "lua_memory_limit": (1, 2, 3),
    "lua_use_default_type": (False, True, False),
    "lua_transform_underscores_in_response_headers": (False, True, False),
    "lua_http10_buffering": (False, True, False),
    "client_body_buffer_size": (1, 2, 3),
    "server_tokens": (False, True, False),
    "default_type": ("a/a", "b/b", "c/c"),
}


@pytest.mark.parametrize("key", INHERITED)
def test_a_route_overrides_its_host_which_overrides_the_top(load: Load, key: str) -> None:
    """A key given at all three levels takes the innermost one that a route stands in."""
    top, host, route = (
        f"{key} = {msgspec.json.encode(value).decode()}" for value in INHERITED[key]
    )
    config = load(
        f"""
        {top}
        [[host]]
        [[host.route]]
        location = "/top"
        content_by_lua = ""
        [[host]]
        server_name = "b"
        {host}
        [[host.route]]
        location = "/host"
        content_by_lua = ""
        [[host.route]]
        location = "/route"
        content_by_lua = ""
        {route}
        """
    )
    routes = [route for host in config.hosts for route in host.routes]
    field = key.removeprefix("lua_")
    values = tuple(
        getattr(route, field) if hasattr(route, field) else getattr(lua_of(route), field)
        for route in routes
    )
    assert values == INHERITED[key]
    if key == "server_tokens":
        assert [host.server_tokens for host in config.hosts] == [False, True]


def test_the_body_limit_of_a_route_is_its_hosts(load: Load) -> None:
    """``max_body_size`` reaches the routes."""
    config = load(SMALLEST.replace("[[host]]", '[[host]]\nmax_body_size = "2k"'))
    assert config.hosts[0].routes[0].max_body_size == 2048


def test_an_inline_script_is_named_after_its_line(load: Load) -> None:
    """The chunk name holds the line of the key, whatever the script's text looks like."""
    config = load(
        "[[host]]\n"
        "[[host.route]]\n"
        'location = "/"\n'
        "content_by_lua = '''\n"
        "content_by_lua = 'é'\n"
        "'''\n"
        "[[host.route]]\n"
        'location = "/b"\n'
        'content_by_lua = "cd.say(1)"\n'
    )
    first, second = (route.content for route in config.hosts[0].routes)
    assert isinstance(first, LuaContent)
    assert isinstance(second, LuaContent)
    assert first.source == ScriptSource(
        None, "content_by_lua = 'é'\n".encode(), "=content_by_lua(config.toml:4)"
    )
    assert second.source.chunk == "=content_by_lua(config.toml:9)"


def test_paths_are_relative_to_the_file_and_not_to_the_process(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file loaded from elsewhere finds its scripts beside itself."""
    (folder / "config.toml").write_text(SMALLEST)
    monkeypatch.chdir("/")
    config = load_config(folder / "config.toml", engines=["luajit"])
    content = config.hosts[0].routes[0].content
    assert isinstance(content, LuaContent)
    assert content.source.path == folder / "scripts/a.lua"
    assert content.source.chunk == "@scripts/a.lua"


def test_a_double_semicolon_in_the_package_path_is_the_default_path(
    load: Load, folder: Path
) -> None:
    """As in Lua, ``;;`` stands for where modules are looked for anyway."""
    config = load('lua_package_path = "x/?.lua;;"' + SMALLEST)
    assert config.lua_package_path == (
        folder / "x/?.lua",
        folder / "lualib/?.lua",
        folder / "lualib/?/init.lua",
    )


def test_limits_have_their_levels_and_their_defaults(load: Load) -> None:
    """A route's limit counts before its host's, that before the top's; slices are the worker's."""
    config = load(
        """
        lua_vm_memory = "256m"
        lua_time_slice = "1ms"
        lua_cpu_limit = "1s"
        [[host]]
        lua_interleave = true
        lua_memory_limit = "1m"
        [[host.route]]
        location = "/"
        lua_script = "scripts/a.lua"
        lua_cpu_limit = "2s"
        [[host.route]]
        location = "/b"
        lua_script = "scripts/a.lua"
        lua_interleave = false
        """
    )
    assert (config.lua_vm_memory, config.lua_time_slice) == (256 << 20, 0.001)
    first, second = (route.content.lua for route in config.hosts[0].routes)
    assert (first.cpu_limit, first.memory_limit, first.interleave) == (2, 1 << 20, True)
    assert (second.cpu_limit, second.memory_limit, second.interleave) == (1, 1 << 20, False)
    assert (first.time_limit, config.warnings) == (30, ())


def test_a_limit_beyond_the_vm_is_warned_of_where_it_is_named(load: Load) -> None:
    """lua_vm_memory ends a script before such a lua_memory_limit does."""
    config = load(
        """
        lua_vm_memory = "100m"
        lua_memory_limit = "200m"
        [[host]]
        lua_memory_limit = "100m"
        [[host.route]]
        location = "/"
        lua_script = "scripts/a.lua"
        lua_memory_limit = "101m"
        """
    )
    ends = "is more than lua_vm_memory, which ends a script before that"
    assert config.warnings == (
        f"config.toml: lua_memory_limit {ends}",
        f"config.toml: host[0].route[0].lua_memory_limit {ends}",
    )


def test_hosts_may_share_an_address_under_different_names(load: Load) -> None:
    """One nameless host and named ones stand beside each other, as do different addresses."""
    route = '[[host.route]]\nlocation = "/"\nredirect_to = "/x"\n'
    config = load(
        f"""
        [[host]]
        {route}
        [[host]]
        server_name = "a"
        {route}
        [[host]]
        ip = "127.0.0.1"
        {route}
        [[host]]
        port = 8081
        {route}
        """
    )
    assert len(config.hosts) == 4


def test_an_isolate_may_be_shared_by_routes_that_agree(load: Load) -> None:
    """Equal settings share; the same name on another engine is another isolate."""
    config = load(
        """
        lua_isolate = "one"
        [[host]]
        [[host.route]]
        location = "/a"
        content_by_lua = ""
        [[host.route]]
        location = "/b"
        content_by_lua = ""
        [[host.route]]
        location = "/c"
        content_by_lua = ""
        lua_engine = "lua55"
        lua_sandbox = false
        """
    )
    assert [lua_of(route).isolate for route in config.hosts[0].routes] == ["one"] * 3


def test_prefix_exact_and_regex_of_one_text_are_different_locations(load: Load) -> None:
    """Only the same kind of location with the same text is a repetition."""
    route = '[[host.route]]\nlocation = "{}"\nredirect_to = "/x"\n'
    text = "[[host]]\n" + "".join(
        route.format(location) for location in ("/a", "= /a", "~ /a", "~* /a", "@a", "=/b", "~/b")
    )
    modifiers = [route.location.modifier for route in load(text).hosts[0].routes]
    assert modifiers == ["", "=", "~", "~*", "@", "=", "~"]


def test_the_default_engine_need_not_be_installed_if_no_route_uses_it(folder: Path) -> None:
    """A server of redirects and of another engine's scripts loads without LuaJIT."""
    (folder / "config.toml").write_text(
        '[[host]]\n[[host.route]]\nlocation = "/"\nredirect_to = "/x"\n'
        '[[host.route]]\nlocation = "/b"\ncontent_by_lua = ""\nlua_engine = "lua55"\n'
    )
    config = load_config(Path("config.toml"), engines=["lua55"])
    assert lua_of(config.hosts[0].routes[1]).engine == "lua55"


def test_every_problem_raises_at_once_and_in_the_order_of_the_file(load: Load) -> None:
    """One bad value hides none of the others."""
    with pytest.raises(ConfigError) as caught:
        load('[[host]]\nport = -1\n[[host.route]]\nlocation = "x"\n[[host]]\nssl = true\n')
    assert [text.partition(" (line ")[2] for text in caught.value.problems] == [
        "2)",
        "3)",
        "4)",
        "5)",
        "6)",
    ]
