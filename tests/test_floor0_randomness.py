"""Chance is a function of seed and name, the same in every version; an epoch sees each image once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.errors import UsageError
from tenfold.randomness import batches, check_seed, stream


def test_streams_give_what_they_always_gave():
    """As constants: a run must come out the same with the next version of tenfold and of NumPy."""
    assert stream(0, "order", 0).integers(0, 2**32, 4).tolist() == [
        3600609053, 4172342078, 2345540910, 705139642,
    ]  # fmt: skip
    assert stream(7, "dropout", 3).random(3).tolist() == [
        0.8492365744641276, 0.23905177569443725, 0.133198230685999,
    ]  # fmt: skip
    assert stream(2**63 - 1, "weights", "dense_1/kernel").uniform(-1, 1, 3).tolist() == [
        0.3727214053485983, -0.25544726819333774, -0.5256809684645136,
    ]  # fmt: skip
    assert batches(7, 0, images=10, batch_size=4).tolist() == [[2, 8, 1, 7], [0, 5, 4, 6]]
    assert batches(7, 1, images=10, batch_size=4).tolist() == [[3, 7, 4, 2], [0, 1, 6, 8]]


def test_no_two_names_or_seeds_in_use_share_a_stream():
    names = [("order", e) for e in range(50)] + [
        ("dropout", e, f"dropout_{i}") for e in range(50) for i in (1, 2)
    ]
    names += [("weights", f"dense_{i}/kernel") for i in range(50)] + [("validation",), ("parity",)]
    seeds = (0, 1, 2, 2**32, 2**32 + 1, 2**63 - 1)
    drawn = {stream(seed, *name).integers(0, 2**63) for seed in seeds for name in names}
    assert len(drawn) == len(seeds) * len(names)


def test_streams_of_neighbouring_names_are_not_correlated():
    """The correlation of n independent pairs has the deviation 1/sqrt(n): 0.01 here; five of them."""
    first, second = (stream(0, "dropout", epoch).random(10_000) for epoch in (1, 2))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, "7", None, True])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    for use in (check_seed, stream):
        with pytest.raises(UsageError, match=r"seed: expected a whole number from 0 to 2\*\*63-1"):
            use(seed)


def test_a_seed_from_numpy_is_the_same_seed():
    assert stream(np.int64(7), "order").random() == stream(7, "order").random()


@given(
    seed=st.integers(0, 2**63 - 1),
    epoch=st.integers(0, 10**6),
    images=st.integers(1, 2_000),
    batch_size=st.integers(1, 2_500),
)
def test_an_epoch_sees_each_image_at_most_once_and_leaves_out_less_than_a_batch(
    seed, epoch, images, batch_size
):
    rows = batches(seed, epoch, images=images, batch_size=batch_size)
    assert rows.dtype == np.int32
    assert rows.shape[1] == min(batch_size, images)
    assert len(np.unique(rows)) == rows.size
    assert 0 <= rows.min() <= rows.max() < images
    assert images - rows.size < rows.shape[1]


def test_another_epoch_and_another_seed_see_the_images_in_another_order():
    def order(seed: int, epoch: int) -> tuple[int, ...]:
        return tuple(batches(seed, epoch, images=100, batch_size=10).ravel().tolist())

    assert order(1, 1) == order(1, 1)
    assert len({order(seed, epoch) for seed in range(5) for epoch in range(5)}) == 25


def test_the_images_that_sit_an_epoch_out_are_others_each_time():
    """Of 15 images 5 sit out: over 60 epochs each about 20 times, Binomial(60, 1/3), deviation 3.65."""
    seen = np.zeros(15)
    for epoch in range(60):
        np.add.at(seen, batches(0, epoch, images=15, batch_size=10).ravel(), 1)
    assert np.all(np.abs(60 - seen - 20) < 5 * 3.65)


def test_fewer_images_than_a_batch_make_one_batch_of_all():
    assert sorted(batches(0, 0, images=3, batch_size=128).ravel().tolist()) == [0, 1, 2]
