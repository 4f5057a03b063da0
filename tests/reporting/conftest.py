"""Runs made by hand: the record, history and predictions are given, so every figure of them is known."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenfold.digits import Digits
from tenfold.evaluation import Judgement
from tenfold.layers import Dense, ReLU
from tenfold.network import Network
from tenfold.recipe import Recipe
from tenfold.training import EpochResult, Run
from tenfold.training.run import FORMAT, seals, write_history, write_predictions, write_record

MakeRun = Callable[..., Run]

RECIPE = Recipe(Network(Dense(16), ReLU(), Dense(10)), engine="numpy", epochs=3)

HISTORY = (
    EpochResult(1, 2.0, 0.9, 0.71, 0.5, 0.83),
    EpochResult(2, 0.5, 0.4, 0.86, 0.3, 0.91),
    EpochResult(3, 0.7, 0.2, 0.94, 0.6, 0.89),
)


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """make_run(name, labels=..., told=..., ...) -> a Run on disk; other arguments replace the record's."""

    def make(
        name: str = "handmade",
        *,
        labels: Sequence[int] | None = None,
        told: Sequence[int] = (),
        history: tuple[EpochResult, ...] = HISTORY,
        recipe: Recipe = RECIPE,
        data: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Run:
        folder = tmp_path / name
        write_history(folder, history)
        test = None if labels is None else _tested(folder, labels, told)
        record = {
            "format": FORMAT,
            "status": "done",
            "started": "2026-11-22T20:00:00+00:00",
            "recipe": {"name": "own", "value": recipe.to_json()},
            "engine": recipe.engine,
            "backend": "numpy",
            "precision": "float32",
            "seed": 7,
            "epochs": len(history),
            "data": {
                "name": "mnist5k",
                "source": "digits made by hand",
                "hash": {"train": "aa11", "test": "bb22" if test else None},
                "images": {
                    "training": 400,
                    "validation": 100,
                    "test": test["total"] if test else 0,
                },
            }
            | (data or {}),
            "results": {"validation": {"correct": 89, "total": 100, "log_loss": 0.6}, "test": test},
            "test_openings": 1,
            "parity": 2.5e-7,
            "seconds": {"setup": 0.25, "training": 3.2, "evaluation": 0.05, "total": 3.5},
            "versions": {"python": "3.11.9", "tenfold": "0.1.0"},
            "machine": {"processor": "an abacus", "cores": 2, "system": "Linux"},
            "files": seals(folder),
        } | fields
        write_record(folder, record)
        return Run(folder, record)

    return make


def _tested(folder: Path, labels: Sequence[int], told: Sequence[int]) -> dict[str, Any]:
    """Write the predictions, each surer than the one before it, from 0.5 up -> the result on record."""
    confidences = 0.5 + 0.4 * np.arange(len(labels), dtype=np.float32) / len(labels)
    judged = Judgement(np.array(labels, np.uint8), np.array(told, np.uint8), confidences, 0.125)
    write_predictions(folder, judged)
    return {"correct": judged.accuracy.successes, "total": len(labels), "log_loss": 0.125}


@pytest.fixture
def pictures() -> Digits:
    """Twelve different pictures, labelled 0..9, 0, 1."""
    images = np.random.default_rng(3).integers(0, 256, (12, 28, 28)).astype(np.uint8)
    return Digits(images, np.array([*range(10), 0, 1], np.uint8), "twelve pictures")
