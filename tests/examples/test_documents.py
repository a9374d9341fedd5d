"""The documents agree with the code: the Lua API's reference and the table of engines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tomli
from serving_process import ROOT
from support.site import ENGINES, one_route, open_site

REFERENCE = (ROOT / "docs" / "lua-api.md").read_text()
COMING_FROM = (ROOT / "docs" / "coming-from-openresty-or-candy.md").read_text()

# Every name that a script can reach, with the table it is in: "req.get_method".
LIST_NAMES = """
local function list(prefix, t)
  for name, value in pairs(t) do
    if type(name) == "string" then
      cd.say(prefix, name)
      if type(value) == "table" and prefix == "" and name ~= "shared" and name ~= "header" then
        list(name .. ".", value)
      end
    end
  end
end
list("", cd) list("", ngx) list("", candy)
for name in pairs(cd.shared.candy) do cd.say("d:", name) end
"""

LEVELS = {"STDERR", "EMERG", "ALERT", "CRIT", "ERR", "WARN", "NOTICE", "INFO", "DEBUG"}


async def test_every_function_and_constant_is_in_the_reference(tmp_path: Path) -> None:
    """Of cd, ngx, candy and the shared dictionaries; by whole names."""
    words = set(re.findall(r"\w+", REFERENCE)) | {f"LOG_{level}" for level in LEVELS}
    async with open_site(tmp_path, one_route("luajit"), {"t.lua": LIST_NAMES}) as site:
        names = (await site.request()).text.split()
    assert len(names) > 250
    assert {name for name in names if re.split("[.:]", name)[-1] not in words} == set()


async def test_every_call_of_the_reference_is_there(tmp_path: Path) -> None:
    """What a table of the reference shows as a call is a function, in every row."""
    calls = {
        call
        for row in re.findall(r"^\| (`.*?) \|", REFERENCE, re.MULTILINE)
        for call in re.findall(r"`((?:req\.|resp\.|cd\.|candy\.|d:)[\w.]+)\(", row)
    }
    assert len(calls) > 70
    lines = ["local d = candy.shared"]
    for call in sorted(calls):
        prefix, _, name = call.replace(":", ".").rpartition(".")
        table = {"req": "cd.req", "resp": "cd.resp"}.get(prefix, prefix)
        lines.append(f'if type({table}.{name}) ~= "function" then cd.say("{call}") end')
    async with open_site(tmp_path, one_route("luajit"), {"t.lua": "\n".join(lines)}) as site:
        assert (await site.request()).text == ""


# What the rows of "What differs between the engines" say, as expressions or as text to compile.
FEATURES = {
    "integers beside floats": ("value", "math.type ~= nil"),
    "`tostring(10 / 2)`": ("value", "tostring(10 / 2)"),
    "`//`, `&`, `\\|`, `~`, `<<`, `>>`": ("compile", "return 1 // 1 & 1 | 1 ~ 1 << 1 >> 1, ~1"),
    "`goto`": ("compile", "goto a ::a::"),
    "`<const>`, `<close>`": ("compile", "local a <const>, b <close> = 1, nil"),
    "`unpack` / `table.unpack`": ("value", "unpack and 'unpack' or 'table.unpack'"),
    "`setfenv`, `getfenv`, `loadstring`": ("value", "(setfenv and getfenv and loadstring) ~= nil"),
    "`_ENV`": ("value", "_ENV ~= nil"),
    "`xpcall` with arguments": (
        "value", "select(2, xpcall(function(a) return a end, print, 7)) == 7",
    ),
    "`\\u{…}` in strings": ("value", "(loadstring or load)([[return '\\u{41}' == 'A']])"),
    "a `for` variable may be assigned": ("compile", "for i = 1, 2 do i = 3 end"),
    "`utf8`, `string.pack`, `table.move`": (
        "value",
        "utf8 and string.pack and table.move and true or table.move and 'table.move only' or false",
    ),
    "bit operations": (
        "value", "bit and 'bit' or bit32 and 'bit32' or math.type and 'operators' or 'none'",
    ),
}  # fmt: skip


def documented(row: str, engine: str) -> str:
    """What the table says of a feature, without marks and remarks."""
    table = COMING_FROM.split("## What differs between the engines")[1]
    lines = [re.split(r"(?<!\\) ?\| ?", line) for line in table.splitlines() if "|" in line]
    columns = [cell.strip("` ") for cell in lines[0]]
    [cells] = [line for line in lines if line[1] == row]
    return cells[columns.index(engine)].replace("`", "").removesuffix(" (silently)")


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_table_of_engines_is_so(engine: str, tmp_path: Path) -> None:
    """Each row, asked of the engine itself."""
    script = ["local compile = loadstring or load"]
    for kind, text in FEATURES.values():
        if kind == "compile":
            script.append(f"cd.say(compile([[{text}]]) and 'yes' or 'no')")
        else:
            script.append(f"local v = {text}")
            script.append("if type(v) == 'function' then v = v() end")
            script.append("if type(v) ~= 'string' then v = v and 'yes' or 'no' end cd.say(v)")
    async with open_site(tmp_path, one_route(engine), {"t.lua": "\n".join(script)}) as site:
        reply = await site.request()
    assert reply.status == 200, site.log()
    found = dict(zip(FEATURES, reply.text.splitlines(), strict=True))
    assert found == {row: documented(row, engine) for row in FEATURES}


async def test_the_first_route_of_getting_started_works(tmp_path: Path) -> None:
    """Its configuration and script, and the routes that it adds."""
    text = (ROOT / "docs" / "getting-started.md").read_text()
    first, more = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[:2]
    [script] = re.findall(r"```lua\n(.*?)```", text, re.DOTALL)
    config = first.replace('log_folder = "-"', "") + more
    assert tomli.loads(config)["host"][0]["route"]
    async with open_site(tmp_path, config, {"scripts/hello.lua": script}) as site:
        assert (await site.request("/hello?name=Lua")).text == "hello, Lua\n"
        assert (await site.request("/user/ada")).text == "user ada\n"
        assert (await site.request("/old")).header("Location") == "/hello"
