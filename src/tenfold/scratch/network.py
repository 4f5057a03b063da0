"""A network at work: the layers of a `tenfold.network.Network`, built and put one after another.

All trained parameters lie in one vector and all their gradients in another; what a layer calls its
kernel is a view into the first. So an optimizer moves the whole network with a few long operations,
and a gradient can be checked with no word about layers.
"""

from collections.abc import Mapping

import numpy as np

from tenfold import layers as described
from tenfold.digits import Images
from tenfold.network import INPUT_SHAPE, PIXEL_SCALE, Network, Step
from tenfold.scratch.layers import Array, Arrays, BatchNorm, Dense, Dropout, Flatten, Layer, ReLU
from tenfold.scratch.spatial import Conv2D, GlobalAveragePool, MaxPool


class Residual(Layer):
    """What comes in, and what its own layers f make of it, added up. Source: He et al. 2016."""

    def __init__(self, step: Step, weights: Arrays, gradients: Arrays) -> None:
        super().__init__(step, weights, gradients)
        self.inside = build(step.inside, weights, gradients)

    def start_epoch(self, seed: int, epoch: int) -> None:
        for layer in self.inside:
            layer.start_epoch(seed, epoch)

    def use(self, x: Array) -> Array:
        """z = x + f(x)"""
        inside = x
        for layer in self.inside:
            inside = layer.use(inside)
        return x + inside

    def settle(self, x: Array) -> Array:
        inside = x
        for layer in self.inside:
            inside = layer.settle(inside)
        return x + inside

    def forward(self, x: Array) -> Array:
        inside = x
        for layer in self.inside:
            inside = layer.forward(inside)
        return x + inside

    def learn(self, dz: Array) -> None:
        """The way back through f"""
        inside = dz
        for layer in reversed(self.inside):
            layer.learn(inside)
            inside = layer.backward(inside)
        self.d_inside = inside

    def backward(self, dz: Array) -> Array:
        """dx = dz + dL/df f'(x): the sum's gradient goes both ways unchanged"""
        return dz + self.d_inside


LAYERS: dict[type[described.Layer], type[Layer]] = {
    described.Dense: Dense,
    described.Conv2D: Conv2D,
    described.Whitening: Conv2D,
    described.MaxPool: MaxPool,
    described.GlobalAveragePool: GlobalAveragePool,
    described.BatchNorm: BatchNorm,
    described.ReLU: ReLU,
    described.Dropout: Dropout,
    described.Flatten: Flatten,
    described.Residual: Residual,
}


def build(steps: tuple[Step, ...], weights: Arrays, gradients: Arrays) -> list[Layer]:
    """The layers that compute what `steps` describe, on views into a network's arrays."""
    return [LAYERS[type(step.layer)](step, weights, gradients) for step in steps]


class ScratchNetwork:
    """A network with its parameters and their gradients, and the way through it and back.

    Attributes:
        parameters: (p,) all trained numbers, in the order of the plan.
        gradient: (p,) dL/dparameters, as the last `backward` left it.
        weights: every array by its name: views into `parameters`, and the moving statistics.
    """

    def __init__(self, network: Network, weights: Mapping[str, Array]) -> None:
        """Starts from a copy of `weights`, all arrays of `network`, and computes in their dtype."""
        self._trained = [p for p in network.parameters if p.trainable]
        self.parameters = np.concatenate([weights[p.name].ravel() for p in self._trained])
        self.gradient = np.zeros_like(self.parameters)
        copies = {name: array.copy() for name, array in weights.items()}
        self.weights = copies | self.split(self.parameters)
        self._layers = build(network.plan, self.weights, self.split(self.gradient))
        self._first = next(i for i, step in enumerate(network.plan) if _learns(step))

    def split(self, vector: Array) -> Arrays:
        """A vector like `parameters` -> the array of each parameter in it, views by name."""
        ends = np.cumsum([p.size for p in self._trained])
        parts = np.split(vector, ends[:-1])
        return {p.name: part.reshape(p.shape) for p, part in zip(self._trained, parts, strict=True)}

    def start_epoch(self, seed: int, epoch: int) -> None:
        """What chance decides in training is from here on a function of (seed, epoch)."""
        for layer in self._layers:
            layer.start_epoch(seed, epoch)

    def use(self, images: Images) -> Array:
        """images uint8 (n, 28, 28) -> logits (n, 10), as in use"""
        x = self._scaled(images)
        for layer in self._layers:
            x = layer.use(x)
        return x

    def take_statistics(self, images: Images | Array) -> None:
        """Give every BatchNorm the mean and variance of these images (n, 28, 28), 0..255, with dropout off."""
        x = self._scaled(images)
        for layer in self._layers:
            x = layer.settle(x)

    def forward(self, images: Images | Array) -> Array:
        """images uint8 or float (n, 28, 28), 0..255 -> logits (n, 10), as in training; `backward` may follow"""
        x = self._scaled(images)
        for layer in self._layers:
            x = layer.forward(x)
        return x

    def backward(self, d_logits: Array) -> None:
        """dL/dlogits (n, 10) -> `gradient`, last layer first; below the first that learns, none asks."""
        dz = d_logits
        for layer in reversed(self._layers[self._first + 1 :]):
            layer.learn(dz)
            dz = layer.backward(dz)
        self._layers[self._first].learn(dz)

    def _scaled(self, images: Images | Array) -> Array:
        x = images.reshape(-1, *INPUT_SHAPE).astype(self.parameters.dtype)
        x *= PIXEL_SCALE
        return x


def _learns(step: Step) -> bool:
    return any(p.trainable for p in step.parameters) or any(_learns(inner) for inner in step.inside)
