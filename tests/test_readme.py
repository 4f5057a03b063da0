"""README and the docs are tests: their code runs, their commands exist, their tables come from the records."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
TENFOLD = str(Path(sys.executable).with_name("tenfold"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def commands() -> list[list[str]]:
    """Every `tenfold ...` line of README's shell blocks, comments and outputs left out."""
    lines = "".join(blocks("sh") + blocks("console")).splitlines()
    lines = [
        line.removeprefix("$ ") for line in lines if line.startswith(("tenfold ", "$ tenfold "))
    ]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def tenfold(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "200"}
    return subprocess.run(
        [TENFOLD, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=100
    )


@pytest.mark.slow
def test_the_python_of_the_readme_runs(tmp_path):
    assert len(blocks("python")) >= 2
    code = "\n".join(blocks("python"))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "(913/1,000;" in done.stdout or re.search(
        r"\d+\.\d\d% \(\d+/1,000; 95 % CI", done.stdout
    )


@pytest.mark.parametrize("verb", sorted({c[0] for c in commands()}))
def test_every_command_and_option_of_the_readme_exists(verb, tmp_path):
    told = tenfold(verb, "--help", cwd=tmp_path)
    assert told.returncode == 0
    for command in commands():
        if command[0] == verb:
            options = {word.split("=")[0] for word in command if word.startswith("-")}
            assert options <= set(re.findall(r"(?<!\w)--?[a-z][a-z-]*", told.stdout)), command


def test_the_readme_names_every_command_and_no_other(tmp_path):
    told = tenfold("--help", cwd=tmp_path).stdout
    there = set(re.findall(r"^  ([a-z]+)  ", told.split("Commands:")[1], re.MULTILINE))
    table = README.split("## Commands")[1].split("##")[0]
    named = set(re.findall(r"`(?:tenfold )?([a-z]+)(?: [^`]*)?`", table.split("MODEL is")[0]))
    assert there == named & there
    assert {word for word in named if (ROOT / "src/tenfold/cli").exists()} >= there


def test_the_tables_of_the_readme_are_those_of_the_records():
    command = [sys.executable, ROOT / "benchmarks" / "tables.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *sorted(p.name for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_between_pages_lead_somewhere(page):
    path = ROOT / page if (ROOT / page).exists() else ROOT / "docs" / page
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target
