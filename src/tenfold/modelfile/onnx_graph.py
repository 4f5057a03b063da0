"""Networks and weights -> one self-contained ONNX file, written node by node from `Network.plan`.

The graph takes `images`, uint8 (n, 28, 28), for any n, scales them itself and gives `probabilities`,
float32 (n, 10). Its nodes and arrays bear the names of the plan, so a viewer shows the network as it
was written down; those of several networks stand behind a prefix each. Test-time shifts put all places
of the pictures into one batch, so a network, and each of its arrays, is in the file once. The same
networks and weights give the same bytes. Knows nothing about files, or about what runs the graph.

ONNX keeps pictures as (n, channels, height, width), the plan as (n, height, width, channels):
kernels are turned once here, and pictures before they are flattened.
Source: the operator descriptions of ONNX opset 14, https://onnx.ai/onnx/operators/
"""

import copy
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tenfold.classifiers import places
from tenfold.digits import CLASSES, SIDE
from tenfold.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Residual,
)
from tenfold.modelfile.native import INPUT, OUTPUT, REJECT_BELOW, prefixes
from tenfold.network import PIXEL_SCALE, Step
from tenfold.weights import Member, Weights, check_weights

# ONNX 1.9 of 2021, old enough for any runtime: the first opset in which BatchNormalization says
# whether it trains. ONNX's own evaluator takes the one before for training and uses the batch's mean.
OPSET = 14
IR_VERSION = 7


def to_onnx(members: Sequence[Member], *, shifts: int = 0, reject_below: float = 0.0) -> bytes:
    """An ONNX model, serialised: images uint8 (n, 28, 28) -> probabilities float32 (n, 10).

    Args:
        members: at least one; the model gives the mean of their probabilities.
        shifts: pixels; the model gives the mean over the picture at these `classifiers.places`.
        reject_below: goes into the model's metadata, where it is not 0; see `native.Model`.

    Raises:
        ModelError: weights do not belong to their network, or are not finite.
    """
    graph = _Graph()
    scale = graph.array("pixel_scale", np.array(PIXEL_SCALE, np.float32))
    pixels = graph.node("Cast", "pixels", INPUT, to=TensorProto.FLOAT)
    scaled = graph.node("Mul", "scaled", pixels, scale)
    if shifts:
        scaled = _at_all_places(graph, scaled, shifts)
    picture = graph.node("Unsqueeze", "picture", scaled, graph.array("channel_axis", np.array([1])))
    answer = "at_each_place" if shifts else OUTPUT
    answers = []
    for prefix, (network, weights) in zip(prefixes(len(members)), members, strict=True):
        part = graph.part(prefix, check_weights(network, weights))
        answers.append(part.node("Softmax", answer, _chain(part, network.plan, picture), axis=1))
    if len(answers) > 1:
        graph.node("Mean", answer, *answers)
    if shifts:
        shape = graph.array("place_picture_digit", np.array([len(places(shifts)), -1, CLASSES]))
        by_place = graph.node("Reshape", "by_place", answer, shape)
        graph.node("ReduceMean", OUTPUT, by_place, axes=[0], keepdims=0)
    return graph.serialise({REJECT_BELOW: repr(reject_below)} if reject_below else {})


class _Graph:
    """The nodes and arrays of a graph so far. A node bears the name of what it gives."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._arrays: list[Any] = []
        self._prefix = ""
        self._weights: Weights = {}

    def part(self, prefix: str, weights: Weights) -> "_Graph":
        """The same graph, for a network with these weights: the names of what it appends begin with `prefix`."""
        part = copy.copy(self)  # the lists are shared
        part._prefix, part._weights = prefix, weights
        return part

    def node(self, operator: str, name: str, *inputs: str, **attributes: object) -> str:
        """Append a node -> the name of its output."""
        name = self._prefix + name
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def array(self, name: str, value: NDArray[Any]) -> str:
        """Append an array -> its name."""
        name = self._prefix + name
        self._arrays.append(numpy_helper.from_array(value, name))
        return name

    def weights(self, step: Step) -> list[str]:
        """Append a step's arrays -> their names."""
        arrays = {p.name: self._weights[p.name] for p in step.parameters}
        return [
            # A picture's kernel: (height, width, in, out) here, (out, in, height, width) in ONNX.
            self.array(name, array.transpose(3, 2, 0, 1) if array.ndim == 4 else array)
            for name, array in arrays.items()
        ]

    def serialise(self, metadata: dict[str, str]) -> bytes:
        """The whole as an ONNX model."""
        images = helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["n", SIDE, SIDE])
        images.doc_string = "Pictures of one digit each, ink bright (255) on 0, framed as in MNIST."
        output = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", CLASSES])
        output.doc_string = "How likely each picture is to show 0, 1, ..., 9; rows sum to 1."
        graph = helper.make_graph(self._nodes, "digits", [images], [output], self._arrays)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="tenfold",
            producer_version=version("tenfold"),
        )
        helper.set_model_props(model, metadata)
        return bytes(model.SerializeToString(deterministic=True))


def _at_all_places(graph: _Graph, pictures: str, shifts: int) -> str:
    """Append what moves pictures (n, 28, 28) -> the name of (k n, 28, 28), k places one after the other."""
    pads = graph.array("padding", np.array([0, shifts, shifts, 0, shifts, shifts]))
    padded = graph.node("Pad", "padded", pictures, pads)
    axes = graph.array("rows_and_columns", np.array([1, 2]))
    at_places = []
    for number, place in enumerate(places(shifts), 1):
        corner = shifts - np.array(place)
        start = graph.array(f"place_{number}/start", corner)
        end = graph.array(f"place_{number}/end", corner + SIDE)
        at_places.append(graph.node("Slice", f"place_{number}", padded, start, end, axes))
    return graph.node("Concat", "at_all_places", *at_places, axis=0)


def _chain(graph: _Graph, steps: tuple[Step, ...], x: str) -> str:
    for step in steps:
        x = _node(graph, step, x)
    return x


def _node(graph: _Graph, step: Step, x: str) -> str:
    """Append what computes `step` from the tensor `x` -> the name of its output."""
    match step.layer:
        case Dense():
            return graph.node("Gemm", step.name, x, *graph.weights(step))
        case Conv2D() as layer:
            return _conv2d(graph, step, layer, x)
        case MaxPool(size):
            window = [size, size]
            return graph.node("MaxPool", step.name, x, kernel_shape=window, strides=window)
        case GlobalAveragePool():
            return graph.node("ReduceMean", step.name, x, axes=[2, 3], keepdims=0)
        case BatchNorm(epsilon=epsilon):
            arrays = graph.weights(step)
            return graph.node("BatchNormalization", step.name, x, *arrays, epsilon=epsilon)
        case ReLU():
            return graph.node("Relu", step.name, x)
        case Dropout():
            return x
        case Flatten():
            return _flatten(graph, step, x)
        case Residual():
            return graph.node("Add", step.name, x, _chain(graph, step.inside, x))


def _conv2d(graph: _Graph, step: Step, layer: Conv2D, x: str) -> str:
    top, bottom = layer.zeros_around(step.input_shape[0], step.output_shape[0])
    left, right = layer.zeros_around(step.input_shape[1], step.output_shape[1])
    return graph.node(
        "Conv",
        step.name,
        x,
        *graph.weights(step),
        kernel_shape=[layer.kernel, layer.kernel],
        strides=[layer.stride, layer.stride],
        pads=[top, left, bottom, right],
    )


def _flatten(graph: _Graph, step: Step, x: str) -> str:
    # With one channel, both orders of the axes are the same sequence of numbers.
    if len(step.input_shape) == 3 and step.input_shape[-1] > 1:
        x = graph.node("Transpose", f"{step.name}_channels_last", x, perm=[0, 2, 3, 1])
    return graph.node("Flatten", step.name, x, axis=1)
