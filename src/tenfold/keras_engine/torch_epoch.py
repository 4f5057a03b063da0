"""Training and use on PyTorch: steps taken one by one, without a compiler."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import torch
from keras import ops
from numpy.typing import NDArray

from tenfold.augmentation import Warps
from tenfold.digits import Images
from tenfold.engine import Course
from tenfold.keras_engine.augment import warp
from tenfold.keras_engine.objective import Logits, RunEpoch, Training, follow, loss_and_correct

BatchNormalization = keras.layers.BatchNormalization


def compile_epoch(training: Training) -> RunEpoch:
    """The epoch function (see `objective.RunEpoch`) for a training."""
    model, optimizer, trained = training.model, training.optimizer, training.trained
    images = ops.convert_to_tensor(training.images[..., None])
    labels = ops.convert_to_tensor(training.labels)
    targets = ops.convert_to_tensor(training.targets)

    def step(
        rows: torch.Tensor, rate: float, decay: float, warps: Warps | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        pictures = images[rows]
        if warps is not None:
            pictures = warp(pictures, Warps(*map(_taken(rows), warps)))
        loss, right = loss_and_correct(model(pictures, training=True), targets[rows], labels[rows])
        gradients = torch.autograd.grad(loss, [variable.value for variable in trained])
        with torch.no_grad():
            optimizer.learning_rate.assign(rate)
            optimizer.apply(gradients, trained)
            for average, weights in zip(training.averages, trained, strict=False):
                average.assign(follow(average.value, weights.value, decay))
        return loss.detach(), right

    def run(course: Course) -> tuple[NDArray[np.float32], int]:
        warps = course.warps and Warps(*map(_on_device, course.warps))
        now = zip(_on_device(course.rows), course.rates, course.decays, strict=True)
        results = [step(rows, rate, decay, warps) for rows, rate, decay in now]
        losses, right = (torch.stack(column) for column in zip(*results, strict=True))
        return losses.cpu().numpy(), int(right.sum())

    return run


def _on_device(part: Any) -> Any:
    return ops.convert_to_tensor(part) if isinstance(part, np.ndarray) else part


def _taken(rows: torch.Tensor) -> Callable[[Any], Any]:
    """What takes the part of each image at `rows` and leaves what is one for all images."""
    return lambda part: part[rows] if isinstance(part, torch.Tensor) else part


def compile_logits(model: keras.Model) -> Logits:
    """The model as in use."""

    def logits(images: Images) -> NDArray[np.float32]:
        with torch.no_grad():
            return np.asarray(model(ops.convert_to_tensor(images), training=False).cpu())

    return logits
