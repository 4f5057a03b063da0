"""What the ways share, in whichever environment: how they are called, and how answers are timed.

Imports NumPy alone. A way is `python SCRIPT FUNCTION ARGUMENT...` and prints what the function returns as JSON.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

SIZES = (1, 16, 256, 4096)
"""How many pictures are asked about at once."""
AT_LEAST_SECONDS = 1.0
SINGLE_CALLS = 300


def run_way(functions: Mapping[str, Callable[..., Any]]) -> None:
    """Call the function that the command line names, and print what it gives."""
    name, *arguments = sys.argv[1:]
    print(json.dumps(functions[name](*arguments)))


def read_parts(path: str) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """An .npz in Keras's layout -> (training images, labels), (test images, labels): uint8 arrays."""
    with np.load(Path(path)) as arrays:
        train, test = ((arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test"))
    return train, test


def tested(predicted_labels: Any, labels: Any) -> dict[str, Any]:
    """How many of the test pictures were told right."""
    correct = int((np.asarray(predicted_labels) == labels).sum())
    return {"accuracy": correct / len(labels), "correct": correct, "total": len(labels)}


def timed(started: float, fitted: float) -> dict[str, float]:
    """Seconds from `started` to `fitted`, from then to now, and both."""
    now = time.perf_counter()
    return {
        "seconds": now - started,
        "fit_seconds": fitted - started,
        "predict_seconds": now - fitted,
    }


def answers(predict: Callable[[Any], object], images: Any) -> dict[str, Any]:
    """Pictures a second for each of SIZES at once, and how long one picture alone takes."""
    rates = {str(size): _rate(predict, images[:size]) for size in SIZES}
    singles = [_seconds(predict, images[i : i + 1]) for i in range(SINGLE_CALLS)]
    return {
        "images_per_second": rates,
        "single_image_ms": float(np.median(singles)) * 1000,
        "single_image_ms_99th_percentile": float(np.percentile(singles, 99)) * 1000,
    }


def _rate(predict: Callable[[Any], object], images: Any) -> float:
    predict(images)  # the first call for a size may compile
    calls, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < AT_LEAST_SECONDS:
        predict(images)
        calls += 1
    return calls * len(images) / elapsed


def _seconds(predict: Callable[[Any], object], images: Any) -> float:
    started = time.perf_counter()
    predict(images)
    return time.perf_counter() - started
