"""A control run: does what computes for Keras here compute rightly?

A network whose answers NumPy can work out, and a training whose outcome is known.
"""

import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Digits
from tenfold.evaluation.diagnosis.evidence import Evidence
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.evaluation.diagnosis.outcome import below_reach
from tenfold.evaluation.diagnosis.reference import sample
from tenfold.randomness import stream
from tenfold.statistics import Proportion

# float32 through three layers is right to 1e-5; a GPU that multiplies in TF32 to 1e-3.
LARGEST_GAP = 5e-3
# 64-32-10, Adam, batches of 32, three times over mnist5k's 4,000 images gives 88 to 91 % of its 1,000.
LOWEST_SHARE = 0.82
EPOCHS = 3


def backend(evidence: Evidence) -> Iterator[Finding]:
    """Only where the model does badly: the control run costs some seconds."""
    model, keras = evidence.model, sys.modules.get("keras")
    answers = evidence.answers(evidence.train)
    badly = below_reach(evidence) or (answers is not None and not answers.finite)
    if model is None or model.kind != "keras" or keras is None or not badly:
        return
    try:
        gap, told = control_run(keras)
    except Exception as error:  # a backend that fails at this fails
        yield _finding(f"The control run failed: {type(error).__name__}: {error}", {})
        return
    name = _name(keras)
    if not gap <= LARGEST_GAP:
        yield _finding(
            f"Layers computed by {name} differ from NumPy by {gap:.2g}, where rounding gives 1e-6.",
            {"gap": gap},
        )
    elif told.share < LOWEST_SHARE:
        yield _finding(
            f"A known recipe trained by {name} tells {told}; it gives 88 to 91 %.",
            {"share": told.share},
        )


def control_run(keras: Any) -> tuple[float, Proportion]:
    """(largest gap to NumPy, test images told after a short training of a known recipe)."""
    train, test = sample()
    x, x_test = _scaled(train), _scaled(test)
    dense = keras.layers.Dense
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = keras.Sequential(
            [
                keras.Input((x.shape[1],)),
                dense(64, activation="relu", dtype="float32"),
                dense(32, activation="relu", dtype="float32"),
                dense(10, activation="softmax", dtype="float32"),
            ]
        )
        weights = _start()
        network.set_weights(weights)
        gap = np.abs(_answers(keras, network, x_test) - _by_numpy(weights, x_test)).max()
        # Many steps a call are the same training in half the time; on PyTorch Keras allows but one.
        steps = 1 if keras.backend.backend() == "torch" else 25
        network.compile("adam", "sparse_categorical_crossentropy", steps_per_execution=steps)
        network.fit(x, train.known_labels, batch_size=32, epochs=EPOCHS, shuffle=False, verbose=0)
        told = _answers(keras, network, x_test).argmax(axis=1)
        gap = float(np.maximum(gap, convolution_gap(keras, x_test)))
    return gap, Proportion(int((told == test.known_labels).sum()), len(test))


def convolution_gap(keras: Any, x: NDArray[np.float32]) -> float:
    """x (n, 784) -> the largest gap to NumPy in what a convolution and a pooling make of 50 of them."""
    pictures, draw = x[:50].reshape(-1, 28, 28, 1), stream(0, "convolution")
    kernel, bias = draw.normal(0, 0.3, (3, 3, 1, 4)), draw.normal(0, 0.1, 4)
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 3, activation="relu", dtype="float32"),
            layers.MaxPooling2D(dtype="float32"),
        ]
    )
    network.set_weights([kernel, bias])
    windows = np.lib.stride_tricks.sliding_window_view(pictures[..., 0], (3, 3), axis=(1, 2))
    ours = np.maximum(np.einsum("nrcij,ijk->nrck", windows, kernel[:, :, 0]) + bias, 0)
    ours = ours.reshape(len(ours), 13, 2, 13, 2, 4).max(axis=(2, 4))
    return float(np.abs(_answers(keras, network, pictures) - ours).max())


def _answers(keras: Any, network: Any, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """By a call, which compiles nothing: two `predict` would cost as much as the training."""
    answers: NDArray[np.float32] = keras.ops.convert_to_numpy(network(x, training=False))
    return answers


def _scaled(digits: Digits) -> NDArray[np.float32]:
    return (digits.images.reshape(len(digits), -1) / 255).astype(np.float32)


def _start() -> list[NDArray[np.float32]]:
    """Glorot-uniform weights of 784-64-32-10 from NumPy, so that the user's streams of chance stay untouched."""
    draw = stream(0, "control run")
    arrays = []
    for inputs, units in ((784, 64), (64, 32), (32, 10)):
        limit = np.sqrt(6 / (inputs + units))
        arrays += [draw.uniform(-limit, limit, (inputs, units)), draw.uniform(-0.1, 0.1, units)]
    return [array.astype(np.float32) for array in arrays]


def _by_numpy(weights: list[NDArray[np.float32]], x: NDArray[np.float32]) -> NDArray[np.float32]:
    for kernel, bias in zip(weights[0:4:2], weights[1:4:2], strict=True):
        x = np.maximum(x @ kernel + bias, 0)
    z = x @ weights[4] + weights[5]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = e / e.sum(axis=1, keepdims=True)
    return shares


def _name(keras: Any) -> str:
    return f"Keras {keras.__version__} on {keras.backend.backend()}"


def _finding(why: str, numbers: dict[str, float]) -> Finding:
    return Finding(
        "backend_computes_wrongly",
        0.95,
        why + " So it is neither the data nor the model.",
        "# in the shell, before Python starts:  KERAS_BACKEND=jax python script.py   (or tensorflow, torch)\n"
        "# and: pip install --force-reinstall --upgrade keras tensorflow",
        numbers,
    )
