"""The layers at work, in NumPy alone: what each computes, and how an error flows back through it.

Every layer answers the same four calls (see `Layer`), and each stands beside the equation it
computes. `dz` is the gradient of the loss L with respect to what the layer gave, dL/dz; `dx` with
respect to what it received. Pictures are (n, height, width, channels), everything else (n, features).
All arrays have the dtype of the parameters: float32 in use, float64 where gradients are checked.

Knows nothing about losses, optimizers or the order of layers (`network`); the layers that look at
a picture's neighbouring pixels stand in `spatial`.
"""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tenfold import layers as described
from tenfold.network import Step

Array = NDArray[np.floating[Any]]
Arrays = dict[str, Array]
"""Arrays under the full names of their parameters, "dense_1/kernel"."""


class Layer:
    """One layer of a network: a function of x and of parameters, and the way back through it.

    `use` is what the layer does once training is over; it remembers nothing. In training, `forward`
    remembers what the way back needs, `learn` writes dL/dparameters where the network wants them,
    and then `backward` gives dL/dx. These are two calls because the first layer of a network is
    never asked for dL/dx, which would be a third of its work.
    """

    def __init__(self, step: Step, weights: Arrays, gradients: Arrays) -> None:
        """`weights` and `gradients` hold the network's arrays; a layer reads and fills its own."""
        self.name = step.name

    def use(self, x: Array) -> Array:
        raise NotImplementedError

    def forward(self, x: Array) -> Array:
        return self.use(x)

    def learn(self, dz: Array) -> None:
        """Without parameters there is nothing to learn."""

    def backward(self, dz: Array) -> Array:
        raise NotImplementedError


class Dense(Layer):
    """Every input joined to every unit, each joint with a weight."""

    def __init__(self, step: Step, weights: Arrays, gradients: Arrays) -> None:
        super().__init__(step, weights, gradients)
        self.kernel = weights[f"{step.name}/kernel"]
        self.d_kernel = gradients[f"{step.name}/kernel"]
        self.bias = weights.get(f"{step.name}/bias")
        self.d_bias = gradients.get(f"{step.name}/bias")

    def use(self, x: Array) -> Array:
        """X (n, inputs) -> z (n, units):  z = x W + b."""
        z = x @ self.kernel
        if self.bias is not None:
            z += self.bias
        return z

    def forward(self, x: Array) -> Array:
        self.x = x
        return self.use(x)

    def learn(self, dz: Array) -> None:
        """dL/dW = x' dz,  dL/db = the sum of dz over n."""
        np.matmul(self.x.T, dz, out=self.d_kernel)
        if self.d_bias is not None:
            np.add.reduce(dz, axis=0, out=self.d_bias)

    def backward(self, dz: Array) -> Array:
        """Dz (n, units) -> dx (n, inputs):  dL/dx = dz W'."""
        return dz @ self.kernel.T


class ReLU(Layer):
    """Lets what is positive pass."""

    def use(self, x: Array) -> Array:
        """z = max(x, 0)"""
        return np.maximum(x, 0)

    def forward(self, x: Array) -> Array:
        self.x = x
        return self.use(x)

    def backward(self, dz: Array) -> Array:
        """dL/dx = dz where x > 0, and 0 elsewhere"""
        return dz * (self.x > 0)
