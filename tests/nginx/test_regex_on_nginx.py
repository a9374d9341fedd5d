"""ngx.re on random patterns, options and subjects: the same answers as nginx's Lua module."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from nginx.regex_patterns import OPTIONS, PATTERNS, SUBJECTS, TEMPLATES
from support.nginx import RANDOM, Peers, batches, pack

FUNCTIONS = st.sampled_from(["match", "find", "gmatch", "sub", "gsub", "gsub_by_function", "split"])

CALLS = st.tuples(
    FUNCTIONS, SUBJECTS, PATTERNS, OPTIONS, TEMPLATES, st.integers(1, 6).map(str)
).map(lambda call: pack([part.encode() for part in call]))


@RANDOM
@given(batches(CALLS))
def test_regex(peers: Peers, batch: list[bytes]) -> None:
    """2,000 random calls: results, errors and places are what they are on nginx."""
    peers.compare("regex", batch)
