"""Importing tenfold is light: no framework is loaded, no socket opened, no process started.

Each test runs in a process of its own, since this one has imported much already.
"""

import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "src" / "tenfold"

HEAVY = {
    "jax", "keras", "matplotlib", "mlxtend", "onnx", "onnxruntime", "pandas", "pooch", "requests",
    "sklearn", "tensorflow", "torch",
}  # fmt: skip

ROOMS = sorted(
    [f"tenfold.{path.stem}" for path in PACKAGE.glob("*.py") if path.stem != "__init__"]
    + [f"tenfold.{path.parent.name}" for path in PACKAGE.glob("*/__init__.py")]
)

WATCHED = """
import sys
seen = []
def watch(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "os.system")):
        seen.append(event)
sys.addaudithook(watch)
"""


def loaded_by(code: str) -> tuple[set[str], list[str]]:
    """(what a fresh process has loaded after `code`, what it did with sockets and processes)."""
    program = f"{WATCHED}\n{code}\nprint(*sys.modules)\nprint(*seen)"
    out = subprocess.check_output([sys.executable, "-c", program], text=True, timeout=60)
    modules, events = out.split("\n")[:2]
    return set(modules.split()), events.split()


def test_the_front_door_loads_no_numpy():
    modules, events = loaded_by("import tenfold")
    assert not modules & (HEAVY | {"numpy"})
    assert events == []


def test_importing_every_room_loads_nothing_heavy_and_touches_no_network():
    modules, events = loaded_by(f"import {', '.join(ROOMS)}")
    assert set(ROOMS) <= modules
    assert not modules & HEAVY
    assert events == []


def test_what_would_be_heavy_is_noticed(tmp_path):
    (tmp_path / "pandas.py").touch()
    careless = (
        f"sys.path.insert(0, {str(tmp_path)!r}); import pandas, socket; socket.socket().close()"
    )
    modules, events = loaded_by(careless)
    assert modules & HEAVY == {"pandas"}
    assert events == ["socket.__new__"]
