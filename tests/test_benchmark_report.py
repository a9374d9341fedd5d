"""The page of a run: one file that needs no other, with every figure on it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from support.engine_runs import WORKS, joined, made_up

from benchmarks.engine_look import COLOURS, label
from benchmarks.engine_run import ENGINES, Run, store_run

if TYPE_CHECKING or find_spec("matplotlib") is not None:
    from benchmarks.report import main
    from benchmarks.report_files import write_report
else:
    pytestmark = pytest.mark.skip(
        reason="matplotlib is not installed: pip install -e '.[test,bench]'",
    )

SVG = "{http://www.w3.org/2000/svg}"


class Outline(HTMLParser):
    """Its text, what it would load, and whether all that is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "srcset", "data", "action"):
                self.loads.append(value or "")
            if name == "id":
                assert value not in self.places
                self.places.add(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Has nothing in it."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


@pytest.fixture(scope="module")
def run() -> Run:
    fast = {(work, "luajit"): 0.1 for work in WORKS}
    return joined(
        made_up(fast, firsts={(work, "luajit"): 12.0 for work in WORKS}),
        made_up(suite="memory", works=["VM", "<thread>"], held={("VM", "lua51"): 1.3}),
        made_up(suite="of another", works=["thing"], engines=("lua54", "mylua")),
        made_up(suite="api", works=["without the reference"], engines=("lua53",)),
    )


@pytest.fixture(scope="module")
def folder(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report(run, folder)
    return folder


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return (folder / "index.html").read_text()


def test_the_page_loads_nothing(text: str) -> None:
    """Whatever it links to is on it."""
    outline = Outline(text)
    assert outline.loads
    assert all(link[0] == "#" and link[1:] in outline.places for link in outline.loads)
    assert outline.open == []
    assert "url(" not in text
    assert "@import" not in text
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {SVG[1:-1]}


def test_the_page_shows_all_works_on_all_engines(text: str) -> None:
    """In charts and in tables; an engine from another package, too."""
    words = Outline(text).words
    for work in (*WORKS, "VM", "<thread>", "thing"):
        assert words.count(work) >= 2
    for engine in (*ENGINES, "mylua"):
        assert words.count(label(engine)) > 2
    assert any("Left out" in word and "api: without the reference" in word for word in words)


def test_the_charts_tell_speeds_warm_and_first(folder: Path) -> None:
    """In figures beside the bars: ten times as fast, and 0.83 times in the first run."""
    drawn = ElementTree.parse(folder / "language.svg")
    texts = [element.text for element in drawn.iter(f"{SVG}text")]
    assert texts.count("10×") == len(WORKS)
    assert texts.count("0.83×") == len(WORKS)
    assert texts.count("first run") == len(WORKS)


def test_an_engine_has_its_colour_everywhere(folder: Path, text: str) -> None:
    """Two bars for each work on it, and the swatches of the page."""
    for engine, colour in COLOURS.items():
        drawn = (folder / "language.svg").read_text()
        assert drawn.count(f"fill: {colour}") == 2 * len(WORKS), engine
        assert text.count(f"fill: {colour}") >= 2 * len(WORKS)
        assert f"background: {colour}" in text
    # Nothing else in a chart has any colour but greys, and an engine that nobody knows.
    used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", text.partition("</style>")[2]))
    assert used - set(COLOURS.values()) == {"#23262d", "#666b77", "#e7e4dd", "#8f8d86", "#7d8590"}


def test_no_figure_stands_beyond_its_chart(folder: Path) -> None:
    """Neither bars nor the places of texts."""
    for path in folder.glob("*.svg"):
        drawn = ElementTree.parse(path).getroot()
        width, height = (float(drawn.attrib[name]) for name in ("width", "height"))
        for element in drawn.iter(f"{SVG}text"):
            assert 0 <= float(element.attrib["x"]) <= width
            assert 0 <= float(element.attrib["y"]) <= height
        for element in drawn.iter(f"{SVG}path"):
            points = re.findall(r"[ML] (\S+) (\S+)", element.attrib["d"])
            assert all(0 <= float(x) <= width and 0 <= float(y) <= height for x, y in points)


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr("sys.argv", ["report", *map(str, arguments)])
    return main()


def test_a_saved_run_is_reported(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each file that is written is named: page, charts, what a document shows."""
    saved, page, picture = (tmp_path / name for name in ("run.json", "page.md", "picture.svg"))
    store_run(saved, run)
    page.write_text("<!-- report: written by benchmarks/report.py -->\n<!-- end of report -->\n")
    into = tmp_path / "into"
    shown = ("--page", page, "--picture", picture)
    assert call(monkeypatch, "--from", saved, "--into", into, *shown) == 0
    written = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert into / "index.html" in written
    assert all(path.stat().st_size > 100 for path in written)
    assert {page, picture} < set(written)
    assert "- **Computing, on a busy route**: LuaJIT. 10× as fast" in page.read_text()


def test_saved_runs_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The status says whether anything is slower; without a page."""
    saved, slow, into = tmp_path / "run.json", tmp_path / "slow.json", tmp_path / "into"
    store_run(saved, made_up())
    store_run(slow, made_up({("fib", "lua54"): 2.0}))
    assert call(monkeypatch, "--from", saved, "--compare", saved, "--into", into) == 0
    assert call(monkeypatch, "--from", slow, "--compare", saved, "--into", into) == 1
    assert "SLOWER: language: fib, lua54: takes 2.00 times" in capsys.readouterr().out
    assert call(monkeypatch, "--from", slow, "--compare", saved, "--threshold", "2.5") == 0
    assert not into.exists()


def test_runs_with_nothing_in_common_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing slower would be a lie."""
    saved, other = tmp_path / "run.json", tmp_path / "other.json"
    store_run(saved, made_up(works=["fib"]))
    store_run(other, made_up(works=["sort"]))
    with pytest.raises(SystemExit, match="no benchmark in common"):
        call(monkeypatch, "--from", saved, "--compare", other)


def test_an_unsteady_work_is_marked_and_not_in_the_means(tmp_path: Path) -> None:
    """Its chart says how far its rounds lie apart, in the page and in the file."""
    factors = {("fib", "luajit"): 0.5, ("sort", "luajit"): 0.001}
    scatter = {("sort", engine): 0.42 for engine in ENGINES}
    write_report(made_up(factors, works=["fib", "sort"], scatter=scatter), tmp_path)
    assert (
        "sort <small>rounds 42\N{NO-BREAK SPACE}% apart</small>"
        in (tmp_path / "index.html").read_text()
    )
    assert ">rounds 42\N{NO-BREAK SPACE}% apart<" in (tmp_path / "language.svg").read_text()
    means = ElementTree.parse(tmp_path / "overview.svg")
    assert "2.0×" in [element.text for element in means.iter(f"{SVG}text")]
