"""The lessons run as they stand, and print what they say they print, but for what chance makes of numbers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "docs" / "lessons").glob("*.md"))
MARK = "end of a block"


def blocks(lesson: Path) -> list[tuple[str, str]]:
    """Each block of Python, and the output that stands below it; "" where none does."""
    found = re.findall(
        r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?",
        lesson.read_text(),
        re.DOTALL | re.MULTILINE,
    )
    return [(code, output) for code, output in found]


def test_there_are_two():
    assert len(LESSONS) == 2


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_lesson_runs_and_prints_what_it_says(lesson, tmp_path):
    found = blocks(lesson)
    code = "\n".join(f"{code}\nprint({MARK!r})" for code, _ in found)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split(f"{MARK}\n")[:-1]
    assert len(printed) == len(found)
    for (code, said), really in zip(found, printed, strict=True):
        assert words(really) == words(said), code


def words(text: str) -> list[str]:
    """The words of a text, every number as N: another processor rounds otherwise, and trains another network."""
    return re.sub(r"\d[\d,]*(\.\d+)?(e-\d+)?", "N", text).split()
