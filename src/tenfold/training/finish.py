"""The end of a training: the model is written and proved, the test part is opened once, the record closed."""

import time
from pathlib import Path
from typing import Any

from tenfold.classifiers import Shifted
from tenfold.digits import Digits, Parts, fingerprints
from tenfold.engine import Engine, weights_of
from tenfold.evaluation import Judgement, corrected, count_seen, judge, leak_warnings
from tenfold.modelfile import Model, check_parity, open_classifier, save_model, stress_images
from tenfold.recipe import recipe_from_json
from tenfold.statistics import Proportion
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
    """Write the engine's network as the run's model, judge it, and close the record.

    What is judged is the ONNX model that people will use, once it has been held against the engine.

    Raises:
        ParityError: onnxruntime disagrees with the engine about the trained network.
    """
    started = time.perf_counter()
    gap = _write_model(folder / MODEL, record, engine, parts.train)
    classifier = open_classifier(folder / MODEL)
    results = {"validation": validation and _figures(judge(classifier, validation)), "test": None}
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


def _write_model(folder: Path, record: Record, engine: Engine, train: Digits) -> float:
    """Save the engine's network and hold onnxruntime against it -> the largest difference in probability."""
    recipe = recipe_from_json(record["recipe"]["value"])
    about = {
        "recipe": record["recipe"]["name"],
        "seed": record["seed"],
        "data": record["data"]["name"],
        "data_hash": record["data"]["hash"]["train"],
    }
    states = states_of(engine.state(), recipe.members)
    members = tuple(Member(recipe.network, weights_of(state)) for state in states)
    shifts = recipe.test_time_shifts
    save_model(folder, Model(members, fingerprints(train.images), about, shifts))
    images = stress_images(train.images)
    ours = Shifted(EngineClassifier(engine), shifts)
    return check_parity(ours, open_classifier(folder), images)


def _figures(judged: Judgement) -> dict[str, Any]:
    return _counts(judged.accuracy) | {"log_loss": judged.log_loss}


def _counts(told: Proportion) -> dict[str, Any]:
    return {"correct": told.successes, "total": told.total}
