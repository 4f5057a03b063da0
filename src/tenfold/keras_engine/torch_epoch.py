"""Training and use on PyTorch: steps taken one by one, without a compiler."""

import keras
import numpy as np
import torch
from keras import ops
from numpy.typing import NDArray

from tenfold.digits import Digits, Images
from tenfold.keras_engine.objective import Logits, RunEpoch, loss_and_correct


def compile_epoch(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, *, train: Digits
) -> RunEpoch:
    """The epoch function (see `objective.RunEpoch`) for a model and an optimizer on `train`."""
    images = ops.convert_to_tensor(train.images[..., None])
    labels = ops.convert_to_tensor(train.known_labels.astype(np.int32))
    trained = model.trainable_variables

    def step(rows: torch.Tensor, rate: float) -> tuple[torch.Tensor, torch.Tensor]:
        loss, right = loss_and_correct(model(images[rows], training=True), labels[rows])
        gradients = torch.autograd.grad(loss, [variable.value for variable in trained])
        with torch.no_grad():
            optimizer.learning_rate.assign(rate)
            optimizer.apply(gradients, trained)
        return loss.detach(), right

    def run(
        batches: NDArray[np.int32], rates: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], int]:
        on_device = ops.convert_to_tensor(batches)
        results = [step(rows, rate) for rows, rate in zip(on_device, rates, strict=True)]
        losses, right = (torch.stack(column) for column in zip(*results, strict=True))
        return losses.cpu().numpy(), int(right.sum())

    return run


def compile_logits(model: keras.Model) -> Logits:
    """The model as in use."""

    def logits(images: Images) -> NDArray[np.float32]:
        with torch.no_grad():
            return np.asarray(model(ops.convert_to_tensor(images), training=False).cpu())

    return logits
