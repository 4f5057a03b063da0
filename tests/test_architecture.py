"""The house as a table of floors, and the checker that holds every import and size to it.

Each rule is a function from sources to sentences, one for each fault; the tests run it on the real
package, where it must find nothing, and on a planted fault, which it must find.
"""

import ast
import graphlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "tenfold"
DOCUMENT = ROOT / "docs" / "architecture.md"

FLOORS = (
    (
        "errors", "values", "randomness", "digits", "augmentation", "classifiers", "layers", "network", "recipe",
        "weights", "engine", "files",
    ),
    ("data", "pictures", "scratch", "statistics", "recipes"),
    ("keras_engine", "modelfile", "evaluation"),
    ("training", "reading"),
    ("reporting", "serving", "scaling"),
    ("verbs", "auditing", "insights", "predictions", "exports"),
    ("cli", "__init__"),
)  # fmt: skip
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60


class Source(NamedTuple):
    """A module of the package: "tenfold.data.idx", whether it is a folder's `__init__.py`, its text."""

    module: str
    is_package: bool
    text: str

    @property
    def room(self) -> str:
        return room_of(self.module)


def room_of(module: str) -> str:
    """tenfold.data.idx -> data; tenfold -> __init__."""
    return (module.split(".") + ["__init__"])[1]


def read_package() -> list[Source]:
    sources = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ["tenfold", *path.relative_to(PACKAGE).with_suffix("").parts]
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        sources.append(Source(module, is_package, path.read_text(encoding="utf-8")))
    return sources


def imported_rooms(source: Source) -> Iterator[tuple[int, str]]:
    """(line, room) of every import of tenfold's own, wherever in the source it stands."""
    for node in ast.walk(ast.parse(source.text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, source)
            # Only `from tenfold import data` names a room by what stands behind `import`.
            rooms = [f"tenfold.{a.name}" if a.name in FLOOR else "tenfold" for a in node.names]
            names = rooms if base == "tenfold" else [base]
        else:
            continue
        own = (name for name in names if name.split(".")[0] == "tenfold")
        yield from ((node.lineno, room_of(name)) for name in own)


def absolute(node: ast.ImportFrom, source: Source) -> str:
    """The module that a `from ... import` reads from, its dots resolved."""
    if node.level == 0:
        return node.module or ""
    parents = source.module.split(".")
    kept = len(parents) - node.level + source.is_package
    return ".".join(parents[:kept] + ([node.module] if node.module else []))


def faults_of_direction(sources: Iterable[Source]) -> Iterator[str]:
    """Imports point to lower floors; only floor 0 may import on its own floor, and not in a circle."""
    floor_0: dict[str, set[str]] = {}
    for source in sources:
        here = FLOOR.get(source.room)
        if here is None:
            yield f"{source.module}: no floor has a room {source.room!r}"
            continue
        for line, room in imported_rooms(source):
            if room == source.room:
                continue
            there = FLOOR.get(room)
            if there is None:
                yield f"{source.module}:{line} imports {room}, which no floor has"
            elif there > here:
                yield f"{source.module}:{line} imports {room}, up from floor {here} to {there}"
            elif there == here == 0:
                floor_0.setdefault(source.room, set()).add(room)
            elif there == here:
                yield f"{source.module}:{line} imports {room}, a neighbour on floor {here}"
    try:
        graphlib.TopologicalSorter(floor_0).prepare()
    except graphlib.CycleError as error:
        yield f"floor 0 imports in a circle: {' -> '.join(error.args[1])}"


def faults_of_size(name: str, text: str) -> Iterator[str]:
    """No file is longer than 400 lines, no function longer than 60, its docstring included."""
    lines = len(text.splitlines())
    if lines > MAX_FILE_LINES:
        yield f"{name}: {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield f"{name}:{node.lineno} {node.name}: {length} lines"


def faults_of_manners(source: Source) -> Iterator[str]:
    """Modules and all they offer have a docstring; only the command line prints."""
    tree = ast.parse(source.text)
    if ast.get_docstring(tree) is None:
        yield f"{source.module}: no docstring"
    for node in tree.body:
        offered = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if offered and not node.name.startswith("_") and ast.get_docstring(node) is None:
            yield f"{source.module}:{node.lineno} {node.name}: no docstring"
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Name) and inner.id == "print" and source.room != "cli":
            yield f"{source.module}:{inner.lineno} prints"


def documented_rooms(document: str) -> dict[str, tuple[int, str, bool]]:
    """Room -> (floor, ".py" or "/", whether it is only planned), from the rows of the document's table."""
    rows = re.findall(r"^\| (\d) \| `(\w+)(\.py|/)` \| (.+) \|$", document, re.MULTILINE)
    return {
        room: (int(floor), kind, does.startswith("Planned")) for floor, room, kind, does in rows
    }


def rooms_that_stand() -> dict[str, str]:
    """Room -> ".py" or "/", from the source tree."""
    modules = {path.stem: ".py" for path in PACKAGE.glob("*.py")}
    return modules | {path.parent.name: "/" for path in PACKAGE.glob("*/__init__.py")}


def test_imports_point_downwards():
    assert list(faults_of_direction(read_package())) == []


def test_files_and_functions_are_short():
    folders = ("src", "tests", "benchmarks", "tools")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    faults = [
        f for p in files for f in faults_of_size(str(p.relative_to(ROOT)), p.read_text("utf-8"))
    ]
    assert len(files) > len(FLOOR)
    assert faults == []


def test_modules_explain_themselves_and_only_the_command_line_prints():
    assert [fault for source in read_package() for fault in faults_of_manners(source)] == []


def test_the_document_shows_these_floors_and_says_which_rooms_are_only_planned():
    documented = documented_rooms(DOCUMENT.read_text(encoding="utf-8"))
    standing = rooms_that_stand()
    assert {room: floor for room, (floor, _, _) in documented.items()} == FLOOR
    assert {
        room: kind for room, (_, kind, planned) in documented.items() if not planned
    } == standing


def direction(module: str, text: str, *, is_package: bool = False) -> str:
    return "; ".join(faults_of_direction([Source(module, is_package, text)]))


def test_every_way_to_write_an_import_upwards_is_found():
    found = "tenfold.data.idx:1 imports training, up from floor 1 to 3"
    for text in (
        "import tenfold.training",
        "import numpy, tenfold.training.loop as loop",
        "from tenfold.training import train",
        "from tenfold.training.loop import train",
        "from tenfold import training",
        "from ..training import train",
        "from ..training.loop import train",
        "from .. import training",
    ):
        assert direction("tenfold.data.idx", text) == found
    assert "imports training" in direction(
        "tenfold.data", "from ..training import x", is_package=True
    )
    assert "imports training" in direction("tenfold.digits", "from .training import x")


def test_an_import_inside_a_function_or_for_type_checkers_counts():
    inside = "def late():\n    from tenfold.training import train\n"
    checked = "if TYPE_CHECKING:\n    from tenfold.training import Run\n"
    for text in (inside, checked):
        assert direction("tenfold.scratch", text).startswith("tenfold.scratch:2 imports training")


def test_the_front_door_is_upstairs():
    for text in ("import tenfold", "from tenfold import __version__"):
        assert "imports __init__, up" in direction("tenfold.recipe", text)


def test_neighbours_are_strangers_but_a_room_knows_itself_and_the_floors_below():
    assert direction("tenfold.data.idx", "import tenfold.pictures").endswith(
        "a neighbour on floor 1"
    )
    for text in (
        "from tenfold.data.raw import x",
        "from .raw import x",
        "import tenfold.digits",
        "import os",
    ):
        assert direction("tenfold.data.idx", text) == ""


def test_rooms_that_no_floor_has_are_found():
    assert direction("tenfold.attic", "") == "tenfold.attic: no floor has a room 'attic'"
    assert direction("tenfold.data", "import tenfold.attic").endswith(
        "imports attic, which no floor has"
    )


def test_floor_0_may_import_its_own_but_not_in_a_circle():
    down = Source("tenfold.network", False, "import tenfold.layers")
    up = Source("tenfold.layers", False, "def late():\n    import tenfold.network")
    assert list(faults_of_direction([down])) == []
    assert "in a circle" in "".join(faults_of_direction([down, up]))


def test_one_line_too_many_is_found():
    body = "\n".join(["    pass"] * (MAX_FUNCTION_LINES - 1))
    assert list(faults_of_size("f.py", f"def f():\n{body}")) == []
    for start in ("def f():", "async def f():", "class C:\n  def f(self):"):
        assert "f: 61 lines" in "".join(faults_of_size("f.py", f"{start}\n{body}\n    pass"))
    assert list(faults_of_size("f.py", "\n" * MAX_FILE_LINES)) == []
    assert list(faults_of_size("f.py", "\n" * (MAX_FILE_LINES + 1))) == ["f.py: 401 lines"]


def test_a_missing_docstring_and_a_print_are_found():
    def manners(text: str, module: str = "tenfold.data") -> list[str]:
        return list(faults_of_manners(Source(module, False, text)))

    assert manners("x = 1") == ["tenfold.data: no docstring"]
    assert manners('"""Doc."""\ndef f(): pass\nclass C: pass') == [
        "tenfold.data:2 f: no docstring",
        "tenfold.data:3 C: no docstring",
    ]
    assert manners('"""Doc."""\ndef _f(): pass') == []
    assert manners('"""Doc."""\nprint(1)') == ["tenfold.data:2 prints"]
    assert manners('"""Doc."""\nshow = print') == ["tenfold.data:2 prints"]
    assert manners('"""Doc."""\nprint(1)', "tenfold.cli.main") == []
