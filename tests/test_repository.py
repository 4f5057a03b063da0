"""No file carries the address of a package registry, a path of one machine, or a note of unfinished work."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = (".ci", "benchmarks", "docs", "results", "src", "tests", "tools")

# Letters in brackets, so that no pattern finds itself.
FORBIDDEN = {
    "the host of a package registry": r"pypi[.]org|pythonhosted[.]org|npmjs[.]|anaconda[.]org|download[.]pytorch",
    "the address of a package index": r"(?:extra-)?index[-]url|find[-]links",
    "a path of one machine": r"(?<![\w.])/(?:root|home|Users|opt|mnt|work)/\w",
    "a note of unfinished work": r"\b(?:T[O]DO|F[I]XME|X[X]X)\b",
}


def texts() -> Iterator[tuple[str, str]]:
    """(name, content) of every file that is text and belongs to the project."""
    paths = [path for path in ROOT.iterdir() if path.is_file()]
    paths += [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in sorted(paths):
        name = path.relative_to(ROOT)
        made_by_tools = any(
            part.endswith((".egg-info", "__pycache__", ".peers")) for part in name.parts
        )
        content = b"" if made_by_tools else path.read_bytes()
        if b"\0" not in content:
            yield name.as_posix(), content.decode(errors="replace")


def faults_in(name: str, text: str) -> Iterator[str]:
    """Each line that holds something forbidden, and what it is."""
    for number, line in enumerate(text.splitlines(), 1):
        for what, pattern in FORBIDDEN.items():
            if re.search(pattern, line, re.IGNORECASE if "registry" in what else 0):
                yield f"{name}:{number} {what}: {line.strip()[:100]}"


def test_no_file_carries_what_belongs_to_one_machine_or_moment():
    read = dict(texts())
    assert {"pyproject.toml", ".ci/run", "src/tenfold/files.py", "tests/conftest.py"} <= read.keys()
    assert [fault for name, text in read.items() for fault in faults_in(name, text)] == []


def test_what_is_forbidden_is_found():
    for line in (
        "see https://" + "PyPI." + "org/simple",
        "--index" + "-url=https://example.org",
        "torch @ file:///" + "opt/wheels/torch.whl",
        "DATA = '" + "/home" + "/me/mnist'",
        "# TO" + "DO: finish",
    ):
        assert len(list(faults_in("x.py", f"first\n{line}"))) == 1, line
    allowed = (
        "https://example.org/home/page, src/shop/work, /proc/cpuinfo, TODOS and a network/weights"
    )
    assert list(faults_in("x.py", allowed)) == []
