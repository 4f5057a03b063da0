"""`tenfold.predict` and `predict_each`: the same from every kind of source, in memory or part by part."""

import errno
import gzip
import os
import shutil
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tenfold
from tenfold import data
from tenfold.data import idx, npz
from tenfold.digits import Images
from tenfold.errors import DataError, ModelError, UnknownName, UsageError
from tenfold.modelfile import PRETRAINED, pretrained
from tenfold.pictures import canonical
from tenfold.predictions import Prediction, Unread, predict, predict_each, split_model

# More than are read at a time, whatever the form.
MANY = 2_100


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def images() -> Images:
    return data.load("mnist5k").train.images[:MANY]


def write_csv(name: str, images: Images, *, header: list[str], labels: bool = False) -> None:
    rows = images.reshape(len(images), -1).tolist()
    lines = [",".join(header)] if header else []
    lines += [",".join(map(str, [7, *row] if labels else row)) for row in rows]
    Path(name).write_text("\n".join(lines) + "\n")


def write_all_forms(images: Images) -> list[str]:
    """The same pictures in every form that a data set has -> the names of the files."""
    pixels = [f"pixel{i}" for i in range(784)]
    write_csv("test.csv", images, header=pixels)
    write_csv("train.csv", images, header=["label", *pixels], labels=True)
    write_csv("plain.csv", images, header=[])
    shutil.copy("plain.csv", "plain.txt")
    content = struct.pack(">4B3I", 0, 0, 8, 3, *images.shape) + images.tobytes()
    Path("digits-idx3-ubyte").write_bytes(content)
    Path("digits-idx3-ubyte.gz").write_bytes(gzip.compress(content, 1))
    Path("digits.idx3").write_bytes(content)
    np.savez("digits.npz", images=images)
    np.savez_compressed(
        "packed.npz", x_train=images[:3], y_train=[1, 2, 3], x_test=images, y_test=[0]
    )
    np.savez("fortran.npz", images=np.asfortranarray(images))
    np.savez("wide.npz", images=images.astype(np.int64))
    return sorted(path.name for path in Path().iterdir())


@pytest.mark.slow
def test_every_form_of_a_data_set_is_told_the_same_and_as_it_is(images):
    expected = pretrained().predict_proba(images)
    names = write_all_forms(images)
    assert len(names) == 11
    for name in names:
        (told,) = predict(name)
        assert told.source == name
        np.testing.assert_array_equal(told.saw, images)
        np.testing.assert_allclose(told.probabilities, expected, atol=1e-6)


def test_parts_count_on_and_add_up_to_the_whole(images):
    write_csv("plain.csv", images, header=[])
    parts = list(predict_each(["plain.csv"]))
    assert len(parts) > 10
    assert [part.first_row for part in parts] == np.cumsum([0, *(len(p.saw) for p in parts)])[
        :-1
    ].tolist()
    np.testing.assert_array_equal(np.concatenate([part.saw for part in parts]), images)


@pytest.mark.parametrize("damage", ["cut short", "too long", "a bit"])
def test_a_damaged_archive_or_idx_file_is_named_in_parts_as_in_memory(images, damage):
    content = struct.pack(">4B3I", 0, 0, 8, 3, *images.shape) + images.tobytes()
    Path("raw-ubyte").write_bytes(content)
    Path("packed.gz").write_bytes(gzip.compress(content, 1))
    np.savez("digits.npz", images=images)
    for name, stream, read in (
        ("raw-ubyte", idx.stream_images, idx.read_images),
        ("packed.gz", idx.stream_images, idx.read_images),
        ("digits.npz", npz.stream_images, npz.read_npz),
    ):
        whole = bytearray(Path(name).read_bytes())
        if damage == "a bit" and name == "raw-ubyte":
            continue  # nothing in the file tells
        whole[len(whole) // 2] ^= 255 if damage == "a bit" else 0
        Path(name).write_bytes(
            {"cut short": whole[:-9], "too long": whole + b"x"}.get(damage, whole)
        )
        if damage == "too long" and name == "digits.npz":
            continue  # what stands behind the end record belongs to no member
        for call in (lambda path, f=stream: list(f(path)), read):
            with pytest.raises(DataError, match=rf"^{name}"):
                call(Path(name))


def test_a_header_that_promises_too_much_is_not_believed(images):
    head = struct.pack(">4B3I", 0, 0, 8, 3, 1_000_000, 28, 28)
    Path("bomb.gz").write_bytes(gzip.compress(head + bytes(784_000_000 // 100)))
    with pytest.raises(DataError, match=r"bomb\.gz: expected 784,000,016 bytes"):
        next(idx.stream_images(Path("bomb.gz")))


def test_pictures_are_made_canonical_and_keep_their_order(images):
    folder = Path("mine")
    folder.mkdir()
    for number in range(100):
        # Two of the pictures that are asked about at once, in two sizes and polarities.
        picture = np.kron(images[number], np.ones((3, 3), np.uint8))
        Image.fromarray(picture if number % 2 else 255 - picture).save(folder / f"{number:03}.png")
    told = predict("mine")
    assert [each.source for each in told] == [str(path) for path in sorted(folder.iterdir())]
    for number, each in enumerate(told):
        original = np.asarray(Image.open(folder / f"{number:03}.png"))
        np.testing.assert_array_equal(each.saw, canonical(original)[None])
    expected = pretrained().predict_proba(np.concatenate([each.saw for each in told]))
    np.testing.assert_allclose(
        np.concatenate([each.probabilities for each in told]), expected, atol=1e-6
    )


def test_the_first_of_several_may_be_the_model(images):
    write_csv("some.csv", images[:5], header=[])
    shutil.copytree(PRETRAINED, "models/mine")
    shutil.copy(PRETRAINED / "model.onnx", "mine.onnx")
    expected = pretrained().predict_proba(images[:5])
    for call in (
        lambda: predict("models/mine", ["some.csv"]),
        lambda: predict("models/mine", "some.csv"),
        lambda: predict(Path("mine.onnx"), [Path("some.csv")]),
        lambda: predict(["some.csv"], model="models/mine"),
        lambda: tenfold.predict("some.csv"),
    ):
        (told,) = call()
        np.testing.assert_array_equal(told.probabilities, expected)
    for arguments in ((), ([],), ("models/mine",), ("models/mine", [])):
        with pytest.raises(UsageError, match="at least one INPUT"):
            predict(*arguments)
    with pytest.raises(ModelError, match="models/mien"):
        predict("models/mien", "some.csv")


def test_python_raises_what_predict_each_passes_on(images):
    write_csv("some.csv", images[:5], header=[])
    Path("bad.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"^bad\.png"):
        predict("some.csv", "bad.png")
    first, unread, last = predict_each(["some.csv", "bad.png", "some.csv"])
    assert isinstance(unread, Unread)
    assert (unread.source, unread.rows_told) == ("bad.png", 0)
    np.testing.assert_array_equal(first.probabilities, last.probabilities)


def test_a_name_that_cannot_be_right_is_refused_before_anything_is_read():
    with pytest.raises(UnknownName, match="Did you mean 'mnist5k'"):
        predict_each(["mnist5k", "mnits5k"])
    with pytest.raises(UsageError, match="reject_below"):
        predict_each(["mnist5k"], reject_below=1.0)


def test_one_input_twice_is_told_twice(images):
    write_csv("some.csv", images[:5], header=[])
    assert [len(told.digits) for told in predict("some.csv", "some.csv")] == [5, 5]


def test_what_is_below_the_threshold_is_no_digit(images):
    write_csv("some.csv", images[:500], header=[])
    (told,) = predict("some.csv", reject_below=0.99)
    expected = pretrained().predict_proba(images[:500]).max(axis=1) >= 0.99
    np.testing.assert_array_equal(told.is_digit, expected)
    assert 0 < expected.sum() < 500
    assert predict("some.csv", reject_below=0)[0].is_digit.all()
    assert predict("some.csv")[0].reject_below == pretrained().reject_below > 0


def test_a_link_out_of_a_folder_is_not_followed(images):
    for folder in ("inside", "outside"):
        Path(folder).mkdir()
        Image.fromarray(images[0]).save(f"{folder}/0.png")
    Path("inside/file.png").symlink_to(Path("outside/0.png").resolve())
    Path("inside/loop").symlink_to(Path("inside").resolve())
    found = list(predict_each(["inside"]))
    assert [each.source for each in found if isinstance(each, Unread)] == [
        "inside/file.png",
        "inside/loop",
    ]
    assert len(found) == 3


def test_a_closed_folder_inside_is_named_and_costs_nothing_of_the_others(images, monkeypatch):
    for name in ("tree/a", "tree/b", "tree/c"):
        Path(name).mkdir(parents=True)
        Image.fromarray(images[0]).save(f"{name}/0.png")
    listdir = os.listdir

    # Who runs the tests may be allowed everything, so no folder can be closed to them.
    def closed(folder: Path) -> list[str]:
        if Path(folder).name == "b":
            raise PermissionError(13, "Permission denied")
        return listdir(folder)

    monkeypatch.setattr(os, "listdir", closed)
    found = {each.source: isinstance(each, Unread) for each in predict_each(["tree"])}
    assert found == {"tree/a/0.png": False, "tree/b": True, "tree/c/0.png": False}


def test_folders_may_be_nested_deeper_than_calls_of_functions(images):
    depth = sys.getrecursionlimit() + 10
    folders = [Path("d")]
    for _ in range(depth):
        folders.append(folders[-1] / "d")
    for folder in folders:
        folder.mkdir()
    Image.fromarray(images[0]).save(folders[-1] / "0.png")
    try:
        (told,) = predict_each(["d"])
        assert isinstance(told, Prediction)
        assert told.source == str(folders[-1] / "0.png")
    finally:
        # What removes the folder of a test is not prepared for these.
        (folders[-1] / "0.png").unlink()
        for folder in reversed(folders):
            folder.rmdir()


@pytest.mark.parametrize("error", [errno.EACCES, errno.ENAMETOOLONG])
def test_a_first_input_that_cannot_be_looked_at_is_an_input(images, monkeypatch, error):
    def failing(path: Path) -> bool:
        raise OSError(error, os.strerror(error), str(path))

    Image.fromarray(images[0]).save("0.png")
    monkeypatch.setattr("tenfold.predictions.is_run", failing)
    assert split_model(["closed/0.png", "0.png"], None) == (None, ["closed/0.png", "0.png"])
    with pytest.raises(DataError, match="closed/0.png"):
        predict("closed/0.png", "0.png")


def test_an_empty_folder_and_a_pattern_of_nothing_are_named():
    Path("empty").mkdir()
    for name in ("empty", "*.jpg", "missing.png", "empty/missing"):
        (unread,) = predict_each([name])
        assert unread.source == name
        assert str(unread.error).startswith(f"{name}: ")
