"""The page of one run: what its figures say, charts, tables; one file that needs no other."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template

from benchmarks.advice import Advice, advise, in_short, margin_of
from benchmarks.charts import DARK, panel_svg
from benchmarks.engine_look import colour, duration, label, percent, size
from benchmarks.engine_run import ENGINES, REFERENCE, UNSTEADY, Benchmark, Group, Run, in_order
from benchmarks.panels import Panel, is_memory, overview, panels_of
from benchmarks.report_text import (
    TITLE,
    about_suite,
    by_suite,
    machine_line,
    slug,
    suite_title,
    titled,
)

FOLDER = Path(__file__).parent


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
        margin=f"Engines nearer to each other than {percent(margin_of(run))} are level.",
        cards="\n".join(map(_card, advices)),
        reference=label(REFERENCE),
        reading=(
            "Bars to the right of 1 are faster, to the left slower; half as fast is as far from 1"
            f" as twice as fast. First runs are set beside the first run of {label(REFERENCE)}."
            f" Works whose rounds lie more than {percent(UNSTEADY)} apart are not in the means."
        ),
        legend=_legend(run),
        overview="\n".join(map(_figure, overview(titled(suites)))),
        suites="\n".join(_suite(name, groups) for name, groups in suites.items()),
        footer=_footer(run),
    )


def _navigation(suites: Iterable[str]) -> str:
    sections = {"advice": "Which for what", "overview": "At a glance"}
    sections |= {f"suite-{slug(name)}": suite_title(name) for name in suites}
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
    note = f" <small>{escape(panel.note)}</small>" if panel.note else ""
    title = f"<figcaption>{escape(panel.title)}{note}</figcaption>"
    return f"<figure>{title}{panel_svg(panel)}</figure>"


def _suite(name: str, groups: Sequence[Group]) -> str:
    title, about = suite_title(name), about_suite(name)
    engines = in_order({engine for group in groups for engine in group.on}, ENGINES)
    head = "".join(f"<th scope=col>{_swatch(it)}{escape(label(it))}</th>" for it in engines)
    rows = "\n".join(_table_row(group, engines) for group in groups)
    figures = "\n".join(map(_figure, panels_of(groups)))
    return (
        f'<section id="suite-{slug(name)}">\n<h2>{escape(title)}</h2>'
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


def _footer(run: Run) -> str:
    versions = "; ".join(
        text if name in ENGINES else f"{name} {text}"
        for name, text in run.machine_info.versions.items()
    )
    alone = [group.name for group in run.groups() if REFERENCE not in group.on]
    rounds = statistics.median(one.stats.rounds for one in run.benchmarks)
    paragraphs = [
        f"Times are medians, mostly of {rounds:g} rounds: of the process’s own processor time where"
        " one process does the work, else of the clock’s. Before each round all garbage is"
        " collected, and each result is checked. A first run is the first in a fresh VM."
        " In the middle benchmark the middle half of the rounds lies within"
        f" {percent(run.spread(), 1)}.",
        "Seconds say little about another machine; ratios say more, and only those of one run.",
        machine_line(run),
        f"{versions}." if versions else "",
        f"Left out, because {label(REFERENCE)} has not done it: {'; '.join(alone)}."
        if alone
        else "",
    ]
    told = "\n".join(f"<p>{escape(text)}</p>" for text in paragraphs if text)
    return f"<h2>How it was measured</h2>\n{told}"
