"""What a person does with tenfold, as functions: the command line and `import tenfold` call these.

Each joins rooms (data, training, model files, judging, reports) and decides only what stands between
them: which data are taken, where a run goes, what may not pass unnoticed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from tenfold.data import load, load_or_embedded, read_images, to_stderr, write_submission
from tenfold.data.raw import user_path
from tenfold.digits import Digits, Parts
from tenfold.errors import DataError, ModelError, UsageError
from tenfold.evaluation import Judgement, count_seen, judge, leak_warnings
from tenfold.files import check_free, check_target
from tenfold.modelfile import trained_on
from tenfold.randomness import check_seed
from tenfold.recipe import Recipe
from tenfold.recipes import DEFAULT, named_recipe
from tenfold.reporting import write_report
from tenfold.scaling import Plan, Repeat, is_repeat
from tenfold.scaling import repeat as repeat_plan
from tenfold.training import EpochResult, Run, is_run, open_model, read_record
from tenfold.training import resume as resume_training
from tenfold.training import train as start_training

RUNS = Path("runs")
SUBMISSION = "submission.csv"
OWN = "own"
"""What a recipe or data that were given as values, not by name, are called on record."""


def ignore(_: EpochResult) -> None:
    """What is done with an epoch's result that nobody asked for."""


def train(
    recipe: str | Recipe = DEFAULT,
    data: str | Parts | None = None,
    *,
    name: str | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    on_epoch: Callable[[EpochResult], None] = ignore,
    say: Callable[[str], None] = to_stderr,
) -> Run:
    """Train, judge on the test part, write the run folder and its report.

    Args:
        recipe: a name of `tenfold.RECIPES`, or a Recipe.
        data: a name or "kind:path" of `tenfold.load`, or Parts. None is MNIST, and where no source of it
            can be reached the 5,000 digits of "mnist5k": said aloud, on record and in the run's name.
        name: what the recipe is called on record; None is the name it was given by, else "own".
        seed: 0..2**63-1.
        out: the run folder, new or empty; None is runs/DATE-RECIPE-sSEED, with the data's name where it is not MNIST.
        on_epoch: called with each EpochResult.
        say: called with remarks for a person.

    Raises:
        TenfoldError: as `tenfold.load` and `tenfold.training.train` say.
        KeyboardInterrupt: with the command that goes on with the run.
    """
    recipe_name, value = (
        (recipe, named_recipe(recipe)) if isinstance(recipe, str) else (OWN, recipe)
    )
    recipe_name = name or recipe_name
    # What needs no data is checked before any are loaded, perhaps over a slow network.
    check_seed(seed)
    if out is not None:
        _check_free(Path(out))
    if isinstance(data, Parts):
        data_name, parts = OWN, data
    elif data is None:
        data_name, parts = load_or_embedded(say=say)
    else:
        data_name, parts = data, load(data, say=say)
    folder = Path(out) if out is not None else _free_folder(recipe_name, data_name, seed)
    names = (recipe_name, data_name)
    with _saying_how_to_go_on(folder):
        run = start_training(
            value, parts, folder=folder, seed=seed, names=names, on_epoch=on_epoch, say=say
        )
        _warn(run.warnings, say=say)
        return write_report(run, parts)


def resume(
    out: Path | str | None = None,
    data: str | Parts | None = None,
    *,
    on_epoch: Callable[[EpochResult], None] = ignore,
    say: Callable[[str], None] = to_stderr,
) -> Run:
    """Go on with an interrupted training to the weights it would have had.

    Args:
        out: the run folder; None is the newest unfinished one under runs/.
        data: as for `train`; None is what the record names.
        on_epoch: called with each EpochResult that is still to come.
        say: called with remarks for a person.
    """
    folder = Path(out) if out is not None else newest_unfinished()
    record = read_record(folder)
    if record["engine"] == "keras" and "backend" in record:
        from tenfold.keras_engine import use_backend

        use_backend(record["backend"])
    name = record["data"]["name"] if data is None else data
    if name == OWN:
        raise UsageError(
            f"{folder}: this run was trained on data given as values. Give them again."
        )
    parts = name if isinstance(name, Parts) else load(name, say=say)
    with _saying_how_to_go_on(folder):
        run = resume_training(folder, parts, on_epoch=on_epoch, say=say)
        _warn(run.warnings, say=say)
        return run if "report.html" in run.record["files"] else write_report(run, parts)


def repeat(
    recipe: str = DEFAULT,
    data: str | None = None,
    *,
    seeds: Sequence[int],
    jobs: int = 1,
    out: Path | str | None = None,
    say: Callable[[str], None] = to_stderr,
    **changes: Any,
) -> Repeat:
    """Train a recipe once with each seed, every run in a process of its own; go on with what there is.

    Args:
        recipe: a name of `tenfold.RECIPES`.
        data: a name or "kind:path" of `tenfold.load`; None as for `train`.
        seeds: such as range(10). Those that the folder holds already belong to the result too.
        jobs: trainings at a time; from 2 on, each is kept to its share of the cores.
        out: the folder of the runs; None is runs/repeats/RECIPE, with the data's name where it is not MNIST.
        say: called with a line for each seed that ends, and with remarks.
        changes: `epochs` and `engine`, instead of the recipe's.

    Returns:
        What the runs gave. A failed seed raises nothing: it stands in `failed`, with its reason.

    Raises:
        UsageError: an argument cannot be right, or the folder holds runs of something else.
        TenfoldError: as `tenfold.load` says.
        KeyboardInterrupt: on Ctrl-C; the same call goes on.
    """
    value = named_recipe(recipe)
    if changes.keys() - {"epochs", "engine"}:
        raise UsageError(
            f"repeat: expected changes of epochs and engine, received {', '.join(changes)}. A recipe that "
            "differs in more needs a name of its own in tenfold.RECIPES."
        )
    value = replace(value, **changes)
    if not seeds or jobs < 1:
        raise UsageError(
            f"repeat: expected at least one seed and one job, received {len(seeds)} and {jobs}."
        )
    for seed in seeds:
        check_seed(seed)
    if out is not None and not is_repeat(Path(out)):
        _check_free(Path(out))
    name, parts = load_or_embedded(say=say) if data is None else (data, load(data, say=say))
    hashes = {"train": parts.train.hash, "test": parts.test.hash if parts.test else None}
    folder = Path(out) if out is not None else RUNS / "repeats" / f"{recipe}{_suffix(name)}"
    plan = Plan(recipe, value, name, hashes)
    return repeat_plan(plan, folder=folder, seeds=seeds, jobs=jobs, say=say)


def newest_unfinished() -> Path:
    """The newest run under runs/ that was interrupted, or ModelError."""
    found = []
    for folder in RUNS.iterdir() if RUNS.is_dir() else ():
        record = read_record(folder) if is_run(folder) else {"status": "none"}
        if record["status"] == "training":
            found.append((record["started"], folder))
    if not found:
        raise ModelError(
            f"{RUNS}: expected an interrupted run, found none. Name its folder with --out, or start one."
        )
    return max(found)[1]


def evaluate(
    model: Path | str, data: str | Digits | None = None, *, say: Callable[[str], None] = to_stderr
) -> Judgement:
    """Judge a model on labelled digits.

    Args:
        model: a run folder, a model folder or an .onnx file.
        data: as for `digits_for`, or Digits.
        say: told how many of the images the model was trained on, if any, and whatever else makes the
            accuracy suspicious (`evaluation.leak_warnings`).

    A run that is judged on its own test part has it opened once more, and its record says so.
    """
    path = Path(model)
    run, classifier = open_model(path)
    digits = data if isinstance(data, Digits) else digits_for(path, data, say=say)
    if run:
        run.count_opening(digits)
    judgement = judge(classifier, digits)
    _warn(
        leak_warnings(judgement.accuracy, seen=count_seen(digits.images, trained_on(path))), say=say
    )
    return judgement


def digits_for(
    model: Path | str, data: str | None = None, *, say: Callable[[str], None] = to_stderr
) -> Digits:
    """The digits that a model is judged on: the test part of a data set, or all of one without.

    Args:
        model: a run folder, a model folder or an .onnx file; must be there.
        data: a name or "kind:path" of `tenfold.load`. None is what a run was trained on, else MNIST.
        say: told where the digits came from.
    """
    run, _ = open_model(Path(model))
    if data is None:
        name = run.record["data"]["name"] if run else OWN
        data = "mnist" if name == OWN else name
    parts = load(data, say=say)
    return parts.test or parts.train


def submit(
    model: Path | str,
    test_csv: Path | str,
    *,
    out: Path | str | None = None,
    allow_leak: bool = False,
    say: Callable[[str], None] = to_stderr,
) -> Path:
    """Write a Kaggle submission (`ImageId,Label`, ids from 1) and check what was written -> its path.

    Args:
        model: a run folder, a model folder or an .onnx file.
        test_csv: Kaggle's test.csv: a header and 784 pixels a row.
        out: the file to write; None is submission.csv in the run folder, or here without one.
        allow_leak: write it even if rows of test_csv were in the training data.
        say: told when the check for such rows cannot be made or was overruled.

    Raises:
        UsageError: where it would be written stands a folder, or test_csv.
        DataError: test_csv is not what it should be, or its rows were trained on.
    """
    path = Path(model)
    run, classifier = open_model(path)
    target = Path(SUBMISSION if out is None else out)
    if out is None and run:
        target = path / target.name
    check_target(target, inputs=[user_path(str(test_csv))])
    inside = run is not None and target.resolve().parent == run.folder.resolve()
    if inside and run and target.name in run.record["files"] and target.name != SUBMISSION:
        raise UsageError(
            f"{target}: expected a file that is not part of the run, received one that its record seals. "
            f"Name another one, or leave it out: then it is {SUBMISSION}."
        )
    digits = read_images(f"kaggle:{test_csv}")
    _check_leak(path, digits, allow_leak=allow_leak, say=say)
    predicted_labels = classifier.predict_proba(digits.images).argmax(axis=1).astype(np.uint8)
    write_submission(target, predicted_labels)
    if inside and run:
        run.add(target.name, target.read_bytes())
    return target


def _check_leak(
    path: Path, digits: Digits, *, allow_leak: bool, say: Callable[[str], None]
) -> None:
    if path.suffix == ".onnx":
        say(
            f"{path}: an .onnx file does not say what it was trained on, so nobody checked for leaks."
        )
        return
    seen = count_seen(digits.images, trained_on(path))
    if not seen:
        return
    found = f"{seen:,} of the {len(digits):,} rows of {digits.source} were in the training data"
    if not allow_leak:
        raise DataError(
            f"{found} (Kaggle's test rows are among MNIST's 70,000 images), so the score would say nothing. "
            "Train with --data kaggle:train.csv, or write it all the same with --allow-leak."
        )
    say(f"{found}: the score will say nothing about new digits.")


def _warn(sentences: Iterable[str], *, say: Callable[[str], None]) -> None:
    for sentence in sentences:
        say(f"Warning: {sentence}")


def _free_folder(recipe: str, data: str, seed: int) -> Path:
    """runs/DATE-RECIPE[-DATA]-sSEED, numbered where it is taken."""
    name = f"{date.today().isoformat()}-{recipe}{_suffix(data)}-s{seed}"
    folder, number = RUNS / name, 2
    while folder.exists():
        folder, number = RUNS / f"{name}-{number}", number + 1
    return folder


def _suffix(data: str) -> str:
    """What the name of a folder says of the data where they are not MNIST."""
    return "" if data == "mnist" else f"-{data.partition(':')[0]}"


def _check_free(folder: Path) -> None:
    """A run's folder holds nothing else; what others put there would become part of the record."""
    if is_run(folder):
        raise UsageError(
            f"{folder}: a run stands here. Name another folder, or go on with it: "
            f"tenfold train --resume --out {quote(str(folder))}"
        )
    check_free(folder)


@contextmanager
def _saying_how_to_go_on(folder: Path) -> Iterator[None]:
    """An interrupt that comes out of here says how the run in `folder` is taken up again."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        done = "Interrupted before the training began: nothing is lost."
        if is_run(folder):
            done = f"Interrupted. Go on with: tenfold train --resume --out {quote(str(folder))}"
        raise KeyboardInterrupt(done) from interrupt
