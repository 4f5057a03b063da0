"""Every layer on numbers worked out by hand, and on the laws it must keep."""

import math

import numpy as np
import pytest
from scipy.signal import correlate2d

from tenfold import layers as described
from tenfold.randomness import stream
from tenfold.scratch.layers import channel_sum


def picture(*rows):
    """One picture of one channel."""
    return np.array(rows, float)[None, :, :, None]


def test_dense_by_hand(alone):
    dense = alone(described.Dense(2), (2,), kernel=[[1, 2], [3, 4]], bias=[10, 20])
    # (5, 6) W = (5*1 + 6*3, 5*2 + 6*4) = (23, 34)
    assert np.array_equal(dense.layer.forward(np.array([[5.0, 6.0]])), [[33, 54]])
    dense.layer.learn(np.array([[1.0, -1.0]]))
    assert np.array_equal(dense.gradients["alone/kernel"], [[5, -5], [6, -6]])
    assert np.array_equal(dense.gradients["alone/bias"], [1, -1])
    # dz W' = (1*1 - 1*2, 1*3 - 1*4)
    assert np.array_equal(dense.layer.backward(np.array([[1.0, -1.0]])), [[-1, -1]])


def test_the_gradient_of_a_batch_is_the_sum_over_its_images(alone):
    dense = alone(described.Dense(2), (2,))
    x, dz = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    dense.layer.forward(x)
    dense.layer.learn(dz)
    assert np.array_equal(dense.gradients["alone/kernel"], [[1, 3], [2, 4]])
    assert np.array_equal(dense.gradients["alone/bias"], [1, 1])


def test_relu_by_hand_and_its_slope_at_0_is_0(alone):
    relu = alone(described.ReLU(), (4,)).layer
    assert np.array_equal(relu.forward(np.array([[-2.0, 0.0, 3.0, -0.0]])), [[0, 0, 3, 0]])
    assert np.array_equal(relu.backward(np.array([[7.0, 7.0, 7.0, 7.0]])), [[0, 0, 7, 0]])


def test_convolution_by_hand(alone):
    conv = alone(
        described.Conv2D(1, kernel=2, padding="valid"),
        (3, 3, 1),
        kernel=np.reshape([1, 2, 3, 4], (2, 2, 1, 1)),
        bias=[100],
    )
    x = picture([1, 0, 2], [0, 3, 0], [4, 0, 5])
    # Top left: 1*1 + 0*2 + 0*3 + 3*4 = 13; top right: 0*1 + 2*2 + 3*3 + 0*4 = 13
    # Bottom left: 0*1 + 3*2 + 4*3 + 0*4 = 18; bottom right: 3*1 + 0*2 + 0*3 + 5*4 = 23
    assert np.array_equal(conv.layer.forward(x), picture([113, 113], [118, 123]))
    conv.layer.learn(picture([1, 0], [0, 2]))
    # x's top left quarter once, its bottom right one twice.
    assert np.array_equal(
        conv.gradients["alone/kernel"][:, :, 0, 0], [[1 + 2 * 3, 0], [0, 3 + 2 * 5]]
    )
    assert np.array_equal(conv.gradients["alone/bias"], [3])
    dx = conv.layer.backward(picture([1, 0], [0, 2]))
    # The kernel once in the top left corner, twice it in the bottom right one.
    assert np.array_equal(dx, picture([1, 2, 0], [3, 4 + 2, 4], [0, 6, 8]))


def test_same_padding_of_an_even_kernel_puts_its_zeros_below_and_to_the_right(alone):
    kernel = np.reshape([1, 10, 100, 1000], (2, 2, 1, 1))
    conv = alone(described.Conv2D(1, kernel=2, bias=False), (2, 2, 1), kernel=kernel)
    x = picture([1, 2], [3, 4])
    expected = picture([1 + 20 + 300 + 4000, 2 + 400], [3 + 40, 4])
    assert np.array_equal(conv.layer.use(x), expected)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
def test_convolution_agrees_with_scipy(alone, kernel, stride):
    conv = alone(described.Conv2D(4, kernel, stride, padding="valid"), (7, 6, 3))
    x = stream(0, "x").standard_normal((2, 7, 6, 3))
    weights, bias = conv.weights["alone/kernel"], conv.weights["alone/bias"]
    expected = np.empty((2, *described.Conv2D(4, kernel, stride, "valid").output_shape((7, 6, 3))))
    for n, f in np.ndindex(2, 4):
        every = sum(correlate2d(x[n, :, :, c], weights[:, :, c, f], "valid") for c in range(3))
        expected[n, :, :, f] = every[::stride, ::stride] + bias[f]
    # Up to 75 products of numbers near 1, in float64.
    assert np.allclose(conv.layer.use(x), expected, rtol=0, atol=1e-12)


def test_a_large_batch_is_convolved_as_its_images_one_by_one(alone):
    # 40 images of 28x28 places and 9 pixels are more patches than are copied out at a time.
    conv = alone(described.Conv2D(2), (28, 28, 1))
    x, dz = (stream(0, n).standard_normal((40, 28, 28, c)) for n, c in (("x", 1), ("dz", 2)))
    together = conv.layer.forward(x)
    conv.layer.learn(dz)
    gradient = conv.gradients["alone/kernel"].copy()
    assert np.allclose(
        together, np.concatenate([conv.layer.use(one[None]) for one in x]), rtol=1e-12
    )
    one_by_one = np.zeros_like(gradient)
    for n in range(40):
        conv.layer.forward(x[n : n + 1])
        conv.layer.learn(dz[n : n + 1])
        one_by_one += conv.gradients["alone/kernel"]
    # Sums of 31,360 products in another order: their rounding is below 1e-12 of their size.
    assert np.allclose(gradient, one_by_one, rtol=1e-9)


def test_max_pool_by_hand_drops_the_remainder(alone):
    pool = alone(described.MaxPool(2), (3, 5, 1)).layer
    x = picture([1, 2, 5, 4, 99], [3, 0, 6, 7, 99], [99, 99, 99, 99, 99])
    assert np.array_equal(pool.forward(x), picture([3, 7]))
    dx = pool.backward(picture([10, 20]))
    assert np.array_equal(dx, picture([0, 0, 0, 0, 0], [10, 0, 0, 20, 0], [0, 0, 0, 0, 0]))


def test_among_equal_pixels_the_first_row_by_row_takes_the_gradient(alone):
    pool = alone(described.MaxPool(2), (2, 6, 1)).layer
    pool.forward(picture([5, 5, 1, 3, 1, 2], [5, 5, 3, 2, 3, 3]))
    dx = pool.backward(picture([1, 2, 4]))
    assert np.array_equal(dx, picture([1, 0, 0, 2, 0, 0], [0, 0, 0, 0, 4, 0]))


def test_global_average_pool_by_hand(alone):
    pool = alone(described.GlobalAveragePool(), (2, 2, 1)).layer
    assert np.array_equal(pool.forward(picture([1, 2], [3, 6])), [[3]])
    assert np.array_equal(pool.backward(np.array([[8.0]])), picture([2, 2], [2, 2]))


def test_flatten_goes_row_by_row_with_channels_innermost(alone):
    flatten = alone(described.Flatten(), (2, 2, 2)).layer
    x = np.arange(8.0).reshape(1, 2, 2, 2)
    assert np.array_equal(flatten.forward(x), [np.arange(8.0)])
    assert np.array_equal(flatten.backward(np.arange(8.0)[None]), x)


def test_batch_norm_in_training_by_hand(alone):
    norm = alone(
        described.BatchNorm(momentum=0.9, epsilon=0.36),
        (1,),
        gamma=[5],
        beta=[10],
        moving_mean=[0],
        moving_variance=[1],
    )
    # Mean 2, variance 0.8^2 = 0.64 (biased), sigma = sqrt(0.64 + 0.36) = 1, so u = -0.8 and 0.8.
    assert np.allclose(norm.layer.forward(np.array([[1.2], [2.8]])), [[6], [14]], rtol=1e-15)
    # 0.9 * 0 + 0.1 * 2 and 0.9 * 1 + 0.1 * 0.64
    assert np.allclose(norm.weights["alone/moving_mean"], [0.2], rtol=1e-15)
    assert np.allclose(norm.weights["alone/moving_variance"], [0.964], rtol=1e-15)
    norm.layer.learn(np.array([[1.0], [2.0]]))
    # 1 * -0.8 + 2 * 0.8, and 1 + 2
    assert np.allclose(norm.gradients["alone/gamma"], [0.8], rtol=1e-14)
    assert np.array_equal(norm.gradients["alone/beta"], [3])
    # 5 / 1 (1 - 1.5 + 0.8 * 0.4) = -0.9 for the first, and the opposite for the second.
    dx = norm.layer.backward(np.array([[1.0], [2.0]]))
    assert np.allclose(dx, [[-0.9], [0.9]], rtol=1e-14)


def test_batch_norm_in_use_by_hand_takes_the_moving_statistics_and_moves_nothing(alone):
    given = {"gamma": [4], "beta": [10], "moving_mean": [3], "moving_variance": [0.64]}
    norm = alone(described.BatchNorm(epsilon=0.36), (1,), **given)
    # Four times 5 - 3, over sqrt(0.64 + 0.36), and 10.
    assert np.allclose(norm.layer.use(np.array([[5.0]])), [[18]], rtol=1e-15)
    assert all(norm.weights[f"alone/{name}"] == given[name] for name in given)


def test_batch_norm_cannot_tell_a_shifted_batch_so_its_gradient_has_no_part_along_the_shift(alone):
    norm = alone(described.BatchNorm(), (3, 4, 2))
    x, dz = (stream(0, name).standard_normal((5, 3, 4, 2)) for name in ("x", "dz"))
    norm.layer.forward(x)
    norm.layer.learn(dz)
    # Sums of 60 numbers of size 1 in float64.
    assert np.allclose(norm.layer.backward(dz).sum(axis=(0, 1, 2)), 0, rtol=0, atol=1e-13)


def test_batch_norm_gives_each_channel_of_a_picture_mean_beta_and_deviation_gamma(alone):
    norm = alone(described.BatchNorm(epsilon=1e-12), (6, 5, 2), gamma=[2, 3], beta=[-1, 4])
    z = norm.layer.forward(stream(0, "x").normal(7, 5, (8, 6, 5, 2)))
    assert np.allclose(z.mean(axis=(0, 1, 2)), [-1, 4], rtol=1e-12)
    assert np.allclose(z.std(axis=(0, 1, 2)), [2, 3], rtol=1e-12)


def test_a_channel_sum_is_exact_where_a_running_sum_is_not():
    x = np.full((128, 28, 28, 1), 0.1, np.float32)
    exact = math.fsum(x.ravel().tolist())
    # 128 and then 784 additions, each off by half a unit in the 24th bit at most; in practice their
    # errors partly cancel. One running sum of all 100,352 is off by 1e-3.
    assert math.isclose(channel_sum(x)[0], exact, rel_tol=5e-6)


def test_dropout_forgets_its_share_and_keeps_the_mean(alone):
    dropout = alone(described.Dropout(0.3), (100_000,)).layer
    dropout.start_epoch(0, 0)
    z = dropout.forward(np.ones((1, 100_000)))
    # Four standard deviations of a binomial share: 4 sqrt(0.3 * 0.7 / 100,000) = 0.006.
    assert abs(np.mean(z == 0) - 0.3) < 0.006
    assert np.allclose(z[z != 0], 1 / 0.7, rtol=1e-15)
    assert abs(z.mean() - 1) < 0.006 / 0.7


def test_dropout_sends_the_gradient_where_the_value_went(alone):
    dropout = alone(described.Dropout(0.5), (50,)).layer
    dropout.start_epoch(0, 0)
    z = dropout.forward(np.ones((4, 50)))
    assert np.array_equal(dropout.backward(np.ones((4, 50))), z)


def test_in_use_dropout_lets_everything_pass(alone):
    x = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(alone(described.Dropout(0.9), (3,)).layer.use(x), x)


def test_dropout_is_a_function_of_seed_epoch_and_name(alone):
    def forgotten(seed, epoch, name):
        dropout = alone(described.Dropout(0.5), (1000,)).layer
        dropout.name = name
        dropout.start_epoch(seed, epoch)
        return dropout.forward(np.ones((1, 1000))) == 0

    first = forgotten(1, 2, "dropout_1")
    assert np.array_equal(first, forgotten(1, 2, "dropout_1"))
    for other in ((2, 2, "dropout_1"), (1, 3, "dropout_1"), (1, 2, "dropout_2")):
        # Independent masks agree in half of 1,000 places, give or take 4 sqrt(250) = 63.
        assert abs(np.sum(first == forgotten(*other)) - 500) < 64


def test_residual_by_hand(alone):
    residual = alone(described.Residual(described.ReLU()), (3,)).layer
    x = np.array([[-1.0, 2.0, 3.0]])
    assert np.array_equal(residual.forward(x), [[-1, 4, 6]])
    assert np.array_equal(residual.use(x), [[-1, 4, 6]])
    dz = np.array([[1.0, 1.0, 5.0]])
    residual.learn(dz)
    assert np.array_equal(residual.backward(dz), [[1, 2, 10]])
