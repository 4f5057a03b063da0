"""The first session that README shows: the commands are run, and what they printed is kept.

usage: python benchmarks/session.py

Writes results/session.txt, from which benchmarks/tables.py fills README. What is left out: where on this
machine MNIST was found, and the confusion matrix and per-class table that `evaluate` prints below.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tenfold.files import write_bytes

HERE = Path(__file__).parent
COMMANDS = (
    "train --out runs/first",
    "evaluate runs/first",
    "train --recipe seed-numpy --epochs 10 --out runs/by-hand",
    "train --recipe seed --epochs 10 --out runs/keras",
    "compare runs/by-hand runs/keras",
)
SHOWN_LINES = {"evaluate": 3, "train --recipe": 2}


def printed(command: str, folder: str) -> str:
    """What a person sees of a command: remarks and results in their order."""
    tenfold = str(Path(sys.executable).with_name("tenfold"))
    done = subprocess.run(
        [tenfold, *command.split()],
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = [line for line in done.stdout.splitlines() if not line.startswith(("MNIST:", "data  "))]
    for start, kept in SHOWN_LINES.items():
        if command.startswith(start):
            results = [
                line for line in lines if not line.startswith(("Training", "epoch ", "Next"))
            ]
            return "\n".join([*results[:kept], "..."])
    return "\n".join(lines)


def main() -> None:
    """Run the session in an empty folder and keep it."""
    with tempfile.TemporaryDirectory() as folder:
        shown = [f"$ tenfold {command}\n{printed(command, folder)}\n" for command in COMMANDS]
    write_bytes(HERE.parent / "results" / "session.txt", "\n".join(shown).encode())


if __name__ == "__main__":
    main()
