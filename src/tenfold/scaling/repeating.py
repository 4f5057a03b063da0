"""A repeat made, or gone on with: the runs that are missing, some at a time, until all are there.

Every run stands for itself and can be resumed, and repeat.json is written at every step; so whatever
moment this process dies at, the same call goes on.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tenfold.errors import UsageError
from tenfold.files import check_free, locked
from tenfold.scaling.folder import is_repeat, outcome, read_repeat, write_repeat
from tenfold.scaling.plan import Plan
from tenfold.scaling.processes import Training, attempt, limits, start_training
from tenfold.scaling.result import Repeat
from tenfold.training import Run

# Short beside any training, long beside the look it costs.
_SECONDS_BETWEEN_LOOKS = 0.05

Start = Callable[[Plan, Path, int, Mapping[str, str]], Training]
"""(plan, run folder, seed, variables of the environment) -> the training, going on elsewhere."""


def repeat(
    plan: Plan,
    *,
    folder: Path,
    seeds: Sequence[int],
    jobs: int = 1,
    say: Callable[[str], None],
    start: Start = start_training,
) -> Repeat:
    """Train the plan once with each seed, `jobs` at a time; what is finished in `folder` is kept.

    Args:
        plan: what is repeated.
        folder: where the runs go: new, empty, or that of a repeat of the same plan. Seeds that it was
            asked for before belong to the result too: what was run once is never left out.
        seeds: at least one, 0..2**63-1.
        jobs: at least 1. From 2 on, each training is kept to its share of the cores.
        say: told of each seed that ends.
        start: starts a training.

    Raises:
        UsageError: `folder` holds runs of another recipe value, other digits or another backend.
        KeyboardInterrupt: on Ctrl-C, once every training has been stopped.
    """
    with locked(folder):
        result, pending = _standing(plan, folder, seeds)
        write_repeat(result)
        settings = _backend(result) | limits(attempt(jobs).threads)
        running: dict[int, tuple[Training, float]] = {}
        try:
            while pending or running:
                while pending and len(running) < jobs:
                    seed = pending.popleft()
                    result = result.with_attempt(seed, attempt(jobs))
                    write_repeat(result)
                    started = time.monotonic()
                    running[seed] = start(plan, result.place(seed), seed, settings), started
                for seed in [seed for seed, (training, _) in running.items() if training.ended()]:
                    training, started = running.pop(seed)
                    complaint = training.complaint()
                    result = result.with_seconds(seed, time.monotonic() - started)
                    # The record says more of a failure than the process that died of it.
                    found = outcome(result, seed) or complaint
                    result = result.with_outcome(seed, found)
                    write_repeat(result)
                    say(_line(result, seed, found))
                time.sleep(_SECONDS_BETWEEN_LOOKS)
        except KeyboardInterrupt as interrupt:
            raise KeyboardInterrupt(
                f"Interrupted: {len(result.runs)} of {len(result.seeds)} seeds are finished. "
                "The same command goes on."
            ) from interrupt
        finally:
            for training, _ in running.values():
                training.stop()
        return result


def _standing(plan: Plan, folder: Path, seeds: Sequence[int]) -> tuple[Repeat, deque[int]]:
    """What stands in `folder` already, and the seeds that are to be trained."""
    if is_repeat(folder):
        noted = read_repeat(folder)
        plan.check(folder, noted.plan)
    else:
        check_free(folder)
        noted = Repeat(folder, plan, ())
    result = replace(noted, plan=plan, seeds=tuple(sorted({*noted.seeds, *seeds})))
    pending: deque[int] = deque()
    for seed in result.seeds:
        found = outcome(result, seed)
        result = result.with_outcome(seed, found)
        if found is None:
            pending.append(seed)
    return result, pending


def _backend(result: Repeat) -> dict[str, str]:
    """The setting that lets all runs compute with the same; UsageError where another was asked for."""
    backend, asked_for = result.backend, os.environ.get("KERAS_BACKEND")
    if backend is None or result.plan.recipe.engine != "keras":
        return {}
    if asked_for not in (None, backend):
        raise UsageError(
            f"{result.folder}: expected the backend of its runs ({backend}), received {asked_for}. Name "
            f"another folder with --out, or compute with --backend {backend}."
        )
    return {"KERAS_BACKEND": backend}


def _line(result: Repeat, seed: int, found: Run | str) -> str:
    """What is said of a seed that has ended."""
    ended = f"({len(result.runs) + len(result.failed)} of {len(result.seeds)})"
    if isinstance(found, str):
        return f"seed {seed} {ended} failed: {found}"
    accuracy = found.test or found.validation
    return f"seed {seed} {ended}: {accuracy}, {found.record['seconds']['total']:.1f} s"
