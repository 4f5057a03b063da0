"""Labels that are likely to be wrong: data, and models or a recipe to ask -> an audit, and a folder about it.

Joins rooms as `verbs` does: who is asked, about which part of the data, and what may not pass unnoticed.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np

from tenfold.classifiers import Ensemble
from tenfold.data import load, to_stderr
from tenfold.digits import Classifier, Digits, Parts, fingerprints, joined
from tenfold.errors import UsageError
from tenfold.evaluation import Audit, audit_labels, count_seen, out_of_fold
from tenfold.files import check_free
from tenfold.modelfile import trained_on
from tenfold.recipe import Recipe
from tenfold.recipes import named_recipe
from tenfold.reporting import write_audit
from tenfold.training import open_model, train

AUDITING = "standard"
"""The recipe of an audit. `fast` takes a third of the time and finds fewer faults (docs/experiments.md)."""


def audit(
    data: str | Digits,
    *,
    models: Sequence[Path | str] = (),
    recipe: str | Recipe = AUDITING,
    folds: int = 5,
    part: Literal["train", "test"] | None = None,
    out: Path | str | None = None,
    say: Callable[[str], None] = to_stderr,
) -> Audit:
    """Find labels that are likely to be wrong; see `evaluation.audit`.

    Args:
        data: a name or "kind:path" of `tenfold.load`, or Digits.
        models: ask these as they are, and take the mean of what they say. Without any, `recipe` is trained once
            for each of the folds, and asked about the images it has not seen. For the test part it is trained on the
            training part as well, but for images that are in both.
        recipe: a name of `tenfold.RECIPES`, or a Recipe.
        folds: how many parts the digits are dealt into, 2 or more.
        part: of data that have two. None is the test part for models, and the training part without any.
        out: a new or empty folder for issues.csv, issues.json and gallery.png; None writes nothing.
        say: called with remarks, above all where a model was trained on the digits it is asked about.

    Raises:
        UsageError: an argument cannot be right, or data without a test part are asked for it.
        DataError: the digits have no labels.
        TenfoldError: as `tenfold.load` and `open_model` say.
    """
    value = named_recipe(recipe) if isinstance(recipe, str) else recipe
    if out is not None:
        check_free(Path(out))
    parts = Parts(data, None) if isinstance(data, Digits) else load(data, say=say)
    digits, beside = _audited(parts, part, bool(models))
    if models:
        paths = [Path(model) for model in models]
        opened = [open_model(path) for path in paths]
        asked = Ensemble(*(classifier for _, classifier in opened))
        for run, _ in opened:
            if run:
                run.count_opening(digits)
        seen = max(count_seen(digits.images, trained_on(path)) for path in paths)
        probabilities = asked.predict_proba(digits.images)
        about: dict[str, Any] = {"models": [str(path) for path in paths], "seen": seen}
        if seen:
            say(_doubts_too_little(seen, len(digits)))
        elif any(path.suffix == ".onnx" for path in paths):
            say(
                "An .onnx file does not say what it was trained on: if it was on these digits, it doubts too little."
            )
    else:
        with TemporaryDirectory() as folder:
            fit = _fitting(value, beside, Path(folder), say=say)
            probabilities = out_of_fold(digits, fit, folds=folds)
        about = {"recipe": recipe if isinstance(recipe, str) else "own", "folds": folds}
    found = audit_labels(digits, probabilities)
    if out is not None:
        write_audit(found, digits, Path(out), about={"asked": about})
    return found


def _audited(parts: Parts, part: str | None, has_models: bool) -> tuple[Digits, Sequence[Digits]]:
    """The part that is to be audited, and what else may be trained on."""
    if parts.test is None:
        if part == "test":
            raise UsageError(
                f"{parts.train.source}: expected data with a test part, received one part. Leave out --part."
            )
        return parts.train, ()
    if part == "train" or (part is None and not has_models):
        return parts.train, ()
    known = np.isin(fingerprints(parts.train.images), fingerprints(parts.test.images))
    return parts.test, [parts.train.take(np.flatnonzero(~known))]


def _fitting(
    recipe: Recipe, beside: Sequence[Digits], folder: Path, *, say: Callable[[str], None]
) -> Callable[[Digits], Classifier]:
    """A function that trains `recipe` on digits and those beside, each time in a new run below `folder`."""

    def fit(digits: Digits) -> Classifier:
        number = sum(1 for _ in folder.iterdir())
        together = joined([digits, *beside])
        say(f"Training number {number + 1}, on {len(together):,} images.")
        run = train(recipe, Parts(together, None), folder=folder / str(number))
        return run.classifier

    return fit


def _doubts_too_little(seen: int, total: int) -> str:
    return (
        f"Warning: {seen:,} of these {total:,} images were in the training data. A model doubts too little "
        "about labels it was trained on: leave out the models, and others are trained without them."
    )
