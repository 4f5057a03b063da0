"""The layers at work: what each computes, and how a gradient finds its way back through it.

Every layer answers the same calls (see `Layer`), each beside the equation it computes. In the
equations `dz` is dL/dz, the gradient of the loss L with respect to what the layer gave; `dx` is
dL/dx, with respect to what it received; W' is W transposed. Arrays have one row for each image,
pictures are (n, height, width, channels), and all are of the parameters' dtype: float32 in use,
float64 where gradients are checked.

Knows nothing about losses, optimizers or the order of layers (`network`); the layers that look at
neighbouring pixels stand in `spatial`.
"""

from abc import ABC, abstractmethod
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tenfold import layers as described
from tenfold.network import Step
from tenfold.randomness import stream

Array = NDArray[np.floating[Any]]
Arrays = dict[str, Array]
"""Arrays under the full names of their parameters, "dense_1/kernel"."""


def channel_sum(x: Array) -> Array:
    """x (n, ..., channels) -> (channels,): the sum over images and, in pictures, over positions.

    First over images, one long row upon another, then over positions: several times faster than
    50,000 short rows, and exact to 1e-6 where 50,000 additions in a row are to 1e-3.
    """
    positions = np.add.reduce(x, axis=0).reshape(-1, x.shape[-1])
    total: Array = np.add.reduce(positions, axis=0)
    return total


def spread(vector: Array, x: Array) -> Array:
    """(channels,) -> the shape of one image of x, because NumPy adds a long row faster than many short."""
    return np.full(x.shape[1:], vector)


class Layer(ABC):
    """A function of x and of parameters, and the way back through it.

    `use` is what the layer does once training is over; it remembers nothing. In training `forward`
    remembers what the way back needs, `learn` takes dL/dz and puts dL/dparameters where the network
    wants them, and `backward`, called after it, gives dL/dx. They are two calls because the first
    layer is never asked for dL/dx, which would be a third of its work.
    """

    def __init__(self, step: Step, weights: Arrays, gradients: Arrays) -> None:
        """Both dictionaries hold the whole network's arrays; a layer takes its own."""
        self.name = step.name

    def start_epoch(self, seed: int, epoch: int) -> None:  # noqa: B027  few layers need it
        """Where nothing is left to chance, every epoch is like any other."""

    @abstractmethod
    def use(self, x: Array) -> Array: ...

    def forward(self, x: Array) -> Array:
        return self.use(x)

    def settle(self, x: Array) -> Array:
        """As `use`, but first a layer takes from x, once and for all, the statistics that it keeps."""
        return self.use(x)

    def learn(self, dz: Array) -> None:  # noqa: B027  few layers need it
        """Without parameters there is nothing to learn."""

    @abstractmethod
    def backward(self, dz: Array) -> Array: ...


class Dense(Layer):
    """Every input joined to every unit."""

    def __init__(self, step: Step, weights: Arrays, gradients: Arrays) -> None:
        super().__init__(step, weights, gradients)
        kernel, bias = f"{step.name}/kernel", f"{step.name}/bias"
        self.kernel, self.d_kernel = weights[kernel], gradients[kernel]
        self.bias, self.d_bias = weights.get(bias), gradients.get(bias)

    def use(self, x: Array) -> Array:
        """x (n, inputs) -> z (n, units):  z = x W + b"""
        z = x @ self.kernel
        if self.bias is not None:
            z += self.bias
        return z

    def forward(self, x: Array) -> Array:
        self.x = x
        return self.use(x)

    def learn(self, dz: Array) -> None:
        """dL/dW = x' dz,  dL/db = sum of dz over the images"""
        np.matmul(self.x.T, dz, out=self.d_kernel)
        if self.d_bias is not None:
            np.add.reduce(dz, axis=0, out=self.d_bias)

    def backward(self, dz: Array) -> Array:
        """dz (n, units) -> dx (n, inputs):  dx = dz W'"""
        return dz @ self.kernel.T


class ReLU(Layer):
    """Lets pass what is positive."""

    def use(self, x: Array) -> Array:
        """z = max(x, 0)"""
        return np.maximum(x, 0)

    def forward(self, x: Array) -> Array:
        self.x = x
        return self.use(x)

    def backward(self, dz: Array) -> Array:
        """dx = dz where x > 0, otherwise 0"""
        return dz * (self.x > 0)


class Dropout(Layer):
    """Forgets each value with probability `rate`, so that no unit can rely on one other.

    Source: Srivastava et al. 2014; dividing by 1 - rate in training ("inverted") leaves use as it is.
    """

    def __init__(self, step: Step, weights: Arrays, gradients: Arrays) -> None:
        super().__init__(step, weights, gradients)
        self.rate = cast(described.Dropout, step.layer).rate

    def start_epoch(self, seed: int, epoch: int) -> None:
        self._chance = stream(seed, "dropout", epoch, self.name)

    def use(self, x: Array) -> Array:
        """z = x"""
        return x

    def forward(self, x: Array) -> Array:
        """z = x k,  k = 1 / (1 - rate) with probability 1 - rate, otherwise 0"""
        kept = self._chance.random(x.shape, dtype=np.float32) >= self.rate
        self.factor = kept.astype(x.dtype) / (1 - self.rate)
        return x * self.factor

    def backward(self, dz: Array) -> Array:
        """dx = dz k"""
        return dz * self.factor


class Flatten(Layer):
    """Lays the values of a picture side by side."""

    def use(self, x: Array) -> Array:
        """x (n, height, width, channels) -> z (n, height * width * channels)"""
        return x.reshape(len(x), -1)

    def forward(self, x: Array) -> Array:
        self.shape = x.shape
        return self.use(x)

    def backward(self, dz: Array) -> Array:
        return dz.reshape(self.shape)


class BatchNorm(Layer):
    """Gives every channel mean 0 and variance 1 over the batch, then a scale and a place it learns.

    The sums run over everything but channels: images, and in a picture all positions. Training also
    moves the kept mean and variance towards the batch's; use takes those.
    Source: Ioffe & Szegedy 2015, Algorithm 1 and the derivatives in section 3.
    """

    def __init__(self, step: Step, weights: Arrays, gradients: Arrays) -> None:
        super().__init__(step, weights, gradients)
        layer = cast(described.BatchNorm, step.layer)
        self.momentum, self.epsilon = layer.momentum, layer.epsilon
        gamma, beta = f"{step.name}/gamma", f"{step.name}/beta"
        self.gamma, self.d_gamma = weights[gamma], gradients[gamma]
        self.beta, self.d_beta = weights[beta], gradients[beta]
        self.moving_mean = weights[f"{step.name}/moving_mean"]
        self.moving_variance = weights[f"{step.name}/moving_variance"]

    def use(self, x: Array) -> Array:
        """z = gamma (x - moving mean) / sqrt(moving variance + epsilon) + beta"""
        scale = self.gamma / np.sqrt(self.moving_variance + self.epsilon)
        return x * spread(scale, x) + spread(self.beta - self.moving_mean * scale, x)

    def settle(self, x: Array) -> Array:
        count = x.size // x.shape[-1]
        mean = channel_sum(x) / count
        self.moving_mean[...] = mean
        self.moving_variance[...] = channel_sum((x - spread(mean, x)) ** 2) / count
        return self.use(x)

    def forward(self, x: Array) -> Array:
        """u = (x - mean) / sigma,  sigma = sqrt(variance + epsilon),  z = gamma u + beta"""
        self.count = x.size // x.shape[-1]
        mean = channel_sum(x) / self.count
        u = x - spread(mean, x)
        variance = channel_sum(u * u) / self.count
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving *= self.momentum
            moving += (1 - self.momentum) * batch
        self.sigma = np.sqrt(variance + self.epsilon)
        u /= spread(self.sigma, x)
        self.u = u
        return u * spread(self.gamma, x) + spread(self.beta, x)

    def learn(self, dz: Array) -> None:
        """dL/dgamma = sum of dz u,  dL/dbeta = sum of dz"""
        self.d_gamma[...] = channel_sum(dz * self.u)
        self.d_beta[...] = channel_sum(dz)

    def backward(self, dz: Array) -> Array:
        """dx = gamma / sigma (dz - mean of dz - u mean of dz u): each x moves mean and sigma as well"""
        dx = dz - spread(self.d_beta / self.count, dz)
        dx -= self.u * spread(self.d_gamma / self.count, dz)
        dx *= spread(self.gamma / self.sigma, dz)
        return dx
