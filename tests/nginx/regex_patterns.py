"""Random patterns of a small grammar, and subjects in which they find something.

The grammar holds what PCRE 8 and PCRE2 both document and agree on; where they differ by design,
docs/coming-from-openresty-or-candy.md says so.
"""

from __future__ import annotations

from hypothesis import strategies as st

_ATOMS = st.sampled_from([
    "a", "b", "c", "ab", "1", " ", ".", r"\d", r"\w", r"\s", r"\W", r"\S", r"\D", "[ab]", "[^a]",
    "[a-c1]", "[^\\n]", r"[\w-]", r"[\d.]", "[[:alpha:]]", "é", r"\x{61}", r"\.", r"\n", "_",
])  # fmt: skip
_ASSERTIONS = st.sampled_from(["^", "$", r"\b", r"\B", r"\A", r"\z", r"\Z", "(?=a)", "(?!b)", "(?<=a)", "(?<!b)", r"\G", ""])  # fmt: skip  # noqa: E501
_QUANTIFIERS = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,}", "*?", "+?", "??", "++", "*+"])  # fmt: skip  # noqa: E501
_GROUPS = st.sampled_from(["(", "(", "(?:", "(?i:", "(?>", "(?=", "(?!"])
_BACKREFERENCES = st.sampled_from([r"\1", r"\2"])


def _pieces(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    quantified = st.builds(str.__add__, _ATOMS, _QUANTIFIERS)
    group = st.builds(
        lambda start, branches, quantifier: f"{start}{'|'.join(branches)}){quantifier}",
        _GROUPS,
        st.lists(inner, min_size=1, max_size=3),
        _QUANTIFIERS,
    )
    return st.lists(quantified | group | _ASSERTIONS, min_size=1, max_size=3).map("".join)


_PATTERNS = st.recursive(st.builds(str.__add__, _ATOMS, _QUANTIFIERS), _pieces, max_leaves=6)

_NAMED = st.builds(
    lambda pattern, name: f"(?<{name}>{pattern})", _PATTERNS, st.sampled_from(["n", "name", "_x1"])
)

PATTERNS = st.one_of(
    _PATTERNS,
    st.builds(str.__add__, _PATTERNS, _PATTERNS),
    st.builds(str.__add__, _NAMED, _PATTERNS),
    st.builds(
        lambda group, tail, back: f"({group}){tail}{back}", _PATTERNS, _PATTERNS, _BACKREFERENCES
    ),
)
"""May fail to compile (a reference to a group that is not there): both must say so."""

OPTIONS = st.sets(st.sampled_from("ismxuajoD")).map(lambda letters: "".join(sorted(letters)))

SUBJECTS = st.one_of(
    st.text("abcAB1 ._\né", max_size=12),
    st.sampled_from(["", "a", "aaa", "ab ab", "hello, 1234", "abc\nabc\n", "ééaé"]),
)

TEMPLATES = st.text("x$12{}", max_size=8)
