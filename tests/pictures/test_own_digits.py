"""benchmarks/own_digits.py: pictures lose their padding, parts stay apart, counts are counts."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "own_digits.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("own_digits", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pictures_lose_their_padding_and_parts_are_sets_of_their_own(benchmark, tmp_path):
    images = np.full((3, 9, 9), 255, np.uint8)
    images[:, :4, :5] = 7
    parts = {
        "images": images,
        "labels": np.array([1, 2, 3], np.uint8),
        "split": np.array([0, 1, 0]),
    }
    np.savez(tmp_path / "x.npz", **parts, heights=np.full(3, 4), widths=np.full(3, 5))
    found = list(benchmark.sets_of(tmp_path / "x.npz"))
    assert [(name, len(pictures), list(labels)) for name, pictures, labels in found] == [
        ("x, split 0", 2, [1, 3]),
        ("x, split 1", 1, [2]),
    ]
    assert all((picture == 7).all() and picture.shape == (4, 5) for picture in found[0][1])


def test_right_and_rejected_answers_are_counted(benchmark):
    rows = np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8]], np.float32)
    classifier = SimpleNamespace(predict_proba=lambda images: rows, reject_below=0.7)
    pictures = [np.zeros((28, 28), np.uint8)] * 3
    told = benchmark.told(classifier, pictures, np.array([0, 1, 1]), lambda picture: picture)
    assert (told["right"], told["digits"], told["rejected"], told["rejected_and_right"]) == (
        2,
        3,
        1,
        1,
    )


def test_a_plain_resize_is_bright_on_dark(benchmark):
    page = np.full((60, 60), 240, np.uint8)
    page[20:40, 20:40] = 0
    for picture in (page, 255 - page):
        made = benchmark.resized(picture)
        assert made.shape == (28, 28)
        assert made[14, 14] > 200 > 20 > made[1, 1]
