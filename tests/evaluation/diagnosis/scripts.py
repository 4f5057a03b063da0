"""Scripts as a stranger writes them: arrays prepared by hand, a Keras model, fit; then what is given to diagnose."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

SEED = 0
"""Of every training; benchmarks/plantings.py sets others."""

Array = np.ndarray[Any, Any]
Pair = tuple[Array, Array]


class Arrays(NamedTuple):
    """What a script has loaded: pixels 0..255 uint8 (n, 28, 28), labels int64 (n,)."""

    train: Pair
    validation: Pair
    test: Pair

    def map(
        self, x: Callable[[Array], Array] = lambda x: x, y: Callable[[Array], Array] = lambda y: y
    ) -> "Arrays":
        """The same done to every part."""
        return Arrays(*((x(a), y(b)) for a, b in self))

    def scaled(self) -> "Arrays":
        """0..1, float32, flat."""
        return self.map(flat)


def flat(x: Array) -> Array:
    return x.reshape(len(x), -1).astype("float32") / 255


def pictures(x: Array) -> Array:
    return x[..., None].astype("float32") / 255


def dense(
    *units: int,
    activation: str | None = "relu",
    last: str | None = "softmax",
    between: Any = None,
    **options: Any,
) -> list[Any]:
    """Layers of a fully connected network for ten classes."""
    from keras import layers

    made: list[Any] = []
    for count in units:
        made.append(layers.Dense(count, activation=activation, **options))
        if between is not None:
            made.append(between())
    return [*made, layers.Dense(10, activation=last)]


def small_cnn(last: str | None = "softmax") -> list[Any]:
    from keras import layers

    return [
        layers.Conv2D(8, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(10, activation=last),
    ]


def fitted(
    arrays: Arrays,
    layers: list[Any],
    *,
    optimizer: Any = "adam",
    loss: Any = "sparse_categorical_crossentropy",
    metrics: Any = ("accuracy",),
    epochs: int = 6,
    batch_size: int = 32,
    validated: bool = True,
    **fit: Any,
) -> dict[str, Any]:
    """Train -> the arguments of diagnose."""
    import keras

    keras.utils.set_random_seed(SEED)
    x, y = arrays.train
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers])
    # Twenty steps a call are the same training in less time.
    model.compile(optimizer, loss, metrics=list(metrics), steps_per_execution=20)
    if validated and "validation_split" not in fit:
        fit["validation_data"] = arrays.validation
    history = model.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0, **fit)
    given = {"model": model, "train": arrays.train, "test": arrays.test, "history": history}
    return given | ({"validation": arrays.validation} if "validation_data" in fit else {})
