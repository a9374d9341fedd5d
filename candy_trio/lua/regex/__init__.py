"""Regular expressions for ``ngx.re``: PCRE2 with the habits of the PCRE that its scripts know.

It uses PyPI's ``pcre2`` below its public interface (see :mod:`candy_trio.lua.regex.pcre`), which
has no way to ask for OpenResty's options.
"""
