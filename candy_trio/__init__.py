"""A web server whose routes are Lua scripts."""

import engines  # noqa: F401 - first of all, since it chooses between compiled modules and sources
