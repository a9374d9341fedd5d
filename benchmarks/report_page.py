"""The page of one run: what its figures say, charts, tables; one file that needs no other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template

from benchmarks.advice import Advice, advise, in_short, margin_of
from benchmarks.charts import DARK, panel_svg
from benchmarks.engine_look import colour, duration, label, size
from benchmarks.engine_run import ENGINES, REFERENCE, Benchmark, Group, Run, in_order
from benchmarks.panels import Panel, is_memory, overview, panels_of

FOLDER = Path(__file__).parent

TITLE = "Which engine should I choose?"

SUITES = {
    "language": (
        "Language",
        "Programs that compute in Lua alone, the same text and size on every engine.",
    ),
    "api": ("API", "One call of a function from a script, beside the same on the others."),
    "crossing": (
        "Crossing",
        "Between Python and Lua: calls, suspending and resuming, and what is handed over.",
    ),
    "request": (
        "Requests",
        "Whole ones, from the request’s bytes to the answer’s, through the server.",
    ),
    "compile": ("Compiling", "From a script’s text to what can run, and finding it again."),
    "memory": ("Memory", "What is held at rest, without what scripts make. Shorter is better."),
}
"""Their titles, and what they are."""


def page(run: Run) -> str:
    """All of it."""
    suites = by_suite(run)
    advices = advise(run)
    template = Template((FOLDER / "report.html").read_text())
    return template.substitute(
        title=TITLE,
        style=(FOLDER / "report.css").read_text() + DARK,
        lead=escape(in_short(advices)),
        machine=escape(machine_line(run)),
        navigation=_navigation(suites),
        margin=f"Engines nearer to each other than {margin_of(run):.0%} are level.",
        cards="\n".join(map(_card, advices)),
        reference=label(REFERENCE),
        reading=(
            "Bars to the right of 1 are faster, to the left slower; half as fast is as far from 1"
            " as twice as fast. First runs are set beside the first run of"
            f" {label(REFERENCE)}."
        ),
        legend=_legend(run),
        overview="\n".join(map(_figure, overview(titled(suites)))),
        suites="\n".join(_suite(name, groups) for name, groups in suites.items()),
        footer=_footer(run, suites),
    )


def by_suite(run: Run) -> dict[str, list[Group]]:
    """The groups that can be shown: those that the reference has done."""
    suites: dict[str, list[Group]] = {}
    for group in run.groups():
        if REFERENCE in group.on:
            suites.setdefault(group.suite, []).append(group)
    return suites


def suite_title(name: str) -> str:
    return SUITES.get(name, (name.capitalize(), ""))[0]


def machine_line(run: Run) -> str:
    """Where, when and what."""
    machine, cpu = run.machine_info, run.machine_info.cpu
    commit = f", commit {run.commit_info.id[:10]}" if run.commit_info.id else ""
    return (
        f"Measured on {run.datetime[:10]} on “{machine.node}”: {cpu.brand_raw}, {cpu.count} cores,"
        f" {machine.system} {machine.release}, Python {machine.python_version}{commit}."
    )


def titled(suites: dict[str, list[Group]]) -> dict[str, list[Group]]:
    return {suite_title(name): groups for name, groups in suites.items()}


def _navigation(suites: Iterable[str]) -> str:
    sections = {"advice": "Which for what", "overview": "At a glance"}
    sections |= {f"suite-{_slug(name)}": suite_title(name) for name in suites}
    return "\n".join(f'<a href="#{place}">{escape(title)}</a>' for place, title in sections.items())


def _card(advice: Advice) -> str:
    more = "".join(f"<p>{escape(text)}</p>" for text in advice.more)
    choice = "".join(f"<span>{_swatch(it)}{escape(label(it))}</span>" for it in advice.engines)
    return (
        f'<article class="card"><h3>{escape(advice.topic.title)}</h3>'
        f'<p class="choice">{choice or "It hardly matters"}</p>'
        f'<p class="first">{escape(advice.lead)}</p>{more}</article>'
    )


def _legend(run: Run) -> str:
    engines = in_order({engine for group in run.groups() for engine in group.on}, ENGINES)
    names = [f"<span>{_swatch(engine)}{escape(label(engine))}</span>" for engine in engines]
    bars = '<span><span class="bars"><i></i><i></i></span>warm, and beneath it the first run</span>'
    return "\n".join([*names, bars])


def _swatch(engine: str) -> str:
    return f'<i class="swatch" style="background: {colour(engine)}"></i>'


def _figure(panel: Panel) -> str:
    return f"<figure><figcaption>{escape(panel.title)}</figcaption>{panel_svg(panel)}</figure>"


def _suite(name: str, groups: Sequence[Group]) -> str:
    title, about = SUITES.get(name, (suite_title(name), ""))
    engines = in_order({engine for group in groups for engine in group.on}, ENGINES)
    head = "".join(f"<th scope=col>{_swatch(it)}{escape(label(it))}</th>" for it in engines)
    rows = "\n".join(_table_row(group, engines) for group in groups)
    figures = "\n".join(map(_figure, panels_of(groups)))
    return (
        f'<section id="suite-{_slug(name)}">\n<h2>{escape(title)}</h2>'
        f'<p class="about">{escape(about)}</p>\n<div class="charts">{figures}</div>\n'
        f'<details><summary>The figures</summary><div class="scroll"><table>'
        f"<thead><tr><th scope=col>{_measure_of(groups)}</th>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div></details>\n</section>"
    )


def _measure_of(groups: Iterable[Group]) -> str:
    if all(map(is_memory, groups)):
        return "held<br>and what making it takes"
    return "time of one, warm<br>and in the first run"


def _table_row(group: Group, engines: Iterable[str]) -> str:
    cells = "".join(
        f"<td>{_cell(group.on[engine], is_memory(group))}</td>"
        if engine in group.on
        else "<td></td>"
        for engine in engines
    )
    return f"<tr><th scope=row>{escape(group.work)}</th>{cells}</tr>"


def _cell(one: Benchmark, memory: bool) -> str:
    if memory:
        return f"{size(one.extra_info.bytes or 0)}<small>{duration(one.time_of_one)}</small>"
    first = one.first_time_of_one
    below = "" if first is None else f"<small>{duration(first)}</small>"
    return f"{duration(one.time_of_one)}{below}"


def _footer(run: Run, suites: dict[str, list[Group]]) -> str:
    versions = "; ".join(
        text if name in ENGINES else f"{name} {text}"
        for name, text in run.machine_info.versions.items()
    )
    alone = [group.name for group in run.groups() if REFERENCE not in group.on]
    rounds = sorted(
        one.stats.rounds for groups in suites.values() for it in groups for one in it.on.values()
    )
    paragraphs = [
        "Times are medians, of the process’s own processor time where one process does the work;"
        f" half of them are of {rounds[len(rounds) // 2]} rounds or more. At the median benchmark"
        f" the middle half of the rounds lie within {run.spread():.1%} of one another."
        " Before each round all garbage is collected, and each result is checked."
        " A first run is the first in a fresh VM.",
        "Seconds say little about another machine; ratios say more, and only those of one run.",
        machine_line(run),
        f"{versions}." if versions else "",
        f"Left out, because {label(REFERENCE)} has not done it: {'; '.join(alone)}."
        if alone
        else "",
    ]
    told = "\n".join(f"<p>{escape(text)}</p>" for text in paragraphs if text)
    return f"<h2>How it was measured</h2>\n{told}"


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)
