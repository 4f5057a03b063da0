import math

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

from tenfold.errors import ModelError, RecipeError
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
from tenfold.modelfile import OnnxClassifier
from tenfold.modelfile.onnx_graph import to_onnx
from tenfold.network import Network

# float32 carries 7 digits; sums over a few hundred inputs and a softmax lose at most two of them.
ROUNDING = 1e-5


def run(network, weights, images):
    return OnnxClassifier(to_onnx([(network, weights)]), source="test").predict_proba(images)


def convolved(layer, kernel, x):
    """x (n, h, w, in), kernel (k, k, in, out); "same" pads as TensorFlow's manual states it."""
    if layer.padding == "same":
        k, s = layer.kernel, layer.stride
        lacking = [max(k - (size % s or s), 0) for size in x.shape[1:3]]
        x = np.pad(x, ((0, 0), *((n // 2, n - n // 2) for n in lacking), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (layer.kernel,) * 2, (1, 2))
    windows = windows[:, :: layer.stride, :: layer.stride]
    return np.einsum("nhwcij,ijco->nhwo", windows, kernel)


def reference(steps, weights, x):
    """The network by definition, float64, channels last."""
    for step in steps:
        layer = step.layer
        arrays = [weights[p.name].astype(np.float64) for p in step.parameters]
        if isinstance(layer, Dense):
            x = x @ arrays[0] + (arrays[1] if layer.bias else 0)
        elif isinstance(layer, Conv2D):
            x = convolved(layer, arrays[0], x) + (arrays[1] if layer.bias else 0)
        elif isinstance(layer, MaxPool):
            windows = np.lib.stride_tricks.sliding_window_view(x, (layer.size,) * 2, (1, 2))
            x = windows[:, :: layer.size, :: layer.size].max(axis=(-2, -1))
        elif isinstance(layer, GlobalAveragePool):
            x = x.mean(axis=(1, 2))
        elif isinstance(layer, BatchNorm):
            gamma, beta, mean, variance = arrays
            x = gamma * (x - mean) / np.sqrt(variance + layer.epsilon) + beta
        elif isinstance(layer, ReLU):
            x = np.maximum(x, 0)
        elif isinstance(layer, Flatten):
            x = x.reshape(len(x), -1)
        elif isinstance(layer, Residual):
            x = x + reference(step.inside, weights, x)
    return x


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_with_a_kernel_of_zeros_the_probabilities_are_the_softmax_of_the_bias():
    bias = np.log(np.arange(1, 11, dtype=np.float32))
    weights = {"dense_1/kernel": np.zeros((784, 10), np.float32), "dense_1/bias": bias}
    # exp(log k) = k, so digit k - 1 has probability k / 55.
    expected = np.arange(1, 11) / 55
    images = np.full((2, 28, 28), 200, np.uint8)
    assert run(Network(Dense(10)), weights, images) == pytest.approx(
        np.stack([expected] * 2), abs=1e-7
    )


def test_pixels_are_divided_by_255_and_read_row_by_row():
    kernel = np.zeros((784, 10), np.float32)
    kernel[28 * 3 + 5, 7] = 2.0
    weights = {"dense_1/kernel": kernel}
    images = np.zeros((1, 28, 28), np.uint8)
    images[0, 3, 5] = 51
    # Logit 7 is 2 * 51 / 255 = 0.4, the other nine are 0.
    expected = math.exp(0.4) / (math.exp(0.4) + 9)
    probabilities = run(Network(Dense(10, bias=False)), weights, images)
    assert probabilities[0, 7] == pytest.approx(expected, abs=1e-7)


def test_an_even_same_kernel_pads_below_and_to_the_right():
    # A 2x2 kernel that looks only at its lower right pixel moves the picture up and left by one.
    network = Network(Conv2D(1, 2, bias=False), Dense(10, bias=False))
    look = np.zeros((2, 2, 1, 1), np.float32)
    look[1, 1] = 1
    kernel = np.zeros((784, 10), np.float32)
    kernel[28 * 9 + 9, 4] = 1
    images = np.zeros((1, 28, 28), np.uint8)
    images[0, 10, 10] = 255
    weights = {"conv2d_1/kernel": look, "dense_1/kernel": kernel}
    assert run(network, weights, images)[0, 4] == pytest.approx(math.e / (math.e + 9), abs=1e-7)


def test_a_flattened_picture_has_its_channels_innermost():
    # Channel 1 is twice the picture; value 2 * position + 1 of the flat row belongs to it.
    network = Network(Conv2D(2, 1, bias=False), Flatten(), Dense(10, bias=False))
    kernel = np.zeros((1568, 10), np.float32)
    kernel[2 * (28 * 6 + 20) + 1, 3] = 1
    images = np.zeros((1, 28, 28), np.uint8)
    images[0, 6, 20] = 255
    weights = {
        "conv2d_1/kernel": np.array([1, 2], np.float32).reshape(1, 1, 1, 2),
        "dense_1/kernel": kernel,
    }
    expected = math.exp(2) / (math.exp(2) + 9)
    assert run(network, weights, images)[0, 3] == pytest.approx(expected, abs=1e-7)


@st.composite
def networks(draw):
    """Up to four picture layers, then flat ones, then Dense(10); what does not fit is drawn again."""
    convolution = st.builds(
        Conv2D,
        st.integers(1, 3),
        st.integers(1, 5),
        st.integers(1, 4),
        st.sampled_from(["same", "valid"]),
        st.booleans(),
    )
    simple = st.sampled_from([BatchNorm(), BatchNorm(epsilon=0.1), ReLU(), Dropout(0.5)])
    picture = convolution | simple | st.builds(MaxPool, st.integers(1, 3))
    layers = draw(st.lists(picture, max_size=4))
    if draw(st.booleans()):
        filters = [layer.filters for layer in layers if isinstance(layer, Conv2D)]
        same = Conv2D((filters or [1])[-1], draw(st.integers(1, 4)))
        layers.append(Residual(*draw(st.lists(simple, max_size=2)), same, Residual(ReLU())))
    layers += draw(st.sampled_from([[], [Flatten()], [GlobalAveragePool()]]))
    layers += draw(st.lists(simple | st.builds(Dense, st.integers(1, 6)), max_size=3))
    return [*layers, Dense(10, draw(st.booleans()))]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(layers=networks())
def test_any_network_is_what_its_definition_says(layers, draw_weights, noise):
    try:
        network = Network(*layers)
    except RecipeError:  # a window larger than the picture that is left
        return
    weights = draw_weights(network)
    expected = softmax(reference(network.plan, weights, noise[..., None] / 255))
    raw = to_onnx([(network, weights)])
    assert run(network, weights, noise) == pytest.approx(expected, abs=ROUNDING)
    # The authors' own slow evaluator reads the graph the same way as onnxruntime.
    (theirs,) = ReferenceEvaluator(raw).run(None, {"images": noise[:2]})
    assert theirs == pytest.approx(expected[:2], abs=ROUNDING)


def test_the_graph_passes_the_checker_and_every_shape_follows_for_any_batch(
    mixed_network, draw_weights
):
    raw = to_onnx([(mixed_network, draw_weights(mixed_network))])
    onnx.checker.check_model(raw, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(
        onnx.load_model_from_string(raw), strict_mode=True, data_prop=True
    )
    shapes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*inferred.graph.value_info, *inferred.graph.output)
    }
    assert shapes["probabilities"] == ["n", 10]
    # By hand: stride 2 halves 28, pooling halves it again; 7 * 7 * 4 = 196. Channels stand first.
    assert shapes["conv2d_1"] == shapes["residual_1"] == ["n", 4, 14, 14]
    assert shapes["maxpool_1"] == ["n", 4, 7, 7]
    assert shapes["flatten_1"] == ["n", 196]
    assert shapes["dense_1"] == ["n", 10]


def test_a_viewer_finds_the_names_of_the_plan_and_who_made_it(mixed_network, draw_weights):
    raw = to_onnx([(mixed_network, draw_weights(mixed_network))])
    model = onnx.load_model_from_string(raw)
    names = {node.name for node in model.graph.node}
    assert {step.name for step in mixed_network.steps()} <= names
    assert {p.name for p in mixed_network.parameters} <= {a.name for a in model.graph.initializer}
    assert (model.producer_name, model.ir_version) == ("tenfold", 7)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 14)]


def test_dropout_leaves_no_trace(draw_weights):
    plain, dropping = Network(Dense(10)), Network(Dropout(0.5), Dense(10))
    weights = draw_weights(plain)
    assert to_onnx([(plain, weights)]) == to_onnx([(dropping, weights)])


def test_the_same_weights_in_any_memory_order_give_the_same_bytes(mixed_network, draw_weights):
    weights = draw_weights(mixed_network)
    turned = {name: np.asfortranarray(weights[name]) for name in reversed(weights)}
    assert to_onnx([(mixed_network, weights)]) == to_onnx([(mixed_network, turned)])


def test_weights_of_another_network_are_refused(mixed_network, draw_weights):
    with pytest.raises(ModelError, match="missing"):
        to_onnx([(mixed_network, draw_weights(Network(Dense(10))))])
