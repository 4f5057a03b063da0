"""What a Keras user writes: the example network of keras.io with `fit`, and a .keras file put to use.

usage: python with_keras.py until_99 NPZ SEED | example NPZ SEED EPOCHS | answer KERAS_FILE NPZ
                            | all_test_images KERAS_FILE NPZ | one_picture KERAS_FILE PNG

Network and settings: keras.io/examples/vision/mnist_convnet.
"""

import os
import time
from typing import Any

import numpy as np
from measuring import answers, read_parts, run_way, tested

os.environ["KERAS_BACKEND"] = "tensorflow"

BATCH, VALIDATION_SHARE, WANTED, MOST_EPOCHS = 128, 0.1, 0.99, 6


def network() -> Any:
    """34,826 parameters, compiled."""
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


def prepared(images: Any, labels: Any) -> tuple[Any, Any]:
    """Images uint8 (n, 28, 28), labels (n,) -> float32 (n, 28, 28, 1) in 0..1, one-hot (n, 10)."""
    return images[..., None].astype(np.float32) / 255, np.eye(10, dtype=np.float32)[labels]


def until_99(path: str, seed: str) -> dict[str, Any]:
    """`fit`, until an epoch ends with 99 % of the validation images told right, six epochs at most."""
    import keras

    class Enough(keras.callbacks.Callback):  # type: ignore[misc]  keras has no types
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = logs["val_accuracy"] >= WANTED

    train, test = read_parts(path)
    keras.utils.set_random_seed(int(seed))
    model, (pictures, targets) = network(), prepared(*train)
    compilation = _warm_up(model, pictures, targets)
    settings = {"batch_size": BATCH, "validation_split": VALIDATION_SHARE, "verbose": 0}
    started = time.perf_counter()
    told = model.fit(pictures, targets, epochs=MOST_EPOCHS, callbacks=[Enough()], **settings)
    seconds = time.perf_counter() - started
    accuracies = told.history["val_accuracy"]
    return {
        "training_seconds": seconds,
        "training_seconds_with_compilation": seconds + compilation,
        "training_images": len(pictures) - int(len(pictures) * VALIDATION_SHARE),
        "computed_by": "tensorflow",
        "epochs": len(accuracies),
        "reached": accuracies[-1] >= WANTED,
        "test": _tested(model, test),
    }


def _warm_up(model: Any, pictures: Any, targets: Any) -> float:
    """Seconds of a `fit` that only compiles: afterwards everything is as it was before."""
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    before = [np.array(variable) for variable in variables]
    few = pictures[: 2 * BATCH], targets[: 2 * BATCH]
    started = time.perf_counter()
    model.fit(*few, batch_size=BATCH, validation_data=few, verbose=0)
    seconds = time.perf_counter() - started
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    return seconds


def example(path: str, seed: str, epochs: str) -> dict[str, Any]:
    """The example from beginning to end."""
    import keras

    train, test = read_parts(path)
    keras.utils.set_random_seed(int(seed))
    model, (pictures, targets) = network(), prepared(*train)
    settings = {"batch_size": BATCH, "validation_split": VALIDATION_SHARE, "verbose": 0}
    started = time.perf_counter()
    model.fit(pictures, targets, epochs=int(epochs), **settings)
    seconds = time.perf_counter() - started
    return {"training_seconds": seconds, "epochs": int(epochs), "test": _tested(model, test)}


def answer(file: str, path: str) -> dict[str, Any]:
    """Pictures a second of `predict`, each call with all its pictures in one batch."""
    import keras

    model, (_, (images, _)) = keras.saving.load_model(file), read_parts(path)
    return answers(lambda some: model.predict(some, batch_size=len(some), verbose=0), images)


def all_test_images(file: str, path: str) -> dict[str, Any]:
    """`predict` of the 10,000 test images as it stands."""
    import keras

    model, (_, (images, _)) = keras.saving.load_model(file), read_parts(path)
    return {"pictures": len(model.predict(images, verbose=0))}


def one_picture(file: str, picture: str) -> dict[str, Any]:
    """The digit in one picture."""
    import keras
    from PIL import Image

    with Image.open(picture) as opened:
        pixels = np.asarray(opened.convert("L"))[None]
    return {"digit": int(keras.saving.load_model(file).predict(pixels, verbose=0).argmax())}


def _tested(model: Any, test: tuple[Any, Any]) -> dict[str, Any]:
    images, labels = test
    return tested(model.predict(prepared(images, labels)[0], verbose=0).argmax(axis=1), labels)


if __name__ == "__main__":
    run_way({f.__name__: f for f in (until_99, example, answer, all_test_images, one_picture)})
