"""Where ``require`` looks: the patterns of ``lua_package_path``, and nothing outside them; then
what comes with the server.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

# Segments of letters, digits, "_" and "-", parted by dots or slashes: no "..", no absolute path,
# nothing that could leave the folder a pattern names.
_NAME = re.compile(rb"[\w-]+(?:[./][\w-]+)*\Z", re.A)


def callbacks(
    patterns: Sequence[Path], folder: Path, path_text: str
) -> dict[str, Callable[..., Any]]:
    """What modules.lua and scripts.lua ask of the server, by name."""

    def find_module(name: bytes) -> tuple[bytes | None, bytes, bytes | None]:
        """(source, path, shown path) or (None, what was tried, None)."""
        if _NAME.match(name) is None:
            return None, b"\n\tno module can have this name", None
        relative = name.decode("ascii").replace(".", "/")
        tried = []
        for pattern in patterns:
            path = str(pattern).replace("?", relative)
            shown = os.path.relpath(path, folder)
            try:
                with open(path, "rb") as file:
                    return file.read(), os.fsencode(path), os.fsencode(shown)
            except OSError:
                tried.append(f"\n\tno file '{shown}'")
        return None, "".join(tried).encode(), None

    def read_file(path: bytes) -> tuple[bytes | None, bytes | None]:
        """For loadfile and dofile of trusted scripts; relative to the working directory."""
        try:
            with open(path, "rb") as file:
                return file.read(), None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            reason = error.strerror if isinstance(error, OSError) else str(error)
            return None, b"cannot open %b: %b" % (path, (reason or "").encode())

    def lualib_source(name: bytes) -> bytes:
        return (files("candy_trio.lua") / "lualib" / f"{name.decode()}.lua").read_bytes()

    return {
        "find_module": find_module,
        "read_file": read_file,
        "lualib_source": lualib_source,
        "package_path": lambda: path_text.encode(),
    }
