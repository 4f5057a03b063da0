"""One training in a process of its own, by the command line: what kills it harms no other.

A process may be killed at any moment; its run goes on with `tenfold train --resume` from the last
checkpoint. So stopping one is killing it.
"""

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from tenfold.scaling.plan import Plan
from tenfold.training.environment import machine
from tenfold.training.run import RECORD

# -P: a numpy.py in the working folder is not the one that is meant.
_TENFOLD = (sys.executable, "-P", "-c", "from tenfold.cli import main; main()")
_SECONDS_TO_END = 10
_LAST_LINES = 3

# How many threads share a sum decides how it is rounded, so these decide bits as well as seconds.
_LIMITS = (
    "TF_NUM_INTRAOP_THREADS",  # TensorFlow within an operation,
    "TF_NUM_INTEROP_THREADS",  # and between operations
    "NPROC",  # XLA on a CPU, which is JAX's
    "OMP_NUM_THREADS",  # PyTorch, oneDNN
    "OPENBLAS_NUM_THREADS",  # NumPy, as it comes
    "MKL_NUM_THREADS",  # NumPy and PyTorch, where they are built on MKL
    "VECLIB_MAXIMUM_THREADS",  # NumPy on macOS
)


class Attempt(NamedTuple):
    """A process that worked at a run.

    Attributes:
        jobs: how many such processes there were at a time.
        threads: how many each was limited to; None where it was not.
        code: `code_hash` when it began.
        seconds: from its start to its end, imports and report included; None where nobody saw its end.
    """

    jobs: int
    threads: int | None
    code: str
    seconds: float | None = None


class Training(Protocol):
    """A training that is going on elsewhere."""

    def ended(self) -> bool:
        """Whether it is over, well or not."""
        ...

    def complaint(self) -> str:
        """Once it has ended: what it said at last and how it ended, in a sentence."""
        ...

    def stop(self) -> None:
        """End it now; its run can be resumed."""
        ...


def attempt(jobs: int) -> Attempt:
    """What an attempt is now, `jobs` at a time: the cores are divided among them."""
    threads = None if jobs == 1 else max(1, int(machine()["cores"]) // jobs)
    return Attempt(jobs, threads, code_hash())


def code_hash() -> str:
    """The sha256 of tenfold's own modules, as installed, names included."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def limits(threads: int | None) -> dict[str, str]:
    """The environment that keeps a process to so many threads; nothing where there is no limit."""
    return {} if threads is None else dict.fromkeys(_LIMITS, str(threads))


def start_training(plan: Plan, place: Path, seed: int, environment: Mapping[str, str]) -> Training:
    """Start, or go on with, the plan's run with `seed` in the folder `place`."""
    return Process(train_command(plan, place, seed), environment)


def train_command(plan: Plan, place: Path, seed: int) -> list[str]:
    """The command line that leaves the finished run in `place`."""
    given = ["train", f"--data={plan.data}", f"--out={place}"]
    if (place / RECORD).exists():
        return [*_TENFOLD, *given, "--resume"]
    chosen = [f"--engine={plan.recipe.engine}", f"--epochs={plan.recipe.epochs}", f"--seed={seed}"]
    return [*_TENFOLD, *given, f"--recipe={plan.name}", *chosen]


class Process:
    """A command that runs with some variables more in its environment; only what it complains of is kept."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        # A file, unlike a pipe, never fills up and makes the process wait.
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed where the process ends
        self._process = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
        )

    def ended(self) -> bool:
        return self._process.poll() is not None

    def complaint(self) -> str:
        code = self._process.wait()
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").split("\n")
        self._said.close()
        last = " ".join([line.strip() for line in lines if line.strip()][-_LAST_LINES:])
        _, is_sentence, sentence = last.rpartition("error: ")
        if is_sentence and code > 0:
            return sentence
        return f"{_how_it_ended(code)} Its last words: {last or 'none'}"

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"The process ended with exit code {code}."
    name = signal.Signals(-code).name
    why = " (what the system does when memory runs out)" if name == "SIGKILL" else ""
    return f"The process was killed by {name}{why}."
