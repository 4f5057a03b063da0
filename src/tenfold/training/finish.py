"""The end of a training: the model is written and proved, the test part is opened once, the record closed."""

import time
from pathlib import Path
from typing import Any

from tenfold.digits import Digits, Parts, fingerprints
from tenfold.engine import Engine, weights_of
from tenfold.evaluation import Judgement, judge
from tenfold.modelfile import check_parity, open_classifier, save_model, stress_images
from tenfold.recipe import recipe_from_json
from tenfold.training.environment import machine, versions
from tenfold.training.loop import EngineClassifier
from tenfold.training.run import (
    MODEL,
    Record,
    Run,
    seals,
    write_predictions,
    write_record,
)


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
    if parts.test is not None:
        # Counted before it is looked at: a process that dies in between has opened it all the same.
        record = record | {"test_openings": record["test_openings"] + 1}
        write_record(folder, record)
        judged = judge(classifier, parts.test)
        write_predictions(folder, judged)
        results["test"] = _figures(judged)
    evaluation = time.perf_counter() - started
    seconds = record["seconds"] | {"evaluation": evaluation}
    record = record | {
        "status": "done",
        "versions": versions(),
        "machine": machine(),
        "parity": gap,
        "results": results,
        "seconds": seconds | {"total": sum(seconds.values())},
        "files": seals(folder),
    }
    write_record(folder, record)
    return Run(folder, record)


def _write_model(folder: Path, record: Record, engine: Engine, train: Digits) -> float:
    """Save the engine's network and hold onnxruntime against it -> the largest difference in probability."""
    network = recipe_from_json(record["recipe"]["value"]).network
    about = {
        "recipe": record["recipe"]["name"],
        "seed": record["seed"],
        "data": record["data"]["name"],
        "data_hash": record["data"]["hash"]["train"],
    }
    weights = weights_of(engine.state())
    save_model(folder, network, weights, trained_on=fingerprints(train.images), about=about)
    images = stress_images(train.images)
    return check_parity(EngineClassifier(engine), open_classifier(folder), images)


def _figures(judged: Judgement) -> dict[str, Any]:
    correct, total = judged.accuracy
    return {"correct": correct, "total": total, "log_loss": judged.log_loss}
