"""Results where they are kept: a JSON file, and the part of a page that is made from it."""

from __future__ import annotations

from pathlib import Path

import msgspec


def store(path: Path, report: msgspec.Struct) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")


def part_of(page: str, name: str) -> tuple[str, str, str]:
    """The page before, within and after the part of that name."""
    begin, end = f"<!-- {name}: written by benchmarks/{name}.py -->\n", f"<!-- end of {name} -->\n"
    before, begun, rest = page.partition(begin)
    part, ended, after = rest.partition(end)
    if not (begun and ended):
        raise SystemExit(f"the page has no part between {begin!r} and {end!r}")
    return before + begin, part, end + after


def replace_part(path: Path, name: str, lines: list[str]) -> None:
    before, _, after = part_of(path.read_text(), name)
    path.write_text(before + text_of(lines) + after)


def text_of(lines: list[str]) -> str:
    return "\n" + "\n".join(lines) + "\n\n"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """In Markdown; the first column is text, the others are numbers."""
    marks = ["---", *["--:"] * (len(head) - 1)]
    return [f"| {' | '.join(row)} |" for row in (head, marks, *rows)]
