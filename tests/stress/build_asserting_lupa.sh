#!/usr/bin/env bash
# A virtual environment whose lupa was built with the assertions of Lua and LuaJIT on:
#
#     tests/stress/build_asserting_lupa.sh FOLDER
#     PYTHONPATH=tests FOLDER/bin/python -m stress.run --seconds 300
#
# What breaks a rule of Lua's C API, or damages a VM's state, aborts there at once, with the broken
# assertion's text, where the released lupa may go on for hours. Needs a C compiler and make.
# Its source comes from the package index that pip uses; Cython is one of its build requirements.
set -euo pipefail
folder=$1
repository=$(cd "$(dirname "$0")/../.." && pwd)
version=2.8     # what candy_trio is developed with

"${PYTHON:-python3}" -m venv "$folder"
folder=$(cd "$folder" && pwd)
python="$folder/bin/python"
"$python" -m pip install -q --upgrade pip
"$python" -m pip install -q -e "$repository[test]"

source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
"$python" -m pip download -q --no-deps --no-binary :all: -d "$source" "lupa==$version"
tar -xf "$source"/lupa-*.tar.gz -C "$source" --strip-components=1
rm -r "$source/third-party/luajit20"    # the one Lua that no engine uses
# LuaJIT's makefile is told here, and kept from what CFLAGS says below to C alone: it has assembler.
sed -i -e 's/^XCFLAGS=.*/XCFLAGS= -fPIC -DLUA_USE_ASSERT -DLUA_USE_APICHECK/' \
    -e '/^ASOPTIONS=/s/ \$(CFLAGS)//' "$source/third-party/luajit21/src/Makefile"
# Where memory runs out while a closure is made, LuaJIT frees it as if it had no upvalues: nothing
# leaks, but its sum is wrong, which it would take for a leak when the state is closed.
sed -i '/lj_assertG(g->gc.total == sizeof(GG_State),/,/;/d' "$source/third-party/luajit21/src/lj_state.c"

# 5.1 to 5.3 know lua_assert, 5.4 and 5.5 LUAI_ASSERT, which defines it once more. Python's own
# flags may come first, and have NDEBUG. LUA_USE_DLOPEN as in the released wheels.
CFLAGS="-UNDEBUG -O2 -g -fPIC -include assert.h -Dlua_assert=assert -DLUAI_ASSERT -w" \
LUPA_USE_BUNDLE=true LUPA_WITH_LUA_CHECKS=true LUPA_WITH_LUA_DLOPEN=true \
    "$python" -m pip install -q --force-reinstall --no-deps --no-cache-dir "$source"

# Proof: each of these breaks a rule on purpose, and must abort for it.
for engine in lua51 lua52 lua53 lua54 lua55 luajit21; do
    said=$("$python" - "$engine" 2>&1 <<'PYTHON' || true
import ctypes, importlib, sys
module = ctypes.CDLL(importlib.import_module(f"lupa.{sys.argv[1]}").__file__)
for name in ("lua_sethook", "lua_newthread", "luaL_newstate"):
    getattr(module, name)    # exported, as in the wheel: what time slices stand on
module.luaL_newstate.restype = ctypes.c_void_p
state = ctypes.c_void_p(module.luaL_newstate())
module.lua_settop(state, -5)
print("no assertion")
PYTHON
)
    case $said in
        *[Aa]ssert* | *ASSERT*) echo "$engine: ${said##*$'\n'}" ;;
        *) echo "$engine: lua_settop of an empty stack passed unseen: $said" >&2; exit 1 ;;
    esac
done
