"""Which engine for what: runs the suites that compare engines, and writes what they say.

    pip install -e '.[test,bench]'
    python -m benchmarks.report [--short] [--store benchmarks/results/engines.json]
    python -m benchmarks.report --from benchmarks/results/engines.json
    python -m benchmarks.report --compare benchmarks/results/engines.json --short

Without ``--compare`` it writes a page and charts into benchmarks/report/. With it, it tells what
got slower since a stored run, and its status is 1 if anything did: see benchmarks/compare.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.compare import THRESHOLD, changes, decide, find_slower, only_in_one
from benchmarks.engine_look import percent
from benchmarks.engine_run import Run, read_run, store_run
from benchmarks.page import replace_part
from benchmarks.report_files import write_picture, write_report
from benchmarks.report_text import page_part
from benchmarks.suite_run import Suites

FOLDER = Path(__file__).parent / "report"


def main() -> int:
    arguments = parse_arguments()
    suites = Suites(short=arguments.short, only=arguments.only, slow_down=arguments.slow_down)
    run = suites.run() if arguments.saved is None else read_run(arguments.saved)
    if not run.groups():
        raise SystemExit("no benchmark in it says its suite, work and engine")
    if arguments.store is not None:
        store_run(arguments.store, run)
    if arguments.compare is not None:
        return compare(
            run, read_run(arguments.compare), arguments.threshold, suites, arguments.saved
        )
    written = write_report(run, arguments.into)
    if arguments.picture is not None:
        write_picture(run, arguments.picture)
        written.append(arguments.picture)
    if arguments.page is not None:
        replace_part(arguments.page, "report", page_part(run))
        written.append(arguments.page)
    for path in written:
        print(path)
    return 0


def compare(run: Run, baseline: Run, threshold: float, suites: Suites, saved: Path | None) -> int:
    """Tell what got slower; the process's status. A saved run is taken as it is."""
    compared = changes(run, baseline)
    if not compared:
        raise SystemExit("the two runs have no benchmark in common")
    for line in sorted(only_in_one(run, baseline)) if suites.complete else ():
        print(line)
    if saved is None:
        slower = decide(run, baseline, lambda groups: suites.run_again(run, groups), threshold)
    else:
        slower = find_slower(run, baseline, threshold)
    print(
        f"{len(compared)} benchmarks beside those of {baseline.datetime[:10]}:"
        f" {len(slower) or 'none'} slower by more than {percent(threshold - 1)}"
    )
    for one in slower:
        print(f"SLOWER: {one}")
    return 1 if slower else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--short", action="store_true", help="fewer rounds, in less than a minute")
    add("-k", dest="only", metavar="EXPRESSION", help="only what it matches, as with pytest")
    add("--from", dest="saved", metavar="JSON", type=Path, help="a saved run instead of a new one")
    add("--into", metavar="FOLDER", type=Path, default=FOLDER, help="where the page is written")
    add("--picture", metavar="SVG", type=Path, help="write the overview there, too")
    add("--page", metavar="MARKDOWN", type=Path, help="write what the figures say there, too")
    add("--store", metavar="JSON", type=Path, help="keep the run for reports and comparisons")
    add("--compare", metavar="JSON", type=Path, help="look for what got slower since that run")
    add("--threshold", type=float, default=THRESHOLD, help="how many times the time is too much")
    add("--slow-down", metavar="GROUP:ENGINE:FACTOR", help="for a test: see benchmarks/suites.py")
    arguments = parser.parse_args()
    if arguments.threshold <= 1:
        parser.error("--threshold is a factor: more than 1")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
