"""A run and its digits -> why its accuracy is what it is; see `evaluation.diagnosis`."""

import json
from pathlib import Path

from tenfold.digits import Digits, Parts, split
from tenfold.errors import DataError
from tenfold.evaluation.diagnosis import Diagnosis, diagnose
from tenfold.recipe import recipe_from_json
from tenfold.training.run import HISTORY, open_run, read_record


def diagnose_run(folder: Path, parts: Parts) -> Diagnosis:
    """What is wrong with the run in `folder`, which was trained on `parts`.

    The test part is looked at for copies of training images and for how it was prepared; the model is
    not asked about it, so no test accuracy comes of this that a recipe could be chosen by. Of a run
    that is not finished, or failed, recipe, history and data alone are looked at.

    Raises:
        ModelError, CorruptFile: as `open_run` says.
        DataError: `parts` are not what the run was trained on.
    """
    record = read_record(folder)
    if record["data"]["hash"]["train"] != parts.train.hash:
        raise DataError(
            f"{folder}: expected the digits the run was trained on ({record['data']['source']}), received "
            f"others ({parts.train.source}). Name the same data with --data."
        )
    recipe = recipe_from_json(record["recipe"]["value"])
    training, validation = split(parts.train, recipe.validation_share, seed=record["seed"])
    test = None if parts.test is None else Digits(parts.test.images, None, parts.test.source)
    path = folder / HISTORY
    history = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return diagnose(
        model=open_run(folder).classifier if record["status"] == "done" else None,
        train=training,
        validation=validation,
        test=test,
        history=history or None,
        recipe=recipe,
    )
