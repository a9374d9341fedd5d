"""Lua engines: Lua alone. No HTTP, no trio, nothing of ``candy_trio``.

``base`` says what an engine is, ``registry`` finds them by name, ``luajit`` and ``puc``
are the two kinds that ship, ``lupa_vm`` and ``kernel.lua`` what those share.
"""

from engines import compiled

compiled.choose()
