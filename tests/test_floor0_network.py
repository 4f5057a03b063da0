"""Shapes, parameters and operations of networks, against counts by hand and Keras's shape rules."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.errors import RecipeError
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
    Whitening,
)
from tenfold.network import Network

SEED = Network(Dense(64), ReLU(), Dense(32), ReLU(), Dense(10))

CONVOLUTIONAL = Network(
    Conv2D(8), BatchNorm(), ReLU(), MaxPool(),
    Conv2D(16, kernel=5, stride=2, padding="valid", bias=False),
    Residual(Conv2D(16, kernel=1), ReLU()),
    GlobalAveragePool(), Dropout(0.5), Dense(10),
)  # fmt: skip


def test_the_seed_network_has_the_parameters_and_operations_counted_by_hand():
    assert SEED.parameter_count == (784 * 64 + 64) + (64 * 32 + 32) + (32 * 10 + 10) == 52_650
    assert SEED.flops == 2 * (784 * 64 + 64 * 32 + 32 * 10) == 105_088


def test_the_seed_network_has_these_arrays_in_this_order():
    assert [(p.name, p.shape, p.initial) for p in SEED.parameters] == [
        ("dense_1/kernel", (784, 64), "glorot_uniform"),
        ("dense_1/bias", (64,), "zeros"),
        ("dense_2/kernel", (64, 32), "glorot_uniform"),
        ("dense_2/bias", (32,), "zeros"),
        ("dense_3/kernel", (32, 10), "glorot_uniform"),
        ("dense_3/bias", (10,), "zeros"),
    ]


def test_a_convolutional_network_has_the_parameters_and_operations_counted_by_hand():
    first, norm, second = 3 * 3 * 1 * 8 + 8, 4 * 8, 5 * 5 * 8 * 16
    inside, last = 1 * 1 * 16 * 16 + 16, 16 * 10 + 10
    assert CONVOLUTIONAL.parameter_count == first + norm + second + inside + last == 3_754
    # Each kernel is used at every place of its output: 28x28, then (14 - 5) // 2 + 1 = 5, so 5x5.
    multiplications = 28 * 28 * 72 + 5 * 5 * 3_200 + 5 * 5 * 256 + 160
    assert CONVOLUTIONAL.flops == 2 * multiplications == 286_016


def test_the_plan_names_every_layer_and_goes_into_residuals():
    assert [(s.name, s.input_shape, s.output_shape) for s in CONVOLUTIONAL.steps()] == [
        ("conv2d_1", (28, 28, 1), (28, 28, 8)),
        ("batchnorm_1", (28, 28, 8), (28, 28, 8)),
        ("relu_1", (28, 28, 8), (28, 28, 8)),
        ("maxpool_1", (28, 28, 8), (14, 14, 8)),
        ("conv2d_2", (14, 14, 8), (5, 5, 16)),
        ("residual_1", (5, 5, 16), (5, 5, 16)),
        ("conv2d_3", (5, 5, 16), (5, 5, 16)),
        ("relu_2", (5, 5, 16), (5, 5, 16)),
        ("globalaveragepool_1", (5, 5, 16), (16,)),
        ("dropout_1", (16,), (16,)),
        ("dense_1", (16,), (10,)),
    ]
    assert [step.name for step in CONVOLUTIONAL.plan] == [
        s.name for s in CONVOLUTIONAL.steps() if s.name not in ("conv2d_3", "relu_2")
    ]


def test_only_the_moving_statistics_are_not_trained():
    kept = [p for p in CONVOLUTIONAL.parameters if not p.trainable]
    assert [(p.name, p.initial) for p in kept] == [
        ("batchnorm_1/moving_mean", "zeros"),
        ("batchnorm_1/moving_variance", "ones"),
    ]


def test_a_picture_that_meets_a_dense_layer_is_flattened_in_the_open():
    assert [step.name for step in SEED.plan][:2] == ["flatten_1", "dense_1"]
    written = Network(Flatten(), *SEED.layers)
    assert [step.name for step in written.plan] == [step.name for step in SEED.plan]


@pytest.mark.parametrize("kernel", range(1, 8))
@pytest.mark.parametrize("stride", range(1, 6))
@pytest.mark.parametrize("side", [7, 12, 28])
def test_convolutions_give_as_many_places_as_windows_fit(side, stride, kernel):
    """Counted by laying the windows out: "valid" inside the picture, "same" one at each stride from 0."""
    valid = [start for start in range(0, side, stride) if start + kernel <= side]
    shape = Conv2D(3, kernel, stride, "valid").output_shape((side, side, 2))
    assert shape == (len(valid), len(valid), 3)
    same = len(range(0, side, stride))
    assert Conv2D(3, kernel, stride, "same").output_shape((side, side, 2)) == (same, same, 3)


@pytest.mark.parametrize(
    ("side", "size", "pooled"), [(28, 2, 14), (7, 2, 3), (28, 3, 9), (5, 5, 1)]
)
def test_pooling_drops_what_is_left_of_a_window(side, size, pooled):
    assert MaxPool(size).output_shape((side, side, 4)) == (pooled, pooled, 4)


def test_height_and_width_may_differ():
    assert Conv2D(3, 3, 2).output_shape((9, 4, 1)) == (5, 2, 3)
    assert Conv2D(3, 3, 2, "valid").output_shape((9, 4, 1)) == (4, 1, 3)
    assert MaxPool(2).output_shape((9, 4, 1)) == (4, 2, 1)
    assert Flatten().output_shape((9, 4, 3)) == (108,)


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        ((), "expected at least one layer"),
        ((Dense(9),), r"expected the last layer to give \(10,\) logits, received \(9,\)"),
        ((Conv2D(10),), r"received \(28, 28, 10\)"),
        (("Dense(10)",), "a layer of Network: expected one of Dense"),
        ((Dense,), "a layer of Network"),
        ((Dense(10), Conv2D(10)), r"expected a picture .* received \(10,\)"),
        ((Dense(10), GlobalAveragePool()), "expected a picture"),
        ((MaxPool(14), MaxPool(3), Dense(10)), "a window of 3 does not fit into a picture of 2x2"),
        ((MaxPool(14), Conv2D(1, 3, padding="valid")), "a kernel of 3 does not fit .* 2x2"),
        ((Residual(Conv2D(2)), Dense(10)), r"turn \(28, 28, 1\) into \(28, 28, 2\)"),
        ((Residual(Conv2D(1, stride=2)), Dense(10)), "cannot be added"),
        ((Conv2D(2), Whitening(4), Dense(10)), "Whitening as the very first layer"),
        ((Conv2D(1), Whitening(4), Dense(10)), "Whitening as the very first layer"),
        ((Residual(Whitening(2, 3), Conv2D(1)), Dense(10)), "Whitening as the very first layer"),
        ((Whitening(10, 5), ReLU(), GlobalAveragePool()), "expected a layer that learns"),
        ((Dense(1_000_000), Dense(10)), "at most 50,000,000 parameters .* received 795,000,010"),
        ((Conv2D(6_400, 1), MaxPool(28), Dense(10)), "5,000,000 values .* and 5,017,600"),
    ],
)
def test_a_network_that_cannot_be_is_refused(layers, sentence):
    with pytest.raises(RecipeError, match=sentence):
        Network(*layers)


def test_a_residual_of_nothing_is_refused():
    with pytest.raises(RecipeError, match="Residual: expected at least one layer"):
        Residual()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Dense(0),
        lambda: Dense(1_000_001),
        lambda: Dense(True),
        lambda: Dense(64.0),
        lambda: Dense(64, bias=1),
        lambda: Conv2D(0),
        lambda: Conv2D(8, 0),
        lambda: Conv2D(8, 29),
        lambda: Conv2D(8, 3, 0),
        lambda: Conv2D(8, padding="full"),
        lambda: Whitening(5),
        lambda: Whitening(20, 3),
        lambda: Whitening(4, bias=True),
        lambda: MaxPool(0),
        lambda: BatchNorm(momentum=1.0),
        lambda: BatchNorm(epsilon=0.0),
        lambda: Dropout(1.0),
        lambda: Dropout(-0.1),
        lambda: Dropout(math.nan),
        lambda: Dropout("0.5"),
        lambda: Dropout(10**400),
    ],
)
def test_a_layer_that_cannot_be_is_refused(make):
    with pytest.raises(RecipeError, match="expected"):
        make()


@given(st.integers(1, 500), st.integers(1, 500), st.booleans())
def test_without_bias_a_layer_has_one_array_and_its_units_fewer_numbers(units, inputs, convolution):
    make, shape = (Conv2D, (9, 9, inputs)) if convolution else (Dense, (inputs,))
    full, bare = (make(units, bias=bias).parameters(shape) for bias in (True, False))
    assert bare == full[:1]
    assert sum(p.size for p in full) - sum(p.size for p in bare) == units


def test_networks_are_values():
    assert Network(Dense(10)) == Network(Dense(10)) != Network(Dense(10, bias=False))
    assert len({Network(Dense(10)), Network(Dense(10))}) == 1
    with pytest.raises(AttributeError):
        SEED.layers = ()  # type: ignore[misc]
