"""Seconds of each epoch of the seed network (64-32-10, Adam, batch 32) in one way of training it.

usage: python benchmarks/peers.py WAY [EPOCHS]

WAY is one of the table at the end. Every way sees the same 48,000 images in memory, float32 or
uint8 as it prefers; loading and set-up are outside the clock, the first epoch (compilation) is
printed first. One process measures one way, so that none inherits another's threads or memory.
Prints one JSON document: {"way", "seconds": [per epoch], "accuracy": after the last, on 12,000 images}.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from tenfold import load
from tenfold.digits import Digits, split
from tenfold.recipe import Recipe
from tenfold.recipes import named_recipe
from tenfold.training.train import open_engine

Ways = dict[str, Callable[[Digits, Digits, int], Iterator[float]]]


def numpy_engine(train: Digits, validation: Digits, epochs: int) -> Iterator[float]:
    """The recipe seed-numpy."""
    return _engine(named_recipe("seed-numpy"), train, validation, epochs)


def keras_engine(train: Digits, validation: Digits, epochs: int) -> Iterator[float]:
    """The recipe seed."""
    return _engine(named_recipe("seed"), train, validation, epochs)


def _engine(recipe: Recipe, train: Digits, validation: Digits, epochs: int) -> Iterator[float]:
    engine = open_engine(recipe, train, seed=0)
    for epoch in range(epochs):
        started = time.perf_counter()
        engine.train_epoch(epoch)
        yield time.perf_counter() - started
    yield float((engine.logits(validation.images).argmax(1) == validation.labels).mean())


def keras_fit(train: Digits, validation: Digits, epochs: int) -> Iterator[float]:
    """What a Keras user writes: Sequential, compile, fit."""
    import keras

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]  keras has no types
        def __init__(self) -> None:
            super().__init__()
            self.seconds: list[float] = []

        def on_epoch_begin(self, epoch, logs=None):  # type: ignore[no-untyped-def]
            self.started = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):  # type: ignore[no-untyped-def]
            self.seconds.append(time.perf_counter() - self.started)

    layers = [keras.layers.Dense(64, "relu"), keras.layers.Dense(32, "relu")]
    model = keras.Sequential([keras.Input((784,)), *layers, keras.layers.Dense(10, "softmax")])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    one_hot = np.eye(10, dtype=np.float32)[train.known_labels]
    clock = Clock()
    model.fit(_rows(train), one_hot, batch_size=32, epochs=epochs, verbose=0, callbacks=[clock])
    yield from clock.seconds
    yield float((model.predict(_rows(validation), verbose=0).argmax(1) == validation.labels).mean())


def scikit_learn(train: Digits, validation: Digits, epochs: int) -> Iterator[float]:
    """MLPClassifier, one pass at a time."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier((64, 32), batch_size=32, random_state=0)
    rows, classes = _rows(train), np.arange(10)
    for _ in range(epochs):
        started = time.perf_counter()
        model.partial_fit(rows, train.known_labels, classes=classes)
        yield time.perf_counter() - started
    yield float(model.score(_rows(validation), validation.known_labels))


def _rows(digits: Digits) -> np.ndarray:
    return digits.images.reshape(len(digits), -1).astype(np.float32) / 255


WAYS: Ways = {
    "tenfold, NumPy engine": numpy_engine,
    "tenfold, Keras on TensorFlow": keras_engine,
    "tenfold, Keras on JAX": keras_engine,
    "scikit-learn MLPClassifier": scikit_learn,
    "Keras fit on TensorFlow": keras_fit,
    "Keras fit on JAX": keras_fit,
}


def main(way: str, epochs: int = 6) -> None:
    """Measure one way and print what was measured."""
    os.environ["KERAS_BACKEND"] = "jax" if way.endswith("JAX") else "tensorflow"
    train, validation = split(load("mnist", say=lambda _: None).train, 0.2, seed=0)
    assert validation is not None  # noqa: S101  a share of 0.2 of 60,000
    *seconds, accuracy = WAYS[way](train, validation, epochs)
    print(json.dumps({"way": way, "seconds": seconds, "accuracy": accuracy}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
