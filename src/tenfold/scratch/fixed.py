"""A finished network: as in use, nothing left to chance, with the way back from logits to pixels.

Training needs the gradient of the loss with respect to parameters, on batches, with dropout on. What a
finished network makes of a picture needs another: with respect to the pixels, each picture for itself.
So the layers that differ between training and use are put in their form of use here, with the way back
through that; all others are those of `layers` and `spatial`. Knows nothing about losses.
"""

from collections.abc import Mapping

import numpy as np

from tenfold import layers as described
from tenfold.digits import SIDE, Images
from tenfold.network import INPUT_SHAPE, PIXEL_SCALE, Network, Step
from tenfold.scratch.layers import Array, Arrays, BatchNorm, Dropout, Layer, spread
from tenfold.scratch.network import LAYERS


class FixedBatchNorm(BatchNorm):
    """A scale and a place for each channel; the statistics are the kept ones, whatever the batch."""

    def forward(self, x: Array) -> Array:
        return self.use(x)

    def backward(self, dz: Array) -> Array:
        """dx = dz gamma / sqrt(moving variance + epsilon)"""
        return dz * spread(self.gamma / np.sqrt(self.moving_variance + self.epsilon), dz)


class FixedDropout(Dropout):
    """Lets everything pass."""

    def forward(self, x: Array) -> Array:
        return x

    def backward(self, dz: Array) -> Array:
        return dz


class FixedResidual(Layer):
    """What comes in, and what its own fixed layers f make of it, added up."""

    def __init__(self, step: Step, weights: Arrays, gradients: Arrays) -> None:
        super().__init__(step, weights, gradients)
        self.inside = build_fixed(step.inside, weights, gradients)

    def use(self, x: Array) -> Array:
        return self.forward(x)

    def forward(self, x: Array) -> Array:
        """z = x + f(x)"""
        return x + forward_through(self.inside, x)

    def backward(self, dz: Array) -> Array:
        """dx = dz + dz f'(x)"""
        return dz + back_through(self.inside, dz)


FIXED: dict[type[described.Layer], type[Layer]] = LAYERS | {
    described.BatchNorm: FixedBatchNorm,
    described.Dropout: FixedDropout,
    described.Residual: FixedResidual,
}


def build_fixed(steps: tuple[Step, ...], weights: Arrays, gradients: Arrays) -> list[Layer]:
    """The layers that compute what `steps` describe, in their form of use."""
    return [FIXED[type(step.layer)](step, weights, gradients) for step in steps]


def forward_through(layers: list[Layer], x: Array) -> Array:
    """x through all layers, each remembering what the way back needs."""
    for layer in layers:
        x = layer.forward(x)
    return x


def back_through(layers: list[Layer], dz: Array) -> Array:
    """dL/dz of what the last layer gave -> dL/dx of what the first received; parameters learn nothing."""
    for layer in reversed(layers):
        dz = layer.backward(dz)
    return dz


class FixedNetwork:
    """A network in use: pictures to logits, gradients back to pixels, and what its last layer looks at.

    It computes in the dtype of its weights. A call remembers what `pixel_gradient` needs, so two threads
    need two of them.
    """

    def __init__(self, network: Network, weights: Mapping[str, Array]) -> None:
        """`weights`: all arrays of `network`; they are not copied and never changed."""
        arrays = dict(weights)
        # The layers ask where gradients of parameters go; nobody asks them to learn.
        unused: Arrays = {p.name: np.empty(0) for p in network.parameters if p.trainable}
        self._dtype = next(iter(arrays.values())).dtype
        self._layers = build_fixed(network.plan, arrays, unused)

    def logits(self, images: Images | Array) -> Array:
        """images (n, 28, 28), uint8 or float 0..255 -> logits (n, 10); `pixel_gradient` may follow."""
        return forward_through(self._layers, self._scaled(images))

    def hidden(self, images: Images | Array) -> Array:
        """images (n, 28, 28), uint8 or float 0..255 -> (n, h): what the last layer receives, laid side by side."""
        x = self._scaled(images)
        for layer in self._layers[:-1]:
            x = layer.use(x)
        return x.reshape(len(x), -1)

    def pixel_gradient(self, d_logits: Array) -> Array:
        """dL/dlogits (n, 10) of the last `logits` -> dL/dpixels (n, 28, 28), for pixels 0..255."""
        return back_through(self._layers, d_logits).reshape(-1, SIDE, SIDE) * PIXEL_SCALE

    def _scaled(self, images: Images | Array) -> Array:
        return images.reshape(-1, *INPUT_SHAPE).astype(self._dtype) * PIXEL_SCALE
