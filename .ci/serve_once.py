"""Start an installed candy-trio on a script of each engine kind and ask it once.

Usage: serve_once.py PATH_TO_CANDY_TRIO MODE, in any folder but the checkout's. MODE is what the log
must say of how time slices are made.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

CONFIG = """
log_folder = "-"
[[host]]
ip = "127.0.0.1"
port = 0
[[host.route]]
location = "= /jit"
content_by_lua = 'cd.print(candy.engine)'
[[host.route]]
location = "= /puc"
lua_engine = "puc"
content_by_lua = 'cd.print(candy.engine)'
"""


def main(command: str, mode: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.toml")
        config.write_text(CONFIG)
        subprocess.run([command, "--check", str(config)], check=True)
        with subprocess.Popen([command, str(config)], stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr is not None
            said = ""
            for line in server.stderr:
                said += line
                if found := re.search(r"listening on (http://\S+)", line):
                    break
            else:
                raise SystemExit("the server did not start")
            for path, engine in (("/jit", b"luajit"), ("/puc", b"lua54")):
                with urllib.request.urlopen(found[1] + path, timeout=10) as reply:
                    body = reply.read()
                    assert body == engine, body
                    print(path, body.decode())
            server.terminate()
            said += server.stderr.read()
            assert said.count(mode) == 2, said


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
