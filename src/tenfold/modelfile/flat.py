"""A Model as a list of plain steps and its arrays: what a reader in any language needs, and nothing to work out.

    {"format": 1, "pixel_scale": 0.00392..., "places": [[0, 0]], "reject_below": 0.89, "networks": [[step, ...], ...]}

    {"op": "dense", "kernel": "dense_1/kernel", "bias": "dense_1/bias"}           kernel (in, out)
    {"op": "conv2d", "kernel": ..., "bias": ..., "stride": 1, "padding": [[1, 1], [1, 1]]}
                                                    kernel (height, width, in, out); zeros before and after each axis
    {"op": "maxpool", "size": 2} · {"op": "globalaveragepool"} · {"op": "relu"} · {"op": "flatten"}
    {"op": "batchnorm", "gamma": ..., "beta": ..., "moving_mean": ..., "moving_variance": ..., "epsilon": 0.001}
    {"op": "residual", "steps": [step, ...]}                                       x + what the steps make of x

Pictures are (n, height, width, channels). An array that is not there is null. The answer is the mean over all
networks, and over the picture moved to all places (down, right), of the softmax of what the last step gives.
`run_npz` is such a reader, in NumPy alone.
"""

import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.classifiers import places
from tenfold.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Residual,
)
from tenfold.modelfile.native import REJECT_BELOW, Model, prefixes
from tenfold.network import PIXEL_SCALE, Step
from tenfold.weights import check_weights

FORMAT = 1
DESCRIPTION = "description"


def flatten(model: Model) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
    """A model -> what the steps are, plain JSON values; every array by its name, float32."""
    networks: list[list[dict[str, Any]]] = []
    arrays: dict[str, NDArray[np.float32]] = {}
    for prefix, (network, weights) in zip(prefixes(len(model.members)), model.members, strict=True):
        networks.append(_steps(network.plan, prefix))
        checked = check_weights(network, weights)
        arrays |= {
            prefix + name: np.ascontiguousarray(array, "<f4") for name, array in checked.items()
        }
    return {
        "format": FORMAT,
        "pixel_scale": PIXEL_SCALE,
        "places": [list(place) for place in places(model.shifts)],
        REJECT_BELOW: model.reject_below,
        "networks": networks,
    }, arrays


def to_npz(model: Model) -> bytes:
    """A model -> a NumPy archive: every array, and the description as JSON in bytes under "description"."""
    description, arrays = flatten(model)
    content = io.BytesIO()
    everything: dict[str, Any] = {
        DESCRIPTION: np.frombuffer(json.dumps(description).encode(), np.uint8)
    }
    np.savez(content, **(everything | arrays))
    return content.getvalue()


def _steps(plan: tuple[Step, ...], prefix: str) -> list[dict[str, Any]]:
    # What Dropout does in use is nothing.
    return [_step(step, prefix) for step in plan if not isinstance(step.layer, Dropout)]


def _step(step: Step, prefix: str) -> dict[str, Any]:
    names = {p.name.rpartition("/")[2]: prefix + p.name for p in step.parameters}
    match step.layer:
        case Dense():
            return {"op": "dense", "bias": None} | names
        case Conv2D() as layer:
            sides = zip(step.input_shape[:2], step.output_shape[:2], strict=True)
            padding = [list(layer.zeros_around(size, output)) for size, output in sides]
            return {
                "op": "conv2d",
                "bias": None,
                "stride": layer.stride,
                "padding": padding,
            } | names
        case MaxPool(size):
            return {"op": "maxpool", "size": size}
        case BatchNorm(epsilon=epsilon):
            return {"op": "batchnorm", "epsilon": epsilon} | names
        case Residual():
            return {"op": "residual", "steps": _steps(step.inside, prefix)}
        case GlobalAveragePool() | ReLU() | Flatten():
            return {"op": type(step.layer).__name__.lower()}
    raise AssertionError(f"no reader was told of {step.layer}")
