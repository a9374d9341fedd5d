"""What pyproject.toml can't say: the extension in C, and the modules that mypyc compiles.

What every request passes through is compiled, from the same Python, by mypyc. It stays Python where
there is no compiler, and with CANDY_TRIO_PURE=1; docs/compiled.md tells what to know of it.
"""

import os

from setuptools import Extension, setup

COMPILED = [
    "candy_trio/handover.py",
    "candy_trio/handlers/base.py",
    "candy_trio/handlers/lua_script.py",
    "candy_trio/http/body.py",
    "candy_trio/http/chunk_check.py",
    "candy_trio/http/conditional.py",
    "candy_trio/http/events.py",
    "candy_trio/http/framing.py",
    "candy_trio/http/parser.py",
    "candy_trio/http/parser_h11.py",
    "candy_trio/http/parser_httptools.py",
    "candy_trio/http/strict.py",
    "candy_trio/http/writer.py",
    "candy_trio/lua/current.py",
    "candy_trio/lua/host.py",
    "candy_trio/lua/scripts.py",
    "candy_trio/lua/turns.py",
    "candy_trio/lua/vm.py",
    "candy_trio/pipeline/app.py",
    "candy_trio/pipeline/exchange.py",
    "candy_trio/pipeline/records.py",
    "candy_trio/pipeline/response.py",
    "candy_trio/pipeline/run.py",
    "candy_trio/observe/text.py",
    "candy_trio/observe/writer.py",
    "candy_trio/routing/locations.py",
    "candy_trio/routing/paths.py",
    "candy_trio/server/connection.py",
    "candy_trio/server/inbound.py",
    "candy_trio/server/outbound.py",
    "candy_trio/server/poller.py",
    "candy_trio/server/transport.py",
    "engines/base.py",
    "engines/lupa_vm.py",
]


def compiled_modules() -> list[Extension]:
    """What mypyc makes of COMPILED; nothing where it is not wanted or not there."""
    if os.environ.get("CANDY_TRIO_PURE"):
        return []
    try:
        from mypyc.build import mypycify
    except ImportError:
        return []
    # Not by the project's own settings: not all libraries that it imports are there to be checked.
    flags = ["--config-file=", "--python-version=3.11", "--ignore-missing-imports"]
    try:
        extensions = mypycify([*flags, *COMPILED], group_name="candy_trio", debug_level="0")
    except SystemExit:  # after it has printed why
        print("warning: mypyc can't compile this version: its modules stay Python")
        return []
    for extension in extensions:
        extension.optional = True
    return extensions


# Without a compiler the server installs all the same: engines/slicer.py has other ways.
slicer = Extension(
    "engines._slicer",
    ["engines/_slicer.c"],
    py_limited_api=True,
    optional=True,
    define_macros=[("Py_LIMITED_API", "0x030b0000")],
)
modules = compiled_modules()
# The extension alone serves every Python from 3.11 on; what mypyc makes, only its own version.
options = {} if modules else {"bdist_wheel": {"py_limited_api": "cp311"}}
setup(ext_modules=[slicer, *modules], options=options)
