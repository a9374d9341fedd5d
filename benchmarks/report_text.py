"""The words of a report, wherever it is shown."""

from __future__ import annotations

from benchmarks.advice import advise, in_short
from benchmarks.engine_look import label, labels
from benchmarks.engine_run import REFERENCE, Group, Run

TITLE = "Which engine should I choose?"
PICTURE_TITLE = f"How fast each engine is beside {label(REFERENCE)}"

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


def by_suite(run: Run) -> dict[str, list[Group]]:
    """The groups that can be shown: those that the reference has done."""
    suites: dict[str, list[Group]] = {}
    for group in run.groups():
        if REFERENCE in group.on:
            suites.setdefault(group.suite, []).append(group)
    return suites


def suite_title(name: str) -> str:
    return SUITES.get(name, (name.capitalize(), ""))[0]


def about_suite(name: str) -> str:
    return SUITES.get(name, ("", ""))[1]


def slug(name: str) -> str:
    """A suite's name in a file's, and in a link."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def titled(suites: dict[str, list[Group]]) -> dict[str, list[Group]]:
    return {suite_title(name): groups for name, groups in suites.items()}


def machine_line(run: Run) -> str:
    """Where, when and what."""
    machine, cpu = run.machine_info, run.machine_info.cpu
    commit = f"{run.commit_info.id[:10]}{' with changes' if run.commit_info.dirty else ''}"
    return (
        f"Measured on {run.datetime[:10]} on “{machine.node}”: {cpu.brand_raw}, {cpu.count} cores,"
        f" {machine.system} {machine.release}, Python {machine.python_version},"
        f" commit {commit or 'unknown'}."
    )


def caption(run: Run) -> tuple[str, str]:
    name = label(REFERENCE)
    return (
        f"Right of 1: faster than {name}; left: slower. The thin bar is the first run in a fresh"
        f" VM, beside the first run of {name}. Memory: shorter is better.",
        machine_line(run),
    )


def page_part(run: Run) -> list[str]:
    """For docs/benchmarks.md: what the figures say, in Markdown."""
    advices = advise(run)
    lines = [in_short(advices), ""]
    for advice in advices:
        choice = labels(advice.engines, "or") if advice.engines else "it hardly matters"
        lines.append(
            f"- **{advice.topic.title}**: {choice}. {' '.join([advice.lead, *advice.more])}"
        )
    return [*lines, "", machine_line(run)]
