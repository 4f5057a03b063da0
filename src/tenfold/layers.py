"""The layers as values: what each computes, its shapes and its parameters.

Knows nothing about how a layer is computed (`scratch`, `keras_engine`, `modelfile`) or put
together (`network`). Shapes are those of one picture, without the batch axis: (height, width,
channels) or (features,). Kernels have Keras's layout: Dense (in, out), Conv2D (height, width, in, out).
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tenfold.digits import SIDE
from tenfold.errors import RecipeError
from tenfold.values import check_choice, check_flag, check_number, check_type, check_whole

Shape = tuple[int, ...]
Initial = Literal["glorot_uniform", "zeros", "ones", "whitening"]

MAX_UNITS = 1_000_000


class Parameter(NamedTuple):
    """One array of a layer: its name in the layer, shape, whether it is trained, how it starts."""

    name: str
    shape: Shape
    trainable: bool
    initial: Initial

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class Dense:
    """z = x W + b, every input joined to every unit. A picture that enters it is flattened first."""

    units: int
    bias: bool = True

    def __post_init__(self) -> None:
        check_whole("Dense.units", self.units, 1, MAX_UNITS)
        check_flag("Dense.bias", self.bias)

    def output_shape(self, shape: Shape) -> Shape:
        return (self.units,)

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        kernel = Parameter("kernel", (*shape, self.units), True, "glorot_uniform")
        return (kernel, Parameter("bias", (self.units,), True, "zeros"))[: 1 + self.bias]


@dataclass(frozen=True)
class Conv2D:
    """Cross-correlation with `filters` square kernels. Padding "same" is Keras's: zeros, and the odd
    one out goes to the bottom and right; output side = ceil(side / stride)."""

    filters: int
    kernel: int = 3
    stride: int = 1
    padding: Literal["same", "valid"] = "same"
    bias: bool = True

    def __post_init__(self) -> None:
        check_whole("Conv2D.filters", self.filters, 1, MAX_UNITS)
        check_whole("Conv2D.kernel", self.kernel, 1, SIDE)
        check_whole("Conv2D.stride", self.stride, 1, SIDE)
        check_choice("Conv2D.padding", self.padding, ("same", "valid"))
        check_flag("Conv2D.bias", self.bias)

    def output_shape(self, shape: Shape) -> Shape:
        height, width, _ = _picture(self, shape)
        if self.padding == "same":
            return (-(-height // self.stride), -(-width // self.stride), self.filters)
        if min(height, width) < self.kernel:
            raise RecipeError(
                f"{self}: a kernel of {self.kernel} does not fit into a picture of {height}x{width}. "
                "Use a smaller kernel, padding='same' or less pooling before it."
            )
        side = ((size - self.kernel) // self.stride + 1 for size in (height, width))
        return (*side, self.filters)

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        kernel_shape = (self.kernel, self.kernel, shape[-1], self.filters)
        kernel = Parameter("kernel", kernel_shape, True, "glorot_uniform")
        return (kernel, Parameter("bias", (self.filters,), True, "zeros"))[: 1 + self.bias]

    def zeros_around(self, size: int, places: int) -> tuple[int, int]:
        """Zeros before and after `size` pixels that make room for `places` kernels; an odd one goes after."""
        missing = max((places - 1) * self.stride + self.kernel - size, 0)
        return missing // 2, missing - missing // 2


@dataclass(frozen=True)
class Whitening(Conv2D):
    """A first Conv2D that is not trained: its filters come in pairs, plus and minus a principal component
    of the training images' patches, divided by the standard deviation along it.

    What it gives has variance 1 in every direction that patches vary in, so training starts where it
    would have got to, and nothing has to find its way back through the layer.
    Source: Coates & Ng 2011 (whitened patches); Page 2019 and Jordan 2024 (frozen first layer, both signs).
    """

    filters: int = 16
    kernel: int = 5
    bias: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.filters % 2 or self.filters > 2 * self.kernel**2 or self.bias:
            raise RecipeError(
                f"{self}: expected an even number of filters, at most {2 * self.kernel**2} of {self.kernel}x"
                f"{self.kernel} pixels, and bias=False. Filters come in pairs, one for each component."
            )

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        return (
            Parameter("kernel", (self.kernel, self.kernel, 1, self.filters), False, "whitening"),
        )


@dataclass(frozen=True)
class MaxPool:
    """The largest of each `size` x `size` window, windows side by side; a remainder is dropped."""

    size: int = 2

    def __post_init__(self) -> None:
        check_whole("MaxPool.size", self.size, 1, SIDE)

    def output_shape(self, shape: Shape) -> Shape:
        height, width, channels = _picture(self, shape)
        if min(height, width) < self.size:
            raise RecipeError(
                f"{self}: a window of {self.size} does not fit into a picture of {height}x{width}. "
                "Pool less often, or with a smaller size."
            )
        return (height // self.size, width // self.size, channels)

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        return ()


@dataclass(frozen=True)
class GlobalAveragePool:
    """(height, width, channels) -> (channels,): the mean over all positions."""

    def output_shape(self, shape: Shape) -> Shape:
        return (_picture(self, shape)[-1],)

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        return ()


@dataclass(frozen=True)
class BatchNorm:
    """gamma (x - mean) / sqrt(variance + epsilon) + beta, for each channel (the last axis).

    Training uses the batch's mean and (biased) variance and moves the kept ones towards them:
    moving = momentum * moving + (1 - momentum) * batch. Use takes the moving ones.
    Source: Ioffe & Szegedy 2015; epsilon as in Keras. Momentum is 0.9, not Keras's 0.99, so that
    the moving statistics are right after a short training too.
    """

    momentum: float = 0.9
    epsilon: float = 1e-3

    def __post_init__(self) -> None:
        check_number("BatchNorm.momentum", self.momentum, 0.0, 1.0)
        check_number("BatchNorm.epsilon", self.epsilon, 1e-12, 1.0)

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        channels = (shape[-1],)
        return (
            Parameter("gamma", channels, True, "ones"),
            Parameter("beta", channels, True, "zeros"),
            Parameter("moving_mean", channels, False, "zeros"),
            Parameter("moving_variance", channels, False, "ones"),
        )


@dataclass(frozen=True)
class ReLU:
    """max(x, 0); its slope at 0 is taken as 0."""

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        return ()


@dataclass(frozen=True)
class Dropout:
    """In training, each value is 0 with probability `rate` and divided by 1 - rate otherwise."""

    rate: float

    def __post_init__(self) -> None:
        check_number("Dropout.rate", self.rate, 0.0, 1.0)

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        return ()


@dataclass(frozen=True)
class Flatten:
    """(height, width, channels) -> (height * width * channels,), row by row, channels innermost."""

    def output_shape(self, shape: Shape) -> Shape:
        return (math.prod(shape),)

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        return ()


@dataclass(frozen=True)
class Residual:
    """x + f(x), where f is the layers inside; they must keep the shape."""

    layers: "tuple[Layer, ...]"

    def __init__(self, *layers: "Layer") -> None:
        object.__setattr__(self, "layers", check_layers("Residual", layers))

    def output_shape(self, shape: Shape) -> Shape:
        inside = shape
        for layer in self.layers:
            inside = layer.output_shape(inside)
        if inside != shape:
            raise RecipeError(
                f"Residual: the layers inside turn {shape} into {inside}, which cannot be added to it. "
                "Keep the shape: padding='same', stride 1 and as many filters as channels."
            )
        return shape

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        return ()


Layer = (
    Dense
    | Conv2D
    | Whitening
    | MaxPool
    | GlobalAveragePool
    | BatchNorm
    | ReLU
    | Dropout
    | Flatten
    | Residual
)
LAYERS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        Dense, Conv2D, Whitening, MaxPool, GlobalAveragePool, BatchNorm, ReLU, Dropout, Flatten, Residual
    )
}  # fmt: skip


def check_layers(owner: str, layers: tuple["Layer", ...]) -> tuple["Layer", ...]:
    """At least one layer, and nothing but layers, or RecipeError."""
    if not layers:
        raise RecipeError(f"{owner}: expected at least one layer, received none.")
    for layer in layers:
        check_type(f"a layer of {owner}", layer, *LAYERS.values())
    return layers


def _picture(layer: Layer, shape: Shape) -> Shape:
    if len(shape) != 3:
        raise RecipeError(
            f"{layer}: expected a picture (height, width, channels), received {shape}. "
            "Put it before the first Flatten, Dense or GlobalAveragePool."
        )
    return shape
