"""How data sets are named, and what a wrong name is answered."""

from pathlib import Path

import pytest

from tenfold import data
from tenfold.errors import DataError, UnknownName, UsageError


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mnits", "Did you mean 'mnist'"),
        ("kagle:train.csv", "Did you mean 'kaggle'"),
        ("", "No data set named ''"),
        ("MNIST", "No data set named 'MNIST'.*Known: folder, idx, kaggle, mnist, mnist5k"),
        ("train.csv", r"No data set named 'train\.csv'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(name: str, says: str) -> None:
    with pytest.raises(UnknownName, match=says):
        data.load(name)
    if name != "train.csv":
        with pytest.raises(UnknownName, match=says):
            data.read_images(name)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("idx", "expected 'idx:FOLDER', received 'idx'"),
        ("kaggle:", "expected 'kaggle:FILE.csv', received 'kaggle:'"),
        ("mnist5k:10", "expected 'mnist5k', received 'mnist5k:10'"),
    ],
)
def test_a_path_too_few_or_too_many_is_a_usage_error(name: str, says: str) -> None:
    for call in (data.load, data.read_images):
        with pytest.raises(UsageError, match=says):
            call(name)


def test_every_kind_is_named_in_the_table_and_answers_for_a_missing_file() -> None:
    assert set(data.KINDS) == {
        "mnist", "openml", "mnist5k", "uci-digits", "idx", "kaggle", "npz", "folder",
    }  # fmt: skip
    for kind, entry in data.KINDS.items():
        if entry.takes:
            for call in (data.load, data.read_images):
                with pytest.raises(DataError, match="nowhere: no such"):
                    call(f"{kind}:nowhere")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("idx:file", "file"),
        ("folder:file", "file"),
        ("npz:there", "there"),
        ("kaggle:there", "there"),
    ],
)
def test_a_folder_for_a_file_and_a_file_for_a_folder_are_named(
    name: str, wrong: str, empty_home: Path
) -> None:
    (empty_home / "file").write_bytes(b"x")
    (empty_home / "there").mkdir()
    with pytest.raises(DataError, match=f"{wrong}: expected a (file|folder), received a"):
        data.load(name)


def test_a_bare_path_is_read_by_its_ending(empty_home: Path) -> None:
    for name, says in (
        ("a.csv", "expected the header"),
        ("a.NPZ", "expected a .npz archive"),
        ("a.png", "expected a picture"),
        ("a.gz", "expected an IDX file of images"),
        ("a-idx3-ubyte", "expected an IDX file of images"),
        ("a:b.csv", "expected the header"),
    ):
        (empty_home / name).write_bytes(b"x")
        with pytest.raises(DataError, match=says):
            data.read_images(name)
    with pytest.raises(DataError, match=r"missing\.csv: no such file"):
        data.read_images("missing.csv")
    with pytest.raises(UnknownName, match=r"'digits\.txt'"):
        data.read_images("digits.txt")


def test_a_tilde_is_the_home_folder(empty_home: Path, some) -> None:
    import numpy as np

    np.savez(empty_home / "a.npz", images=some(3).images)
    assert len(data.load("npz:~/a.npz").train) == 3
    assert len(data.read_images("~/a.npz")) == 3
    with pytest.raises(DataError, match="no such file"):
        data.load("npz:~nobody-of-this-name/a.npz")


def test_of_a_named_data_set_use_takes_the_test_part() -> None:
    test = data.load("mnist5k").test
    assert test is not None
    assert data.read_images("mnist5k").hash == test.hash


def test_sources_are_told_in_order_without_a_network(refused: list[object]) -> None:
    statuses = data.sources()
    assert [status.name for status in statuses] == [
        "tenfold's cache",
        "scikit-learn's cache",
        "Keras' copy",
        "torchvision's copy",
        "OpenML",
        "PyTorch's mirror",
        "Google's mirror",
        "Keras' mirror",
        "mnist5k",
        "uci-digits",
    ]
    assert [status.there for status in statuses] == [False] * 4 + [None] * 4 + [True] * 2
    assert not refused


def test_messages_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    data.to_stderr("a line")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "a line\n")
