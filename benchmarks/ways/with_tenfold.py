"""tenfold's side of the benchmarks, where a command line would hide what is to be measured.

usage: python with_tenfold.py train RECIPE NPZ SEED | fit RECIPE NPZ SEED | matrix_product RECIPE
                              | epoch RECIPE NPZ IMAGES | answer MODEL NPZ
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measuring import answers, run_way, tested, timed

from tenfold import Shifted, load, open_classifier
from tenfold.classifiers import moved
from tenfold.digits import Digits, Parts, split
from tenfold.engine import Engine
from tenfold.recipe import Recipe
from tenfold.recipes import named_recipe
from tenfold.training.loop import EngineClassifier
from tenfold.training.train import open_engine

SIDE, PRODUCTS = 2048, 4
"""The matrix product that stands for what the machine can do at most: SIDE x SIDE, so often in a row."""

PLACES = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (0, 2))
"""How far MNIST's digits are moved (down, right) to make ten times as many."""


def train(name: str, path: str, seed: str) -> dict[str, Any]:
    """The whole training twice from the same start: the first time with tracing and compilation."""
    recipe, parts = _recipe(name), _parts(path)
    training, _ = split(parts.train, recipe.validation_share, seed=int(seed))
    started = time.perf_counter()
    engine = open_engine(recipe, training, seed=int(seed))
    set_up = time.perf_counter() - started
    fresh = engine.state()
    with_compilation = _seconds(lambda: _train(engine, recipe))
    engine.restore(fresh)
    seconds = _seconds(lambda: _train(engine, recipe))
    return {
        "training_seconds": seconds,
        "training_seconds_with_compilation": with_compilation,
        "set_up_seconds": set_up,
        "training_images": len(training),
        "epochs": recipe.epochs,
        "computed_by": f"{engine.backend}, {engine.precision}",
        "test": _tested(engine, recipe, parts),
    }


def fit(name: str, path: str, seed: str) -> dict[str, Any]:
    """One training from nothing, as a program that imports tenfold sees it, and the test pictures."""
    recipe, parts = _recipe(name), _parts(path)
    started = time.perf_counter()
    training, _ = split(parts.train, recipe.validation_share, seed=int(seed))
    engine = open_engine(recipe, training, seed=int(seed))
    _train(engine, recipe)
    fitted = time.perf_counter()
    test = _tested(engine, recipe, parts)
    return timed(started, fitted) | {"test": test}


def matrix_product(name: str) -> dict[str, Any]:
    """FLOPs a second of matrix products with what the recipe's engine computes with, in what the recipe lets it
    multiply: the best of five."""
    recipe, dtype = _recipe(name), "float32"
    draw = np.random.default_rng(0).standard_normal
    left, right = draw((2, SIDE, SIDE), np.float32) / np.float32(np.sqrt(SIDE))
    multiply: Callable[[Any, Any], Any] = np.matmul
    if recipe.engine == "keras":
        from tenfold.keras_engine.backend import has_bfloat16, import_keras

        import_keras()
        from keras import ops

        if recipe.precision == "mixed" and has_bfloat16():
            dtype = "bfloat16"
        multiply, (left, right) = ops.matmul, (ops.cast(each, dtype) for each in (left, right))

    def chain() -> None:
        product = left
        for _ in range(PRODUCTS):
            product = multiply(product, right)
        float(product[0, 0])  # a device may still be computing

    chain()
    seconds = min(_seconds(chain) for _ in range(5))
    return {"flops_per_second": 2.0 * PRODUCTS * SIDE**3 / seconds, "dtype": dtype}


def epoch(name: str, path: str, images: str) -> dict[str, Any]:
    """An epoch with so many images: the first, which compiles, and the same one again."""
    recipe = _recipe(name)
    digits = grown(_parts(path).train, int(images))
    engine = open_engine(recipe, digits, seed=0)
    first = _seconds(lambda: engine.train_epoch(0))
    again = _seconds(lambda: engine.train_epoch(0))
    return {"epoch_seconds": again, "first_epoch_seconds": first, "images": len(digits)}


def answer(model: str, path: str) -> dict[str, Any]:
    """Pictures a second of `predict_proba`."""
    images = _test(_parts(path)).images
    return answers(open_classifier(Path(model)).predict_proba, images)


def grown(digits: Digits, images: int) -> Digits:
    """The first `images` of the digits, of the digits moved by a pixel, and so on through PLACES."""
    copies = PLACES[: -(-images // len(digits))]
    pictures = np.concatenate([moved(digits.images, *place) for place in copies])
    labels = np.tile(digits.known_labels, len(copies))
    return Digits(pictures[:images], labels[:images], f"{digits.source}, moved")


def _recipe(name: str) -> Recipe:
    recipe = named_recipe(name)
    if recipe.distillation is not None:
        raise SystemExit(f"{name}: expected a recipe that learns from labels alone.")
    return recipe


def _parts(path: str) -> Parts:
    return load(f"npz:{path}")


def _test(parts: Parts) -> Digits:
    if parts.test is None:
        raise SystemExit("expected an .npz with a test part, received one without.")
    return parts.test


def _train(engine: Engine, recipe: Recipe) -> None:
    for number in range(recipe.epochs):
        engine.train_epoch(number)
    engine.settle()


def _tested(engine: Engine, recipe: Recipe, parts: Parts) -> dict[str, Any]:
    test = _test(parts)
    classifier = Shifted(EngineClassifier(engine), recipe.test_time_shifts)
    return tested(classifier.predict_proba(test.images).argmax(axis=1), test.known_labels)


def _seconds(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


if __name__ == "__main__":
    run_way({f.__name__: f for f in (train, fit, matrix_product, epoch, answer)})
