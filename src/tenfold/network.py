"""A network is a value: a tuple of small frozen layers, and nothing else describes an architecture.

    SEED = Network(Dense(64), ReLU(), Dense(32), ReLU(), Dense(10))

Every reader (the NumPy engine, Keras, ONNX, the script, the counts below) walks `Network.plan`,
which gives each layer its name, its shapes and its parameters. Knows nothing about how a network
is computed or trained.

The input is a picture (28, 28, 1), row-major, channels last, scaled from 0..255 to 0..1 by every
reader as its first operation. The last layer gives ten logits; softmax belongs to the loss and to
`predict_proba`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from tenfold.digits import CLASSES, SIDE
from tenfold.errors import RecipeError
from tenfold.layers import (
    LAYERS,
    Conv2D,
    Dense,
    Flatten,
    Layer,
    Parameter,
    Residual,
    Shape,
    check_layers,
)
from tenfold.values import check_type, from_json, to_json

INPUT_SHAPE: Shape = (SIDE, SIDE, 1)
PIXEL_SCALE = 1 / 255

# A description read from a file must not be able to ask for all memory: both limits are tens of
# times what any digit classifier in the literature uses.
MAX_PARAMETERS = 50_000_000
MAX_ACTIVATIONS = 5_000_000


class Step(NamedTuple):
    """One layer in its place: what a reader needs to build it.

    `name` is the layer's class in lower case and its number among those of its class ("dense_1"),
    counted through the whole network. A Residual's own layers stand in `inside`.
    """

    name: str
    layer: Layer
    input_shape: Shape
    output_shape: Shape
    inside: "tuple[Step, ...]"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The layer's arrays, each under its full name, "dense_1/kernel"."""
        own = self.layer.parameters(self.input_shape)
        return tuple(p._replace(name=f"{self.name}/{p.name}") for p in own)

    @property
    def multiply_adds(self) -> int:
        """Multiplications with a weight, for one picture, forward."""
        if isinstance(self.layer, Dense):
            return self.parameters[0].size
        if isinstance(self.layer, Conv2D):
            return math.prod(self.output_shape[:2]) * self.parameters[0].size
        return 0


@dataclass(frozen=True)
class Network:
    """Layers in order, from a picture (28, 28, 1) to ten logits.

    Raises:
        RecipeError: a layer does not fit what comes before it, the last one does not give ten
            values, or the whole is larger than any digit classifier has reason to be.
    """

    layers: tuple[Layer, ...]

    def __init__(self, *layers: Layer) -> None:
        object.__setattr__(self, "layers", check_layers("Network", layers))
        self._check()

    def _check(self) -> None:
        output = self.plan[-1].output_shape
        if output != (CLASSES,):
            raise RecipeError(
                f"Network: expected the last layer to give ({CLASSES},) logits, received {output}. "
                f"End with Dense({CLASSES})."
            )
        kinds = [type(step.layer).__name__ for step in self.steps()]
        if "Whitening" in kinds[1:]:
            raise RecipeError(
                "Network: expected a Whitening as the very first layer, received one behind others. Put it first."
            )
        if not any(parameter.trainable for parameter in self.parameters):
            raise RecipeError(
                f"Network: expected a layer that learns, received none. End with Dense({CLASSES})."
            )
        largest = max(math.prod(step.output_shape) for step in self.steps())
        if self.parameter_count > MAX_PARAMETERS or largest > MAX_ACTIVATIONS:
            raise RecipeError(
                f"Network: expected at most {MAX_PARAMETERS:,} parameters and {MAX_ACTIVATIONS:,} values "
                f"in a layer, received {self.parameter_count:,} and {largest:,}."
            )

    @cached_property
    def plan(self) -> tuple[Step, ...]:
        """Every layer in its place; where a picture meets a Dense, the Flatten between them is here."""
        steps, _ = _plan(self.layers, INPUT_SHAPE, {})
        return steps

    def steps(self) -> Iterator[Step]:
        """The plan read through, each Residual followed by what is inside it."""
        return _through(self.plan)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All arrays in the order of the plan, trained and kept ones."""
        return tuple(p for step in self.steps() for p in step.parameters)

    @property
    def parameter_count(self) -> int:
        """Numbers in all arrays, the moving statistics of BatchNorm included (Keras's "Total params")."""
        return sum(p.size for p in self.parameters)

    @property
    def flops(self) -> int:
        """Floating-point operations for one picture, forward: two for each multiply-add with a weight.

        Training costs about three times as much (forward, and two products backward).
        """
        return 2 * sum(step.multiply_adds for step in self.steps())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `network_from_json` is the inverse."""
        return dict(to_json(self))


def network_from_json(payload: object) -> Network:
    """The inverse of `Network.to_json`; UsageError where it does not describe a Network."""
    try:
        return check_type("network", from_json(payload, {"Network": Network, **LAYERS}), Network)
    except RecursionError as error:
        raise RecipeError("Network: the description is nested too deeply to be one.") from error


def _plan(
    layers: tuple[Layer, ...], shape: Shape, counts: dict[str, int]
) -> tuple[tuple[Step, ...], Shape]:
    steps: list[Step] = []
    for layer in layers:
        if isinstance(layer, Dense) and len(shape) > 1:
            steps.append(_step(Flatten(), shape, counts))
            shape = steps[-1].output_shape
        steps.append(_step(layer, shape, counts))
        shape = steps[-1].output_shape
    return tuple(steps), shape


def _step(layer: Layer, shape: Shape, counts: dict[str, int]) -> Step:
    kind = type(layer).__name__.lower()
    counts[kind] = counts.get(kind, 0) + 1
    name = f"{kind}_{counts[kind]}"
    output_shape = layer.output_shape(shape)
    inside = _plan(layer.layers, shape, counts)[0] if isinstance(layer, Residual) else ()
    return Step(name, layer, shape, output_shape, inside)


def _through(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _through(step.inside)
