"""The end of a training: the model is written and proved, the test part is opened once, the record closed."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from tenfold.classifiers import Shifted
from tenfold.digits import Digits, Images, Parts, fingerprints
from tenfold.engine import Engine, weights_of
from tenfold.evaluation import Judgement, corrected, count_seen, judge, leak_warnings
from tenfold.modelfile import (
    Model,
    OnnxClassifier,
    check_parity,
    open_classifier,
    save_model,
    stress_images,
)
from tenfold.recipe import Recipe, recipe_from_json
from tenfold.statistics import Proportion
from tenfold.training.calibration import calibrate, rejection_threshold, unseen_non_digits
from tenfold.training.environment import machine, versions
from tenfold.training.loop import EngineClassifier
from tenfold.training.members import states_of
from tenfold.training.run import (
    MODEL,
    Record,
    Run,
    seals,
    write_predictions,
    write_record,
)
from tenfold.weights import Member


def finish(
    folder: Path, record: Record, engine: Engine, *, parts: Parts, validation: Digits | None
) -> Run:
    """Calibrate the engine's network, write it as the run's model, judge it, and close the record.

    What is judged is the ONNX model that people will use, once it has been held against the engine.

    Raises:
        ParityError: onnxruntime disagrees with the engine about the trained network.
    """
    started = time.perf_counter()
    recipe = recipe_from_json(record["recipe"]["value"])
    temperature = None
    if recipe.calibrated and validation is not None:
        temperature = calibrate(engine, recipe, validation)
    gap = _write_model(folder / MODEL, record, recipe, engine, parts.train)
    classifier = open_classifier(folder / MODEL)
    results = {
        "validation": validation and _figures(judge(classifier, validation)),
        "test": None,
        "temperature": temperature,
        "rejection": recipe.non_digits
        and _rejection(classifier, parts.train, validation, seed=record["seed"]),
    }
    warnings: list[str] = []
    if parts.test is not None:
        # Counted before it is looked at: a process that dies in between has opened it all the same.
        record = record | {"test_openings": record["test_openings"] + 1}
        write_record(folder, record)
        judged = judge(classifier, parts.test)
        write_predictions(folder, judged)
        told = corrected(judged, parts.test)
        results["test"] = _figures(judged) | {"corrected": told and _counts(told)}
        seen = count_seen(parts.test.images, fingerprints(parts.train.images))
        warnings = leak_warnings(judged.accuracy, seen=seen)
    evaluation = time.perf_counter() - started
    seconds = record["seconds"] | {"evaluation": evaluation}
    record = record | {
        "status": "done",
        "versions": versions(),
        "machine": machine(),
        "parity": gap,
        "results": results,
        "warnings": warnings,
        "seconds": seconds | {"total": sum(seconds.values())},
        "files": seals(folder),
    }
    write_record(folder, record)
    return Run(folder, record)


def _write_model(
    folder: Path, record: Record, recipe: Recipe, engine: Engine, train: Digits
) -> float:
    """Save the engine's network and hold onnxruntime against it -> the largest difference in probability."""
    about = {
        "recipe": record["recipe"]["name"],
        "seed": record["seed"],
        "data": record["data"]["name"],
        "data_hash": record["data"]["hash"]["train"],
    }
    states = states_of(engine.state(), recipe.members)
    members = tuple(Member(recipe.network, weights_of(state)) for state in states)
    shifts = recipe.test_time_shifts
    ours = Shifted(EngineClassifier(engine), shifts)
    below = 0.0
    if recipe.non_digits is not None:
        below = rejection_threshold(
            ours, train, accepted=recipe.non_digits.accepted, seed=record["seed"]
        )
    save_model(folder, Model(members, fingerprints(train.images), about, shifts, below))
    return check_parity(ours, open_classifier(folder), stress_images(train.images))


def _rejection(
    classifier: OnnxClassifier, train: Digits, validation: Digits | None, *, seed: int
) -> dict[str, Any]:
    """What the model rejects: newly drawn pictures of no digit that it takes for digits, and digits that it does not."""
    below = classifier.reject_below
    drawn = unseen_non_digits(train, "the record", seed=seed)
    found: dict[str, Any] = {"below": below, "non_digits": _accepted(classifier, drawn)}
    return found | {"validation": validation and _accepted(classifier, validation.images)}


def _accepted(classifier: OnnxClassifier, images: Images) -> dict[str, int]:
    confidence = classifier.predict_proba(images).max(axis=1)
    accepted = int(np.count_nonzero(confidence >= classifier.reject_below))
    return {"accepted": accepted, "total": len(images)}


def _figures(judged: Judgement) -> dict[str, Any]:
    return _counts(judged.accuracy) | {"log_loss": judged.log_loss}


def _counts(told: Proportion) -> dict[str, Any]:
    return {"correct": told.successes, "total": told.total}
