"""``python -m candy_trio``."""

from __future__ import annotations

import sys

from candy_trio.cli import main

if __name__ == "__main__":
    sys.exit(main())
