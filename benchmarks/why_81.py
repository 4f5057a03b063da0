"""Which faults make the original network end near 81 %, and is each of them named?

usage: python benchmarks/why_81.py [--epochs 20] [--images 60000] [--out results]

Claim: the network of 64, 32 and 10 units, as a Keras user writes it, reaches the accuracy in results/why_81.json without a
fault and with each of these, and `tenfold.diagnose` names the fault first. One training each, with one seed: what
is shown is the size of an effect, not a mean.
"""

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import tenfold
from tenfold.files import write_json
from tenfold.training.environment import machine, versions

ROOT = Path(__file__).resolve().parent.parent
Array = np.ndarray[Any, Any]
Fit = dict[str, Any]

# Beside `x` and `y` of both parts a fault may change how the network is made (`dropout`, `last`) and trained
# (`rate`, `share`, `epochs`).
FAULTS: dict[str, tuple[str | None, Callable[[Fit], Fit]]] = {}


def fault(cause: str | None, name: str) -> Callable[[Callable[[Fit], Fit]], Callable[[Fit], Fit]]:
    """Put a fault on the list, with the cause that a diagnosis should name."""

    def register(plant: Callable[[Fit], Fit]) -> Callable[[Fit], Fit]:
        FAULTS[name] = cause, plant
        return plant

    return register


@fault(None, "none")
def _none(fit: Fit) -> Fit:
    return fit


@fault("scaled_twice", "pixels divided by 255 twice")
def _twice(fit: Fit) -> Fit:
    return fit | {"x": fit["x"] / 255, "x_test": fit["x_test"] / 255}


@fault("unscaled_pixels", "pixels from 0 to 255")
def _unscaled(fit: Fit) -> Fit:
    return fit | {"x": fit["x"] * 255, "x_test": fit["x_test"] * 255}


@fault("parts_prepared_differently", "test pixels from 0 to 255")
def _raw_test(fit: Fit) -> Fit:
    return fit | {"x_test": fit["x_test"] * 255}


@fault("parts_prepared_differently", "test pictures transposed")
def _transposed(fit: Fit) -> Fit:
    pictures = fit["x_test"].reshape(-1, 28, 28).transpose(0, 2, 1)
    return fit | {"x_test": pictures.reshape(-1, 784)}


@fault("labels_shuffled", "a quarter of the images moved, without their labels")
def _moved(fit: Fit) -> Fit:
    x, count = fit["x"].copy(), len(fit["x"]) // 4
    x[:count] = x[np.random.default_rng(1).permutation(count)]
    return fit | {"x": x}


@fault("label_noise", "a fifth of the training labels by chance")
def _noise(fit: Fit) -> Fit:
    rng = np.random.default_rng(2)
    wrong = rng.random(len(fit["y"])) < 0.2
    return fit | {"y": np.where(wrong, rng.integers(0, 10, len(fit["y"])), fit["y"])}


@fault("sorted_split", "sorted by label, validation_split=0.2")
def _sorted(fit: Fit) -> Fit:
    order = np.argsort(fit["y"], kind="stable")
    return fit | {"x": fit["x"][order], "y": fit["y"][order]}


@fault("sorted_split", "sorted by label, validation_split=0.15")
def _sorted_less(fit: Fit) -> Fit:
    return _sorted(fit) | {"share": 0.15}


@fault("missing_class", "no 8 and no 9 in the training part")
def _missing(fit: Fit) -> Fit:
    keep = fit["y"] < 8
    return fit | {"x": fit["x"][keep], "y": fit["y"][keep]}


@fault("too_few_samples", "400 training images")
def _few(fit: Fit) -> Fit:
    return fit | {"x": fit["x"][:400], "y": fit["y"][:400]}


@fault("learning_rate_too_low", "Adam at 1e-6")
def _slow(fit: Fit) -> Fit:
    return fit | {"rate": 1e-6}


@fault("learning_rate_too_high", "Adam at 0.05")
def _wild(fit: Fit) -> Fit:
    return fit | {"rate": 0.05}


@fault("dropout_too_strong", "dropout of 0.8 behind both layers")
def _dropping(fit: Fit) -> Fit:
    return fit | {"dropout": 0.8}


@fault("output_activation", "ReLU on the output")
def _relu(fit: Fit) -> Fit:
    return fit | {"last": "relu"}


@fault("under_training", "30 steps")
def _short(fit: Fit) -> Fit:
    return fit | {"steps": 30, "epochs": 1}


def trained(fit: Fit) -> tuple[Any, Any]:
    """The original network, trained as `fit` says -> the Keras model and its history."""
    import keras

    keras.utils.set_random_seed(0)
    between = [keras.layers.Dropout(fit["dropout"])] if fit["dropout"] else []
    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(64, activation="relu"), *between,
            keras.layers.Dense(32, activation="relu"), *between,
            keras.layers.Dense(10, activation=fit["last"]),
        ]
    )  # fmt: skip
    # Steps at a time change nothing but the speed.
    model.compile(
        keras.optimizers.Adam(fit["rate"]), "sparse_categorical_crossentropy",
        metrics=["accuracy"], steps_per_execution=10 if fit["steps"] else 50,
    )  # fmt: skip
    history = model.fit(
        fit["x"], fit["y"], batch_size=32, epochs=fit["epochs"], validation_split=fit["share"],
        steps_per_epoch=fit["steps"], verbose=0,
    )  # fmt: skip
    return model, history


def measured(name: str, clean: Fit) -> dict[str, Any]:
    """Plant a fault, train, judge and diagnose."""
    cause, plant = FAULTS[name]
    fit = plant(dict(clean))
    model, history = trained(fit)
    told = model.predict(fit["x_test"], batch_size=1000, verbose=0).argmax(axis=1)
    right = int((told == fit["y_test"]).sum())
    started = perf_counter()
    found = tenfold.diagnose(
        model=model,
        train=(fit["x"], fit["y"]),
        test=(fit["x_test"], fit["y_test"]),
        history=history,
    )
    seconds = perf_counter() - started
    test = tenfold.Proportion(right, len(told))
    print(f"{name}: {test}; named: {found.cause}; {seconds:.1f} s", flush=True)
    return {
        "cause": cause, "correct": right, "total": len(told), "named": found.cause,
        "diagnosis_seconds": seconds,
    }  # fmt: skip


def main() -> None:
    """Measure every fault and write OUT/why_81.json."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--out", type=Path, default=ROOT / "results")
    chosen = parser.parse_args()
    parts = tenfold.load("mnist")
    test = parts.test or parts.train
    order = np.random.default_rng(0).permutation(len(parts.train))[: chosen.images]
    clean = {
        "x": parts.train.images[order].reshape(-1, 784).astype("float32") / 255,
        "y": parts.train.known_labels[order].astype("int64"),
        "x_test": test.images.reshape(-1, 784).astype("float32") / 255,
        "y_test": test.known_labels.astype("int64"),
        "rate": 1e-3, "share": 0.2, "epochs": chosen.epochs, "dropout": 0.0, "last": "softmax",
        "steps": None,
    }  # fmt: skip
    record = {
        "claim": "benchmarks/why_81.py",
        "date": date.today().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "epochs": chosen.epochs,
        "images": len(order),
        "faults": {name: measured(name, clean) for name in FAULTS},
    }
    write_json(chosen.out / "why_81.json", record)


if __name__ == "__main__":
    main()
