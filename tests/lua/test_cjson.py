"""cjson where no case reaches: several isolates, and a LuaJIT without ffi or string buffers."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from support.site import open_site

from engines import registry

SET = """
local cjson = require "cjson"
cjson.encode_empty_table_as_object(false)
cjson.encode_number_precision(3)
cjson.array_mt.mine = true
cjson.mine = true
cd.say(cjson.encode {}, cjson.encode(1.23456))
"""
SHOW = """
local cjson = require "cjson"
cd.say(cjson.encode {}, cjson.encode(1.23456), cjson.mine, cjson.array_mt.mine)
"""


@pytest.mark.parametrize("engine", ["luajit", "lua54"])
async def test_what_an_isolate_sets_no_other_sees(engine: str, tmp_path: Path) -> None:
    """Options, marks and the module's table; routes of one isolate share them."""
    routes = "".join(
        f'[[host.route]]\nlocation = "= /{location}"\nlua_script = "{script}.lua"\n{key}\n'
        for location, script, key in [
            ("set", "set", 'lua_isolate = "one"'),
            ("same", "show", 'lua_isolate = "one"'),
            ("other", "show", ""),
        ]
    )
    config = f'lua_engine = "{engine}"\n[[host]]\nport = 8080\n{routes}'
    async with open_site(tmp_path, config, {"set.lua": SET, "show.lua": SHOW}) as site:
        assert (await site.request("/set")).text == "[]1.23\n"
        assert (await site.request("/same")).text == "[]1.23truetrue\n"
        assert (await site.request("/other")).text == "{}1.23456nilnil\n"


TEXTS = [
    b'{"a":[1,-2.5e3,true,false,null,"x",{"b":"\\n\\u00e9\\\\"}],"c":{},"d":[]}',
    b" [ 1 , 0x10 , 01 , nan ] ",
    *(b"[1,]", b'{"a" 1}', b'["a', b'["\\x"]', b"[1 2]", b"{}x", b"[" * 1001, b"[-]"),
    *(
        b'["%b"]' % text
        for text in (
            b"\\u0000\\u007F\\u0080\\u07ff\\u0800\\uFFFF",
            b"\\ud83d\\ude00",
            b"\\ud83d",
            b'\\\\\\"/\\/\\b',
            b"\\u12",
            b"\\u12g4",
            b"a\\",
            b"\\\\",
            b'<a href=\\"x\\">' * 100,
            b"\x7f\\t" + bytes(range(1, 32)),
        )
    ),
    b'{"a\\"b":1}',
    b'["\\',
]

# Gives a function(text) → what it is when decoded and encoded again, or the problem.
AGAIN = b"""
local lualib = ...
local safe = lualib.opener('cjson.safe')({})
safe.encode_invalid_numbers(true)
return function(text)
  local value, problem = safe.decode(text)
  return problem or safe.encode(value)
end
"""


def load_again(missing: str | None = None) -> Any:
    folder = files("candy_trio.lua")
    vm: Any = registry.load("luajit").new_vm()
    if missing is not None:
        hide = f"package.loaded[{missing!r}] = nil package.preload[{missing!r}] = error"
        vm.execute(hide.encode(), "hide")
    host = vm.execute(
        b"return {lualib_source = ...}",
        "host",
        lambda name: (folder / "lualib" / f"{name.decode()}.lua").read_bytes(),
    )
    surface = vm.execute((folder / "api" / "surface.lua").read_bytes(), "surface", vm.kernel, host)
    vm.execute((folder / "api" / "pieces.lua").read_bytes(), "pieces", vm.kernel, host, surface)
    lualib = vm.execute((folder / "lualib.lua").read_bytes(), "lualib", vm.kernel, host, surface)
    return vm.execute(AGAIN, "again", lualib)


@pytest.mark.parametrize("missing", ["ffi", "string.buffer"])
def test_without_what_makes_it_fast_it_is_the_same(missing: str) -> None:
    """What stands in for a missing module answers as the fast way does; members have no order."""
    fast, without = load_again(), load_again(missing)
    answers = [without(text) for text in TEXTS]
    assert [sorted(answer) for answer in answers] == [sorted(fast(text)) for text in TEXTS]
    assert answers[1:4] == [
        b"[1,16,1,NaN]",
        b"Expected value but found T_ARR_END at character 4",
        b"Expected colon but found T_NUMBER at character 6",
    ]
