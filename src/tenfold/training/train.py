"""train: a recipe, digits and a seed -> a finished Run on disk; resume: the same from where it stopped.

There is one path: `train` writes the first run.json and then resumes. Whatever moment a process dies
at, `resume` ends with the weights, bit for bit, of a training that was never stopped (same machine,
same versions).
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tenfold.digits import Digits, Parts, split
from tenfold.engine import Engine, Targets
from tenfold.errors import DataError, TrainingError, UsageError
from tenfold.files import locked, sweep
from tenfold.randomness import check_seed
from tenfold.recipe import Recipe, recipe_from_json
from tenfold.training.checkpoint import load_checkpoint, save_checkpoint
from tenfold.training.finish import finish
from tenfold.training.loop import EpochResult, Progress, train_epochs
from tenfold.training.members import Members, member_seeds
from tenfold.training.run import (
    CHECKPOINTS,
    FORMAT,
    RECORD,
    TEACHER,
    Record,
    Run,
    open_run,
    read_record,
    write_history,
    write_record,
)
from tenfold.training.targets import taught_targets, with_drawings


def ignore(_: object) -> None:
    """What is done with an epoch's result, or a remark, that nobody asked for."""


def train(
    recipe: Recipe,
    parts: Parts,
    *,
    folder: Path,
    seed: int = 0,
    names: tuple[str, str] = ("unnamed", "unnamed"),
    on_epoch: Callable[[EpochResult], None] = ignore,
    say: Callable[[str], None] = ignore,
) -> Run:
    """Train from the beginning.

    Args:
        recipe: how.
        parts: the training part, from which validation is cut, and the test part, opened once at the end.
        folder: where the run goes; it must not hold one.
        seed: 0..2**63-1; decides initial weights, split, order and dropout.
        names: what recipe and data are called in the record.
        on_epoch: called with each EpochResult.
        say: called with what a person should know, such as that a teacher is trained first.

    Raises:
        UsageError: `folder` holds a run, or another process writes there.
        DataError: the digits have no labels, or are too few to cut validation from.
        TrainingError: the loss is no longer a finite number.
        ParityError: onnxruntime disagrees with the engine about the trained network.
    """
    recipe_name, data_name = names
    record: Record = {
        "format": FORMAT,
        "status": "training",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "recipe": {"name": recipe_name, "value": recipe.to_json()},
        "engine": recipe.engine,
        "seed": check_seed(seed),
        "data": {"name": data_name} | _described(parts, recipe.validation_share, seed=seed),
        "test_openings": 0,
    }
    with locked(folder):
        if (folder / RECORD).exists():
            raise UsageError(
                f"{folder}: a run stands here. Name another folder, or go on with it: --resume."
            )
        write_record(folder, record)
    return resume(folder, parts, on_epoch=on_epoch, say=say)


def resume(
    folder: Path,
    parts: Parts,
    *,
    on_epoch: Callable[[EpochResult], None] = ignore,
    say: Callable[[str], None] = ignore,
) -> Run:
    """Go on with the training in `folder` to its end; a finished one is returned as it is.

    Args:
        folder: holds a run.json with the status "training".
        parts: the same digits as before.
        on_epoch: called with each EpochResult that is still to come.
        say: called with what a person should know, such as a damaged checkpoint that was passed over.

    Raises:
        DataError: the digits are not those the run was started with.
        CorruptFile: run.json or all checkpoints are damaged.
        UsageError, TrainingError, ParityError: as for `train`.
    """
    read_record(folder)  # a folder without a run gets no lock either
    with locked(folder):
        record = read_record(folder)
        if record["status"] == "done":
            return open_run(folder)
        _check_same(folder, record, parts)
        sweep(folder)
        try:
            return _go_on(folder, record, parts, on_epoch=on_epoch, say=say)
        except TrainingError as error:
            write_record(folder, record | {"status": "failed", "failure": str(error)})
            raise


def open_engine(
    recipe: Recipe, train: Digits, targets: Targets | None = None, *, seed: int
) -> Engine:
    """The engine that `recipe.engine` names, or one for each member, holding `train`; see `Engine` for the targets."""
    if recipe.members > 1:
        single = replace(recipe, members=1)
        seeds = member_seeds(seed, recipe.members)
        return Members([open_engine(single, train, targets, seed=own) for own in seeds])
    if recipe.engine == "numpy":
        from tenfold.scratch import ScratchEngine

        return ScratchEngine(recipe, train, targets, seed=seed)
    from tenfold.keras_engine import KerasEngine

    return KerasEngine(recipe, train, targets, seed=seed)


def _go_on(
    folder: Path,
    record: Record,
    parts: Parts,
    *,
    on_epoch: Callable[[EpochResult], None],
    say: Callable[[str], None],
) -> Run:
    recipe, seed = recipe_from_json(record["recipe"]["value"]), record["seed"]
    training, validation = split(parts.train, recipe.validation_share, seed=seed)
    seconds, targets = {}, None
    if recipe.distillation is not None:
        teacher = _teacher(
            folder / TEACHER, recipe.distillation.teacher, training, seed=seed, say=say
        )
        seconds["teacher"] = teacher.record["seconds"]["total"]
        targets = taught_targets(recipe, training, teacher.classifier)
    started = time.perf_counter()
    shown, targets = with_drawings(recipe, training, targets, seed=seed)
    engine = open_engine(recipe, shown, targets, seed=seed)
    record = _with_what_computes(folder, record, engine)
    progress = load_checkpoint(folder / CHECKPOINTS, say=say) or Progress(state=engine.state())
    engine.restore(progress.state)
    set_up = time.perf_counter() - started
    for progress in train_epochs(engine, recipe, validation, progress):  # noqa: B020  the last one stays
        save_checkpoint(folder / CHECKPOINTS, progress)
        write_history(folder, progress.history)
        on_epoch(progress.history[-1])
    engine.restore(progress.chosen)
    engine.settle()
    seconds |= {"setup": set_up, "training": sum(result.seconds for result in progress.history)}
    record = record | {"epochs": len(progress.history), "seconds": seconds}
    return finish(folder, record, engine, parts=parts, validation=validation)


def _teacher(
    folder: Path, recipe: Recipe, training: Digits, *, seed: int, say: Callable[[str], None]
) -> Run:
    """The finished run of a recipe's teacher, which never sees the validation or test part."""
    parts = Parts(training, None)
    if (folder / RECORD).exists():
        return resume(folder, parts, say=say)
    say(f"The teacher is trained first: {recipe.epochs} epochs, in {folder}.")
    return train(
        recipe, parts, folder=folder, seed=seed, names=(TEACHER, "of the student"), say=say
    )


def _with_what_computes(folder: Path, record: Record, engine: Engine) -> Record:
    """The record with the engine's backend and precision, written before the first checkpoint can be."""
    backend, precision = engine.backend, engine.precision
    if record.setdefault("backend", backend) != backend:
        raise UsageError(
            f"{folder}: expected the backend the run was started with ({record['backend']}), received "
            f"{backend}. Another backend gives other weights: --backend {record['backend']}."
        )
    if record.setdefault("precision", precision) != precision:
        raise UsageError(
            f"{folder}: expected a machine that computes in {record['precision']}, as the run's first one did, received "
            f"one that computes in {precision}. That gives other weights: go on there, or start a new run."
        )
    write_record(folder, record)
    return record


def _described(parts: Parts, validation_share: float, *, seed: int) -> dict[str, Any]:
    """The data as the record holds them: source, content hash and images of each part."""
    labelled = Digits(parts.train.images, parts.train.known_labels, parts.train.source)
    training, validation = split(labelled, validation_share, seed=seed)
    counts = {"training": len(training), "validation": len(validation) if validation else 0}
    return {
        "source": parts.train.source,
        "hash": _hashes(parts),
        "images": counts | {"test": len(parts.test) if parts.test else 0},
    }


def _hashes(parts: Parts) -> dict[str, str | None]:
    return {"train": parts.train.hash, "test": parts.test.hash if parts.test else None}


def _check_same(folder: Path, record: Record, parts: Parts) -> None:
    if record["status"] == "failed":
        raise UsageError(
            f"{folder}: this training failed ({record['failure']}) and would fail again. Start a new run."
        )
    if record["data"]["hash"] != _hashes(parts):
        raise DataError(
            f"{folder}: expected the digits the run was started with ({record['data']['source']}), "
            f"received others ({parts.train.source}). Give the same data, or start a new run."
        )
