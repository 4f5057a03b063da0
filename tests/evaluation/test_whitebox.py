"""A white box against the graph that runs the same model, and its gradients against differences."""

import numpy as np
import pytest

from tenfold.classifiers import moved, places
from tenfold.errors import ModelError
from tenfold.evaluation.whitebox import WhiteBox
from tenfold.layers import BatchNorm, Conv2D, Dense, ReLU
from tenfold.modelfile import PRETRAINED, load_model, pretrained
from tenfold.network import Network
from tenfold.randomness import stream
from tenfold.scratch.fixed import FixedNetwork
from tenfold.weights import Member, initial_weights


def member(*layers, seed=0, dtype=np.float64):
    network = Network(*layers)
    weights = initial_weights(network, seed)
    return Member(network, {name: array.astype(dtype) for name, array in weights.items()})


def loss_of(members, shifts, picture, label):
    """-log of the mean probability, written out from the members' logits in float64."""
    told = []
    for network, weights in members:
        fixed = FixedNetwork(network, weights)
        for place in places(shifts):
            z = np.exp(fixed.logits(moved(picture[None], *place))[0])
            told.append(z[label] / z.sum())
    return -np.log(np.mean(told))


def test_it_answers_as_the_graph_of_the_model_in_the_box(small_digits):
    model = load_model(PRETRAINED)
    box = WhiteBox(model.members, shifts=model.shifts)
    images = small_digits.images[:40]
    # The same sums in another order, in float32.
    assert np.abs(box.predict_proba(images) - pretrained().predict_proba(images)).max() < 1e-4


@pytest.mark.parametrize("shifts", [0, 2])
@pytest.mark.parametrize("members", [1, 3])
def test_the_gradient_is_that_of_the_mean_probability(members, shifts, small_digits):
    several = [member(Conv2D(3, stride=3), ReLU(), Dense(10), seed=s) for s in range(members)]
    box = WhiteBox(several, shifts=shifts)
    # Ink at the very edge, where a move cuts some off.
    picture = small_digits.images[3] * 0.5 + stream(0, "noise").uniform(0, 90, (28, 28))
    gradient = box.loss_gradient(picture[None], np.array([3], np.uint8))[0]
    chance = stream(0, "places")
    for row, column in [(0, 0), (27, 1), *chance.integers(28, size=(30, 2))]:
        away = np.zeros((28, 28))
        away[row, column] = 1e-3
        rise = loss_of(several, shifts, picture + away, 3) - loss_of(
            several, shifts, picture - away, 3
        )
        # The gradient is handed out in float32; a difference of 2e-3 in float64 is right to 1e-9.
        assert gradient[row, column] == pytest.approx(rise / 2e-3, rel=1e-4, abs=1e-8)


def test_a_sure_answer_still_has_a_gradient(small_digits):
    network, weights = member(Dense(10), dtype=np.float32)
    weights["dense_1/kernel"] *= 60
    box = WhiteBox([Member(network, weights)])
    told = box.predict_proba(small_digits.images[:50])
    sure = np.flatnonzero(told.max(axis=1) == 1)
    assert len(sure) > 5
    labels = told.argmax(axis=1).astype(np.uint8)
    gradient = box.loss_gradient(small_digits.images[sure], labels[sure])
    assert (np.abs(gradient).max(axis=(1, 2)) > 0).all()


def test_filters_are_the_first_kernel_laid_out():
    conv = member(Conv2D(4, kernel=5), Dense(10))
    found = WhiteBox([conv]).filters()
    assert found.layer == "conv2d_1"
    assert np.array_equal(
        found.pictures[2], conv.weights["conv2d_1/kernel"][:, :, 0, 2].astype("f4")
    )
    dense = member(Dense(10))
    found = WhiteBox([dense]).filters()
    assert found.pictures.shape == (10, 28, 28)
    # Row 3, column 5 of the picture is number 3 * 28 + 5 of its pixels.
    kernel = dense.weights["dense_1/kernel"].astype("f4")
    assert found.pictures[7, 3, 5] == kernel[3 * 28 + 5, 7]


def test_what_has_no_filters_says_so():
    with pytest.raises(ModelError, match="first layer that is Dense.*batchnorm_1"):
        WhiteBox([member(BatchNorm(), Dense(10))]).filters()
    with pytest.raises(ModelError, match="at least one network"):
        WhiteBox([])


def test_hidden_layers_of_several_lie_side_by_side(small_digits):
    one, two = member(Dense(5), ReLU(), Dense(10)), member(Dense(7), ReLU(), Dense(10))
    images = small_digits.images[:300]
    together = WhiteBox([one, two]).hidden(images)
    assert together.shape == (300, 12)
    assert np.array_equal(together[:, 5:], WhiteBox([two]).hidden(images))
