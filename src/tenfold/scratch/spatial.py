"""The layers that look at neighbouring pixels: convolution and pooling, forward and backward.

They keep to what `layers` says of every layer. Channels come last, so the values of one pixel lie
side by side in memory and one matrix product mixes them.
"""

import math
from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tenfold import layers as described
from tenfold.network import Step
from tenfold.scratch.layers import Array, Arrays, Layer, channel_sum, spread

# How many values of patches are copied out at a time: 1 MB of float32, which stays in a processor's
# cache until the product has read it. A whole batch at once takes a third to two thirds longer.
PATCH_VALUES = 2**18


def patches(x: Array, side: int, *, stride: int = 1) -> Array:
    """x (n, height, width, c) -> (n, down, across, side, side, c), a view: what a window of
    side x side sees on each place, `stride` pixels apart, that it can be laid on."""
    windows = sliding_window_view(x, (side, side), axis=(1, 2))
    return windows[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)


def rows(seen: Array) -> Iterator[tuple[slice, Array]]:
    """Patches (n, down, across, k, k, c) -> a few images at a time: which, and their patches as the
    rows of a matrix (places, k * k * c)."""
    few = max(1, PATCH_VALUES // math.prod(seen.shape[1:]))
    patch = math.prod(seen.shape[3:])
    for start in range(0, len(seen), few):
        part = slice(start, start + few)
        if seen.shape[-1] == 1:
            # Grey pixels lie together along the picture, not through channels: copied column by column,
            # the same matrix takes half the time.
            yield part, seen[part].transpose(3, 4, 5, 0, 1, 2).reshape(patch, -1).T
        else:
            yield part, seen[part].reshape(-1, patch)


def correlate(seen: Array, kernel: Array) -> Array:
    """Patches (n, down, across, k, k, c) and kernel (k, k, c, f) -> z (n, down, across, f):
    z[n, r, q] = sum over i, j of seen[n, r, q, i, j] K[i, j], in matrices Z = P K.

    Source: Chellapilla, Puri & Simard 2006 (convolution as one product of matrices).
    """
    filters = kernel.shape[-1]
    z = np.empty((*seen.shape[:3], filters), kernel.dtype)
    for part, matrix in rows(seen):
        np.matmul(matrix, kernel.reshape(-1, filters), out=z[part].reshape(-1, filters))
    return z


class Conv2D(Layer):
    """The same small kernel laid on every place of the picture."""

    def __init__(self, step: Step, weights: Arrays, gradients: Arrays) -> None:
        super().__init__(step, weights, gradients)
        kernel, bias = f"{step.name}/kernel", f"{step.name}/bias"
        # A kernel that is not trained has no gradient; its layer is the first, which nobody asks to learn.
        self.kernel, self.d_kernel = weights[kernel], gradients.get(kernel, np.empty(0))
        self.bias, self.d_bias = weights.get(bias), gradients.get(bias)
        layer = cast(described.Conv2D, step.layer)
        self.side, self.stride = layer.kernel, layer.stride
        self.height, self.width, _ = step.input_shape
        down, across, _ = step.output_shape
        self.above, below = layer.zeros_around(self.height, down)
        self.left, right = layer.zeros_around(self.width, across)
        self.margins = ((0, 0), (self.above, below), (self.left, right), (0, 0))

    def _seen(self, x: Array) -> Array:
        return patches(np.pad(x, self.margins), self.side, stride=self.stride)

    def _filtered(self, seen: Array) -> Array:
        z = correlate(seen, self.kernel)
        if self.bias is not None:
            z += spread(self.bias, z)
        return z

    def use(self, x: Array) -> Array:
        """z[n, r, q] = sum over i, j of x[n, r s + i, q s + j] K[i, j] + b, with s the stride"""
        return self._filtered(self._seen(x))

    def forward(self, x: Array) -> Array:
        self.seen = self._seen(x)
        return self._filtered(self.seen)

    def learn(self, dz: Array) -> None:
        """dL/dK[i, j] = sum over n, r, q of x[n, r s + i, q s + j]' dz[n, r, q],  dL/db = sum of dz"""
        filters = dz.shape[-1]
        self.d_kernel[...] = 0
        for part, matrix in rows(self.seen):
            self.d_kernel += (matrix.T @ dz[part].reshape(-1, filters)).reshape(self.d_kernel.shape)
        if self.d_bias is not None:
            self.d_bias[...] = channel_sum(dz)

    def backward(self, dz: Array) -> Array:
        """dx[n, u, v] = sum of dz[n, r, q] K[i, j]' over all r s + i = u and q s + j = v

        This is a correlation too, of dz with the kernel turned round: dz is laid out s pixels apart,
        with zeros around it for the kernels that reached over the edge.
        """
        n, down, across, filters = dz.shape
        room = self.side - 1
        apart = np.zeros((n, self.height + room, self.width + room, filters), dz.dtype)
        r = slice(room - self.above, room - self.above + down * self.stride, self.stride)
        q = slice(room - self.left, room - self.left + across * self.stride, self.stride)
        apart[:, r, q] = dz
        turned = self.kernel[::-1, ::-1].swapaxes(2, 3)
        return correlate(patches(apart, self.side), np.ascontiguousarray(turned))


class MaxPool(Layer):
    """The largest of each window, windows side by side; a remainder at the far edges is dropped."""

    def __init__(self, step: Step, weights: Arrays, gradients: Arrays) -> None:
        super().__init__(step, weights, gradients)
        size = cast(described.MaxPool, step.layer).size
        down, across, _ = step.output_shape
        # x[:, r, q] for each pixel of the window: what it sees as the window goes from place to place.
        self.pixels = [
            (slice(i, size * down, size), slice(j, size * across, size))
            for i, j in np.ndindex(size, size)
        ]

    def use(self, x: Array) -> Array:
        """z = max of x over the window"""
        (down, across), *others = self.pixels
        z = x[:, down, across].copy()
        for down, across in others:
            np.maximum(z, x[:, down, across], out=z)
        return z

    def forward(self, x: Array) -> Array:
        self.x = x
        self.z = self.use(x)
        return self.z

    def backward(self, dz: Array) -> Array:
        """dx = dz at the first pixel of the window, row by row, that is the largest; otherwise 0"""
        dx = np.zeros_like(self.x)
        *before, (last_down, last_across) = self.pixels
        left = dz
        for down, across in before:
            taken = left * (self.x[:, down, across] == self.z)
            dx[:, down, across] = taken
            left = left - taken
        dx[:, last_down, last_across] = left
        return dx


class GlobalAveragePool(Layer):
    """One number for each channel: its mean over all positions."""

    def use(self, x: Array) -> Array:
        """x (n, height, width, channels) -> z (n, channels):  z = mean of x over the positions"""
        z: Array = x.mean(axis=(1, 2))
        return z

    def forward(self, x: Array) -> Array:
        self.shape = x.shape
        return self.use(x)

    def backward(self, dz: Array) -> Array:
        """dx = dz / positions, at each of them"""
        _, height, width, _ = self.shape
        return np.broadcast_to((dz / (height * width))[:, None, None], self.shape)
