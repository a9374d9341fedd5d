"""Wrong configuration files, each with the exact messages it is refused with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from candy_trio.config.load import load_config
from candy_trio.config.schema import Config
from candy_trio.errors import ConfigError

Load = Callable[[str], Config]

HOST = "[[host]]\n"  # line 1
ROUTE = '[[host]]\n[[host.route]]\nlocation = "/"\n'  # lines 1 to 3
LUA = ROUTE + 'lua_script = "scripts/a.lua"\n'  # lines 1 to 4
REDIRECT = '[[host.route]]\nlocation = "/"\nredirect_to = "/x"\n'

SIZE = 'a size above 0: a number of bytes, or "10k", "10m", "1g"'
DURATION = 'a duration above 0: seconds as a number, or "500ms", "15s", "2m"'
TEXT = "a string that is not empty and has no control characters"
ADDRESS = 'an IP address such as "127.0.0.1", "0.0.0.0" or "::1"'
NAME = 'a host name such as "example.com", "*.example.com" or "_"'
LOCATION = '"/prefix", "= /exact", "^~ /prefix", "~ regex", "~* regex" or "@name"'
INSTALLED = "lua51, lua54, lua55, luajit"

# name: (text of the file, its problems without "config.toml: " in front)
CASES: dict[str, tuple[str, list[str]]] = {
    "empty": ("", ["host: at least one [[host]] is needed (line 1)"]),
    "no hosts": ("host = []", ["host: at least one [[host]] is needed (line 1)"]),
    "no routes": (HOST, ["host[0].route: at least one [[host.route]] is needed (line 1)"]),
    "empty routes": (
        HOST + "route = []",
        ["host[0].route: at least one [[host.route]] is needed (line 2)"],
    ),
    "one bracket": (
        '[host]\nip = "::1"',
        ["host: expected an array of tables, [[host]], got a table (line 1)"],
    ),
    "one bracket, route": (
        '[[host]]\n[host.route]\nlocation = "/"',
        ["host[0].route: expected an array of tables, [[host.route]], got a table (line 2)"],
    ),
    "hosts that are no tables": (
        "host = [1]",
        ["host: expected an array of tables, [[host]], got an array (line 1)"],
    ),
    "syntax": (
        "log_level = yes\n",
        ["Invalid value (at line 1, column 13)"],
    ),
    "key given twice": (
        LUA + 'location = "/b"\n',
        ["Cannot overwrite a value (at line 5, column 16)"],
    ),
    "unknown key": ("frobnicate = 1\n" + LUA, ["frobnicate: unknown key (line 1)"]),
    "near key": (
        "log_levle = 1\n" + LUA,
        ['log_levle: unknown key; did you mean "log_level"? (line 1)'],
    ),
    "near key of a host": (
        LUA.replace("[[host.r", "prot = 80\n[[host.r"),
        ['host[0].prot: unknown key; did you mean "port"? (line 2)'],
    ),
    "near key of a route": (
        LUA + "lua_tmie_limit = 1",
        ['host[0].route[0].lua_tmie_limit: unknown key; did you mean "lua_time_limit"? (line 5)'],
    ),
    "near key that is not supported": (
        LUA + "errorpage = 1",
        ['host[0].route[0].errorpage: unknown key; did you mean "error_page"? (line 5)'],
    ),
    "odd key": (LUA + '"a.b" = 1', ['host[0].route[0]."a.b": unknown key (line 5)']),
    "key of a host at the top": (
        "timeout = 3\n" + LUA,
        ["timeout: this key belongs in [[host]] (line 1)"],
    ),
    "key of a route at the top": (
        'location = "/"\n' + LUA,
        ["location: this key belongs in [[host.route]] (line 1)"],
    ),
    "key of the top in a route": (
        LUA + 'log_level = "info"',
        [
            "host[0].route[0].log_level: this key belongs at the top level, above the first"
            " [[host]] (line 5)"
        ],
    ),
    "top-level limit in a host": (
        HOST + "lua_vm_memory = 1\nlua_time_slice = 1\n" + REDIRECT,
        [
            "host[0].lua_vm_memory: this key belongs at the top level, above the first [[host]]"
            " (line 2)",
            "host[0].lua_time_slice: this key belongs at the top level, above the first [[host]]"
            " (line 3)",
        ],
    ),
    "body key of a route in a host": (
        HOST + "lua_need_request_body = true\n" + REDIRECT,
        ["host[0].lua_need_request_body: this key belongs in [[host.route]] (line 2)"],
    ),
    "log level": (
        'log_level = "warning"\n' + LUA,
        [
            'log_level: expected "trace", "debug", "info", "warn" or "error", got "warning"; did'
            ' you mean "warn"? (line 1)'
        ],
    ),
    "access log": (
        'access_log = "combine"\n' + LUA,
        [
            'access_log: expected "combined", "json" or false, got "combine"; did you mean'
            ' "combined"? (line 1)'
        ],
    ),
    "access log true": (
        "access_log = true\n" + LUA,
        ['access_log: expected "combined", "json" or false, got true (line 1)'],
    ),
    "parser": (
        'http_parser = "nginx"\n' + LUA,
        ['http_parser: expected "auto", "h11" or "httptools", got "nginx" (line 1)'],
    ),
    "empty log folder": (
        'log_folder = ""\n' + LUA,
        [f'log_folder: expected {TEXT}, got "" (line 1)'],
    ),
    "package path without a mark": (
        'lua_package_path = "lualib;x/?.lua"\n' + LUA,
        [
            'lua_package_path: expected patterns with a "?" for the module\'s name, got "lualib"'
            " (line 1)"
        ],
    ),
    "size": ('lua_memory_limit = "10kb"\n' + LUA, [
        f'lua_memory_limit: expected {SIZE}, got "10kb" (line 1)'
    ]),
    "size as boolean": (
        HOST + "max_body_size = true\n" + REDIRECT,
        [f"host[0].max_body_size: expected {SIZE}, got true (line 2)"],
    ),
    "size below zero": (
        HOST + "max_header_size = -1\n" + REDIRECT,
        [f"host[0].max_header_size: expected {SIZE}, got -1 (line 2)"],
    ),
    "duration": (
        LUA + 'lua_time_limit = "soon"',
        [f'host[0].route[0].lua_time_limit: expected {DURATION}, got "soon" (line 5)'],
    ),
    "duration as boolean": (
        HOST + "timeout = true\n" + REDIRECT,
        [f"host[0].timeout: expected {DURATION}, got true (line 2)"],
    ),
    "duration as array": (
        HOST + "timeout = [1]\n" + REDIRECT,
        [f"host[0].timeout: expected {DURATION}, got an array (line 2)"],
    ),
    "limits out of their range": (
        "lua_time_slice = 0\n" + LUA + 'lua_interleave = "auto"\nlua_cpu_limit = "1h"',
        [
            f"lua_time_slice: expected {DURATION}, got 0 (line 1)",
            'host[0].route[0].lua_interleave: expected true or false, got "auto" (line 6)',
            f'host[0].route[0].lua_cpu_limit: expected {DURATION}, got "1h" (line 7)',
        ],
    ),
    "boolean as string": (
        LUA + 'lua_sandbox = "off"',
        ['host[0].route[0].lua_sandbox: expected true or false, got "off" (line 5)'],
    ),
    "boolean as number": (
        LUA + "internal = 1",
        ["host[0].route[0].internal: expected true or false, got 1 (line 5)"],
    ),
    "port out of range": (
        HOST + "port = 65536\n" + REDIRECT,
        ["host[0].port: expected a port number, 0 to 65535, got 65536 (line 2)"],
    ),
    "port below zero": (
        HOST + "port = -1\n" + REDIRECT,
        ["host[0].port: expected a port number, 0 to 65535, got -1 (line 2)"],
    ),
    "port as string": (
        HOST + 'port = "80"\n' + REDIRECT,
        ['host[0].port: expected a port number, 0 to 65535, got "80" (line 2)'],
    ),
    "port as boolean": (
        HOST + "port = true\n" + REDIRECT,
        ["host[0].port: expected a port number, 0 to 65535, got true (line 2)"],
    ),
    "address": (
        HOST + 'ip = "localhost"\n' + REDIRECT,
        [f'host[0].ip: expected {ADDRESS}, got "localhost" (line 2)'],
    ),
    "address as number": (
        HOST + "ip = 1\n" + REDIRECT,
        [f"host[0].ip: expected {ADDRESS}, got 1 (line 2)"],
    ),
    "server names": (
        HOST + 'server_name = ["ok", "a b", "*", "a.*.b", "", "-a", "é.com", "[::1"]\n' + REDIRECT,
        [
            f'host[0].server_name: expected {NAME}, got "{name}" (line 2)'
            for name in ("a b", "*", "a.*.b", "", "-a", "é.com", "[::1")
        ],
    ),
    "server name as number": (
        HOST + "server_name = 5\n" + REDIRECT,
        ["host[0].server_name: expected a host name or an array of host names, got 5 (line 2)"],
    ),
    "server name twice in one host": (
        HOST + 'server_name = ["a", "A"]\n' + REDIRECT,
        ['host[0].server_name: "a" is given twice (line 2)'],
    ),
    "nameless hosts on one address": (
        HOST + REDIRECT + HOST + 'ip = "0.0.0.0"\n' + REDIRECT,
        [
            "host[1]: listens on 0.0.0.0:8080 without a server_name, as host[0] does already"
            " (line 5)"
        ],
    ),
    "one name on one address": (
        f'[[host]]\nip="::1"\nserver_name = "a"\n{REDIRECT}'
        f'[[host]]\nip="0::1"\nserver_name = ["b", "A."]\n{REDIRECT}',
        ['host[1].server_name: "a" on [::1]:8080 belongs to host[0] already (line 9)'],
    ),
    "bad addresses are not compared": (
        HOST + 'ip = "x"\n' + REDIRECT + HOST + 'ip = "y"\n' + REDIRECT,
        [
            f'host[0].ip: expected {ADDRESS}, got "x" (line 2)',
            f'host[1].ip: expected {ADDRESS}, got "y" (line 7)',
        ],
    ),
    "no location": (
        '[[host]]\n[[host.route]]\nlua_script = "scripts/a.lua"',
        ["host[0].route[0].location: missing (line 2)"],
    ),
    "location": (
        LUA.replace('"/"', '"a"'),
        [f'host[0].route[0].location: expected {LOCATION}, got "a" (line 3)'],
    ),
    "location with a modifier only": (
        LUA.replace('"/"', '"= "'),
        [f'host[0].route[0].location: expected {LOCATION}, got "= " (line 3)'],
    ),
    "location without a regex": (
        LUA.replace('"/"', '"~"'),
        [f'host[0].route[0].location: expected {LOCATION}, got "~" (line 3)'],
    ),
    "location as number": (
        LUA.replace('"/"', "7"),
        ["host[0].route[0].location: expected a string, got 7 (line 3)"],
    ),
    "named location": (
        LUA.replace('"/"', '"@/a"'),
        [
            'host[0].route[0].location: expected a name after the "@" (letters, digits, "_", "-",'
            ' "."), got "@/a" (line 3)'
        ],
    ),
    "regex": (
        LUA.replace('"/"', '"~ ^/(a"'),
        [
            "host[0].route[0].location: bad regular expression: compilation failed at position 4;"
            ' missing closing parenthesis, got "~ ^/(a" (line 3)'
        ],
    ),
    "same location": (
        LUA + REDIRECT.replace('"/"', '"^~ /"'),
        ["host[0].route[1].location: host[0].route[0] has the same location (line 6)"],
    ),
    "same regex, however it is spaced": (
        HOST + REDIRECT.replace('"/"', '"~ a"') + REDIRECT.replace('"/"', '"~a"'),
        ["host[0].route[1].location: host[0].route[0] has the same location (line 6)"],
    ),
    "no handler": (
        ROUTE,
        [
            "host[0].route[0]: a route needs one handler: lua_script, content_by_lua_file,"
            " content_by_lua or redirect_to (line 2)"
        ],
    ),
    "two handlers": (
        LUA + 'redirect_to = "/b"',
        [
            "host[0].route[0]: a route has one handler, this one has several: lua_script,"
            " redirect_to (line 2)"
        ],
    ),
    "inline script and file": (
        LUA + 'content_by_lua = ""',
        [
            "host[0].route[0]: a route has one handler, this one has several: lua_script,"
            " content_by_lua (line 2)"
        ],
    ),
    "one key spelt twice": (
        LUA + 'content_by_lua_file = "scripts/a.lua"',
        [
            "host[0].route[0]: lua_script and content_by_lua_file are one key spelt twice: keep"
            " one (line 2)"
        ],
    ),
    "missing script": (
        ROUTE + 'content_by_lua_file = "b.lua"',
        [
            'host[0].route[0].content_by_lua_file: no such file: "b.lua" (that is FOLDER/b.lua)'
            " (line 4)"
        ],
    ),
    "script that is a folder": (
        ROUTE + 'lua_script = "scripts"',
        [
            'host[0].route[0].lua_script: is not a file: "scripts" (that is FOLDER/scripts)'
            " (line 4)"
        ],
    ),
    "script that is no string": (
        ROUTE + "lua_script = 5",
        [f"host[0].route[0].lua_script: expected {TEXT}, got 5 (line 4)"],
    ),
    "inline script that is no string": (
        ROUTE + "content_by_lua = [1]",
        ["host[0].route[0].content_by_lua: expected a string, got an array (line 4)"],
    ),
    "engine": (
        LUA + 'lua_engine = "perl"',
        [f'host[0].route[0].lua_engine: unknown engine "perl"; installed: {INSTALLED} (line 5)'],
    ),
    "near engine": (
        'lua_engine = "luajti"\n' + LUA,
        [f'lua_engine: unknown engine "luajti"; installed: {INSTALLED}; did you mean "luajit"?'
         " (line 1)"],
    ),
    "engine that is not installed": (
        HOST + 'lua_engine = "lua52"\n' + REDIRECT,
        [f'host[0].lua_engine: unknown engine "lua52"; installed: {INSTALLED}; did you mean'
         ' "lua55"? (line 2)'],
    ),
    "redirect code": (
        HOST + REDIRECT + "redirect_code = 200",
        [
            "host[0].route[0].redirect_code: expected 301, 302, 303, 307 or 308, got 200 (line 5)"
        ],
    ),
    "redirect code alone": (
        LUA + "redirect_code = 302",
        ["host[0].route[0].redirect_code: needs redirect_to beside it (line 5)"],
    ),
    "redirect that would split the header": (
        ROUTE + 'redirect_to = "/a\\r\\nX: 1"',
        [f'host[0].route[0].redirect_to: expected {TEXT}, got "/a\\r\\nX: 1" (line 4)'],
    ),
    "variables": (
        LUA + 'set = { "$a" = "", "b-c" = "", d = 1 }',
        [
            'host[0].route[0].set."$a": expected a variable name (letters, digits and "_", without'
            ' "$") (line 5)',
            'host[0].route[0].set.b-c: expected a variable name (letters, digits and "_", without'
            ' "$") (line 5)',
            "host[0].route[0].set.d: expected a string, got 1 (line 5)",
        ],
    ),
    "variables that are the server's own": (
        LUA + 'set = { uri = "x", ARG_q = "y" }',
        [
            'host[0].route[0].set.uri: "uri" is a variable of the server\'s own: take another'
            " (line 5)",
            'host[0].route[0].set.ARG_q: "ARG_q" is a variable of the server\'s own: take another'
            " (line 5)",
        ],
    ),
    "variables that nothing defines": (
        LUA + 'set = { greeting = "hi $arg_name from $hots", other = "$greting ${http_x} $1" }',
        [
            'host[0].route[0].set.greeting: unknown variable $hots in "hi $arg_name from $hots";'
            ' did you mean "host"? (line 5)',
            'host[0].route[0].set.other: unknown variable $greting in "$greting ${http_x} $1";'
            ' did you mean "greeting"? (line 5)',
        ],
    ),
    "a redirect to what nothing defines": (
        ROUTE + 'redirect_to = "$scheme://$nothing_like_it/"',
        [
            "host[0].route[0].redirect_to: unknown variable $nothing_like_it in"
            ' "$scheme://$nothing_like_it/" (line 4)'
        ],
    ),
    "variables that are no table": (
        LUA + 'set = "a"',
        [
            "host[0].route[0].set: expected a table of variables, [host.route.set], got"
            ' "a" (line 5)'
        ],
    ),
    "shared dicts": (
        'lua_shared_dict = [{name = "a", size = "1m"}, {name = "a", size = "1m"}, {name = "b"},\n'
        '  {size = 1, nmae = "x"}, {name = "c", size = "big"},\n'
        '  {name = "d", size = "1m", backend = "lmdb"}]\n' + LUA,
        [
            'lua_shared_dict[1].name: "a" is defined twice (line 1)',
            "lua_shared_dict[2].size: missing (line 1)",
            'lua_shared_dict[3].nmae: unknown key; did you mean "name"? (line 2)',
            "lua_shared_dict[3].name: missing (line 2)",
            f'lua_shared_dict[4].size: expected {SIZE}, got "big" (line 2)',
            "lua_shared_dict[5].backend: not supported yet (line 3)",
        ],
    ),
    "shared dicts as a table": (
        LUA.replace("[[host]]", 'lua_shared_dict = {a = "1m"}\n[[host]]'),
        [
            "lua_shared_dict: expected an array of tables, [[lua_shared_dict]], got a table"
            " (line 1)"
        ],
    ),
    "isolates that disagree": (
        LUA + 'lua_isolate = "i"\nlua_code_cache = false\nlua_interleave = true\n'
        '[[host.route]]\nlocation = "/b"\ncontent_by_lua = ""\nlua_isolate = "i"\n',
        [
            'host[0].route[1]: shares lua_isolate "i" with host[0].route[0] but differs in'
            " lua_code_cache and lua_interleave: they must agree (line 8)"
        ],
    ),
    "isolates that disagree across hosts": (
        'lua_isolate = "i"\n' + LUA + '[[host]]\nport = 1\n[[host.route]]\nlocation = "/b"\n'
        'content_by_lua = ""\nlua_sandbox = false\n',
        [
            'host[1].route[0]: shares lua_isolate "i" with host[0].route[0] but differs in'
            " lua_sandbox: they must agree (line 8)"
        ],
    ),
    "unsupported handler": (
        ROUTE + 'root = "html"\nindex = ["a"]',
        [
            "host[0].route[0].root: not supported yet (line 4)",
            "host[0].route[0].index: not supported yet (line 5)",
        ],
    ),
    "body limit of a route": (
        LUA + 'max_body_size = "1m"',
        ["host[0].route[0].max_body_size: not supported yet (line 5)"],
    ),
    "long value is cut": (
        f'log_level = "{"x" * 100}"\n' + LUA,
        [
            'log_level: expected "trace", "debug", "info", "warn" or "error", got'
            f' "{"x" * 59}… (line 1)'
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_file_is_refused_with_exactly_these_messages(
    load: Load, folder: Path, case: str
) -> None:
    """Every problem with its file, table path, value and line, and no other problem."""
    text, expected = CASES[case]
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert list(caught.value.problems) == [
        f"config.toml: {problem}".replace("FOLDER", str(folder)) for problem in expected
    ]


UNSUPPORTED = {
    "": "workers init_by_lua init_by_lua_file init_worker_by_lua init_worker_by_lua_file"
    " compression upstream rewrite_by_lua lua_max_pending_timers lua_max_running_timers"
    " lua_socket_pool_size lua_socket_keepalive_timeout",
    "host[0].": "ssl certificate certificate_key headers access_by_lua access_by_lua_file",
    "host[0].route[0].": "root index auto_index proxy_pass upstream proxy_timeout forward_proxy"
    " status_page rewrite_by_lua rewrite_by_lua_file access_by_lua access_by_lua_file"
    " header_filter_by_lua header_filter_by_lua_file body_filter_by_lua body_filter_by_lua_file"
    " log_by_lua log_by_lua_file headers max_body_size error_page not_found_page gzip deflate br"
    " zstd level lua_socket_connect_timeout lua_socket_send_timeout lua_socket_read_timeout",
}


@pytest.mark.parametrize(
    ("place", "key"), [(place, key) for place, keys in UNSUPPORTED.items() for key in keys.split()]
)
def test_what_later_releases_bring_is_refused_and_not_ignored(
    load: Load, place: str, key: str
) -> None:
    """Each key of the reference that is not built yet says so, at each of its levels."""
    line = f"{key} = 1\n"
    text = {
        "": line + LUA,
        "host[0].": HOST + line + REDIRECT,
        "host[0].route[0].": LUA + line,
    }[place]
    with pytest.raises(ConfigError) as caught:
        load(text)
    (problem,) = caught.value.problems
    assert problem.startswith(f"config.toml: {place}{key}: not supported yet (line ")


def test_a_default_engine_that_is_not_installed_is_reported_once(folder: Path) -> None:
    """Where no key is to blame the first route that needs it is named, and what there is."""
    (folder / "config.toml").write_text(LUA + LUA.replace("[[host]]\n", "").replace('"/"', '"/b"'))
    with pytest.raises(ConfigError) as caught:
        load_config(Path("config.toml"), engines=[])
    assert caught.value.problems == (
        'config.toml: host[0].route[0].lua_engine: the default, "luajit", is not installed;'
        " installed: none (line 2)",
    )


def test_a_missing_file_is_a_configuration_error() -> None:
    """Not an OSError with a traceback."""
    with pytest.raises(ConfigError) as caught:
        load_config(Path("no/such.toml"), engines=[])
    assert caught.value.problems == ("no/such.toml: can't be read: No such file or directory",)


def test_a_folder_is_a_configuration_error(folder: Path) -> None:
    """The operating system's reason is passed on."""
    with pytest.raises(ConfigError) as caught:
        load_config(Path("scripts"), engines=[])
    assert caught.value.problems == ("scripts: can't be read: Is a directory",)


def test_text_that_is_not_utf8_names_its_line(folder: Path) -> None:
    """TOML is UTF-8; the first line that is not is named."""
    (folder / "config.toml").write_bytes(b'log_level = "info"\n# \xff\n')
    with pytest.raises(ConfigError) as caught:
        load_config(Path("config.toml"), engines=[])
    assert caught.value.problems == ("config.toml: is not UTF-8 text (at line 2)",)


@pytest.mark.parametrize("text", ["a = " + "[" * 20_000, "a = " + "1" * 5_000])
def test_what_overwhelms_tomli_is_a_configuration_error(load: Load, text: str) -> None:
    """Absurd nesting and absurd numbers are refused without a traceback."""
    with pytest.raises(ConfigError) as caught:
        load(text)
    (problem,) = caught.value.problems
    assert problem.startswith("config.toml: ")
