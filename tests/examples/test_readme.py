"""The README says what is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from serving_process import ROOT, rewritten, serve

README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FIRST_SCRIPT = README.split("## A first script")[1].split("\n## ")[0]


def block(language: str) -> str:
    """The one code block in that language of the section "A first script"."""
    [text] = re.findall(rf"```{language}\n(.*?)```", FIRST_SCRIPT, re.DOTALL)
    return str(text)


def test_the_first_script_serves_what_it_says(tmp_path: Path) -> None:
    """Script and configuration as printed, in the files that are named, with the answer named."""
    names = re.findall(r"^`([\w.]+)`:$", FIRST_SCRIPT, re.MULTILINE)
    assert names == ["hello.lua", "hello.toml"]
    (tmp_path / "hello.lua").write_text(block("lua"))
    config = tmp_path / "hello.toml"
    text = rewritten(block("toml"), engine="luajit")
    config.write_text('log_folder = "-"\n' + text.replace("port", 'ip = "127.0.0.1"\nport'))
    with serve(config) as server:
        target = re.search(r"and `(/\S+)` answers", FIRST_SCRIPT)
        assert target is not None
        assert server.request(target[1]).text == block("text")


def test_the_first_script_is_ten_lines() -> None:
    """Configuration included, empty lines not."""
    lines = [line for line in (block("lua") + block("toml")).splitlines() if line]
    assert len(lines) <= 10


def test_there_are_exactly_two_set_up_commands() -> None:
    """One line each: the first installs and serves, the second installs and tests."""
    section = re.search(r"<!-- set-up.*?-->(.*?)<!-- end of set-up -->", README, re.DOTALL)
    assert section is not None
    commands = re.findall(r"```sh\n(.*?)\n```", section[1], re.DOTALL)
    assert len(commands) == 2
    assert len(re.findall(r"```sh", README)) == 2
    assert all("\n" not in command for command in commands)
    serving, testing = commands
    assert serving.startswith("python3 -m venv ")
    assert serving.endswith("/python -m candy_trio config.toml")
    assert testing.startswith("python3 -m venv ")
    assert "[test]" in testing
    assert testing.endswith("/python -m pytest")


@pytest.mark.parametrize("config", ["config.toml", "examples/config.toml"])
def test_the_configurations_pass_their_own_check(config: str) -> None:
    """``--check`` finds nothing, not even a warning."""
    run = subprocess.run(
        [sys.executable, "-m", "candy_trio", "--check", config],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, f"{config}: ok\n", "")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Each relative link of a document names a file or folder, and each #part of one a heading."""
    for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
        if target.startswith("https://"):
            continue
        name, _, part = target.partition("#")
        path = (document.parent / name) if name else document
        assert path.exists(), target
        if part:
            headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
            slugs = [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings]
            assert part in slugs, target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_named_exist(document: Path) -> None:
    """A path in backticks that begins with one of our folders is in the tree."""
    pattern = r"`((?:candy_trio|engines|tests|docs|examples|scripts)/[\w./*{},-]*)`"
    for name in re.findall(pattern, document.read_text()):
        if "NAME" in name or document.name == "configuration.md":
            continue
        found = list(ROOT.glob(name)) if "*" in name else [ROOT / name]
        assert found, name
        assert all(path.exists() for path in found), name
