"""Both parsers pass the contract."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Literal

import pytest
from contracts.parser_contract import CHECKS, MakeParser
from corpora.malformed import CASES

from candy_trio.http.parser import RequestParser, make_parser

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["httptools", "h11"]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", ["httptools", "h11"])
def test_contract(kind: Kind, check: Callable[[MakeParser], None]) -> None:
    """This parser does what the check's own docstring says."""

    def make(max_header_size: int) -> RequestParser:
        return make_parser(kind, max_header_size=max_header_size)

    check(make)


def test_corpus_is_sound() -> None:
    """No case of the corpus is there twice, by name or by bytes, and it is a large one."""
    assert len({case.name for case in CASES}) == len(CASES)
    assert len({case.raw for case in CASES}) == len(CASES)
    assert len(CASES) >= 500


def test_auto_prefers_httptools() -> None:
    """ "auto" is httptools where it is installed, and each name gives its own parser."""
    names = {
        kind: type(make_parser(kind, max_header_size=1000)).__name__
        for kind in ("auto", "httptools", "h11")
    }
    assert names == {"auto": "HttptoolsParser", "httptools": "HttptoolsParser", "h11": "H11Parser"}


WITHOUT_HTTPTOOLS = """
import sys
sys.modules["httptools"] = None
from candy_trio.http.parser import make_parser
assert type(make_parser("auto", max_header_size=1000)).__name__ == "H11Parser"
try:
    make_parser("httptools", max_header_size=1000)
except ImportError:
    print("as it should be")
"""


def test_auto_without_httptools() -> None:
    """Without httptools, "auto" is h11, and asking for httptools by name is an ImportError."""
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT_HTTPTOOLS], capture_output=True, text=True, check=True
    )
    assert said.stdout == "as it should be\n"
