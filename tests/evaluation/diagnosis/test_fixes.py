"""The code of a finding is run on the arrays it was found in: then the cause is gone."""

from typing import Any

import numpy as np
import plantings_in_arrays
import pytest
from planting import PLANTINGS, Planting
from scripts import Arrays, flat

import tenfold

pytestmark = pytest.mark.slow

MENDED_BY_CODE = (
    "unscaled_pixels", "inverted_pixels", "transposed_pictures", "parts_prepared_differently", "missing_values",
    "labels_are_text", "labels_shifted", "labels_differ_between_parts", "label_noise",
)  # fmt: skip
# What divided every picture by its own length, or by numbers of another part, is not known any more; and that
# digits lean says little of how far they were turned.
NOT_BY_CODE = ("parts-test l2", "parts-test standardised", "parts-test turned")


def arrays_alone(arrays: Arrays, *_: Any, **__: Any) -> dict[str, Any]:
    return dict(zip(Arrays._fields, arrays, strict=True))


def mended(given: dict[str, Any], fix: str) -> dict[str, Any]:
    """The arrays after the code, in the names that it uses."""
    names: dict[str, Any] = {"np": np}
    for part, (x, y) in given.items():
        names |= {f"x_{part}": x, f"y_{part}": y}
    exec(fix, names)
    return {part: (names[f"x_{part}"], names[f"y_{part}"]) for part in given}


@pytest.mark.parametrize(
    "planting",
    [p for p in PLANTINGS if p.cause in MENDED_BY_CODE and p.name not in NOT_BY_CODE],
    ids=lambda p: p.name,
)
def test_the_code_of_a_finding_mends_it(planting: Planting, few, monkeypatch):
    monkeypatch.setattr(plantings_in_arrays, "fitted", arrays_alone)
    for name in ("dense", "small_cnn"):
        monkeypatch.setattr(plantings_in_arrays, name, lambda *_, **__: [])
    given = planting.plant(few, np.random.default_rng(1))
    found = next(f for f in tenfold.diagnose(**given).findings if f.cause == planting.cause)
    again = tenfold.diagnose(**mended(given, found.fix))
    assert planting.cause not in [f.cause for f in again.faults], found.fix


@pytest.mark.parametrize("hot", [False, True], ids=["numbers", "one-hot"])
def test_labels_come_down_again_whatever_their_form(few, hot):
    def raised(y: Any) -> Any:
        y = ((y + 1) % 10).astype(np.uint8)
        return np.eye(10)[y] if hot else y

    given = arrays_alone(few.map(flat, raised))
    found = tenfold.diagnose(**given)
    assert found.cause == "labels_shifted"
    for part, (_, y) in mended(given, found.faults[0].fix).items():
        np.testing.assert_array_equal(y.argmax(axis=1) if hot else y, getattr(few, part)[1])


@pytest.mark.parametrize("step", [1, -3])
def test_images_find_the_labels_that_stand_some_rows_away(few, step):
    x, y = few.train
    given = {"train": (flat(x), np.roll(y, step))}
    found = tenfold.diagnose(**given)
    assert found.cause == "labels_shuffled"
    ((again, labels),) = mended(given, found.faults[0].fix).values()
    rows = {row.tobytes(): label for row, label in zip(flat(x), y, strict=True)}
    assert [rows[row.tobytes()] for row in again] == labels.tolist()
    assert len(again) == len(x) - abs(step)


def test_rows_that_were_trained_on_are_left_out(few):
    x, y = few.test
    seen = np.concatenate([few.train[0][:50], x])
    given = {
        "train": (flat(few.train[0]), few.train[1]),
        "test": (flat(seen), np.concatenate([few.train[1][:50], y])),
    }
    found = tenfold.diagnose(**given)
    assert found.cause == "leak"
    again, labels = mended(given, found.faults[0].fix)["test"]
    np.testing.assert_array_equal(again, flat(x))
    np.testing.assert_array_equal(labels, y)


def test_two_digits_called_0_and_1_are_no_renaming(few):
    def answers(x: Any) -> Any:
        return np.tile([0.4, 0.6], (len(x), 1))

    def chosen(x: Any, y: Any) -> Any:
        keep = (y == 3) | (y == 8)
        return flat(x[keep]), (y[keep] == 8).astype(int)

    found = tenfold.diagnose(model=answers, train=chosen(*few.train), test=chosen(*few.test))
    assert "labels_shifted" not in [f.cause for f in found.findings]
