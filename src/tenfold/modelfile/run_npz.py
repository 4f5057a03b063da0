"""Runs a model that `tenfold export --format npz` wrote. Needs NumPy alone: copy this file, or read it.

model = load("digits.npz")
probabilities(model, images)  # uint8 (n, 28, 28), ink bright on 0 -> float32 (n, 10)
"""

import json
from typing import Any

import numpy as np


def load(file: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A path, or a file that is open -> (what the steps are, every array by its name)."""
    with np.load(file) as archive:
        arrays = dict(archive)
    return json.loads(arrays.pop("description").tobytes()), arrays


def probabilities(model: tuple[dict[str, Any], dict[str, Any]], images: Any) -> Any:
    """images uint8 (n, 28, 28) -> float32 (n, 10), rows sum to 1."""
    description, arrays = model
    pixels = images[..., None] * np.float32(description["pixel_scale"])
    padded = np.pad(pixels, ((0, 0), (4, 4), (4, 4), (0, 0)))
    answers = []
    for down, right in description["places"]:
        moved = padded[:, 4 - down : 32 - down, 4 - right : 32 - right]
        for steps in description["networks"]:
            logits = through(steps, arrays, moved)
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            answers.append(powers / powers.sum(axis=1, keepdims=True))
    return np.mean(answers, axis=0, dtype=np.float32)


def through(steps: list[dict[str, Any]], arrays: dict[str, Any], x: Any) -> Any:
    """What a network's steps make of x (n, height, width, channels)."""
    for step in steps:
        a: dict[str, Any] = {key: arrays.get(str(name)) for key, name in step.items()}
        match step["op"]:
            case "dense":
                x = x @ a["kernel"] + (0 if a["bias"] is None else a["bias"])
            case "conv2d":
                x = np.pad(x, ((0, 0), *step["padding"], (0, 0)))
                size = a["kernel"].shape[:2]
                windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))
                windows = windows[:, :: step["stride"], :: step["stride"]]  # (n, h, w, in, kh, kw)
                x = np.tensordot(windows, a["kernel"], ((4, 5, 3), (0, 1, 2))) + (
                    0 if a["bias"] is None else a["bias"]
                )
            case "batchnorm":
                scale = a["gamma"] / np.sqrt(a["moving_variance"] + step["epsilon"])
                x = (x - a["moving_mean"]) * scale + a["beta"]
            case "maxpool":
                k, (n, h, w, c) = step["size"], x.shape
                x = x[:, : h // k * k, : w // k * k].reshape(n, h // k, k, w // k, k, c).max((2, 4))
            case "globalaveragepool":
                x = x.mean(axis=(1, 2))
            case "relu":
                x = np.maximum(x, 0)
            case "flatten":
                x = x.reshape(len(x), -1)
            case "residual":
                x = x + through(step["steps"], arrays, x)
    return x
