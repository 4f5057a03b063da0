"""MNIST's chain of sources: the first true one is taken, and every one that is not is told of."""

import gzip
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tenfold import data
from tenfold.data import mirrors, mnist, openml
from tenfold.digits import Digits, Parts
from tenfold.errors import DataError, DownloadError

MakeIdx = Callable[[np.ndarray], bytes]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, some: Callable[[int], Digits]) -> Parts:
    """30 + 10 digits that pass for the official 60,000 + 10,000."""
    parts = Parts(some(40).take(np.arange(30)), some(40).take(np.arange(30, 40)))
    assert parts.test is not None
    monkeypatch.setattr(mnist, "TRAIN_HASH", parts.train.hash)
    monkeypatch.setattr(mnist, "TEST_HASH", parts.test.hash)
    monkeypatch.setattr(mnist, "TRAIN_IMAGES", 30)
    monkeypatch.setattr(mnist, "TEST_IMAGES", 10)
    monkeypatch.setattr(openml, "RETRY_DELAY_SECONDS", 0.01)
    return parts


def idx_files(parts: Parts, make_idx: MakeIdx, *, pack: bool = False) -> dict[str, bytes]:
    files = {}
    for name, digits in (("train", parts.train), ("t10k", parts.test)):
        assert digits is not None
        for kind, values in (("images", digits.images), ("labels", digits.known_labels)):
            content = make_idx(values)
            ending = ".gz" if pack else ""
            files[f"{name}-{kind}-idx{values.ndim}-ubyte{ending}"] = (
                gzip.compress(content) if pack else content
            )
    return files


def write_idx(folder: Path, parts: Parts, make_idx: MakeIdx) -> None:
    folder.mkdir(parents=True)
    for name, content in idx_files(parts, make_idx).items():
        (folder / name).write_bytes(content)


def write_npz(path: Path, parts: Parts) -> None:
    assert parts.test is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        x_train=parts.train.images,
        y_train=parts.train.known_labels,
        x_test=parts.test.images,
        y_test=parts.test.known_labels,
    )


def together(parts: Parts) -> Digits:
    assert parts.test is not None
    return Digits(
        np.concatenate([parts.train.images, parts.test.images]),
        np.concatenate([parts.train.known_labels, parts.test.known_labels]),
        "both parts",
    )


def is_tiny(parts: Parts) -> bool:
    assert parts.test is not None
    return (parts.train.hash, parts.test.hash) == (mnist.TRAIN_HASH, mnist.TEST_HASH)


def put_cache(tiny: Parts, **_: object) -> None:
    write_npz(mnist.cache_path(), tiny)


def put_sklearn(tiny: Parts, *, openml_cache, make_arff, **_: object) -> None:
    openml_cache(make_arff(together(tiny)))


def put_keras(tiny: Parts, *, home: Path, **_: object) -> None:
    write_npz(home / ".keras" / "datasets" / "mnist.npz", tiny)


def put_torchvision(tiny: Parts, *, home: Path, make_idx, **_: object) -> None:
    write_idx(home / "data" / "MNIST" / "raw", tiny, make_idx)


LOCAL = {
    "tenfold's cache": put_cache,
    "scikit-learn's cache": put_sklearn,
    "Keras' copy": put_keras,
    "torchvision's copy": put_torchvision,
}


@pytest.mark.parametrize("name", LOCAL)
def test_a_copy_on_the_disk_is_taken_without_a_network_and_said_so(
    tiny, name, openml_cache, make_arff, make_idx, empty_home: Path, refused
) -> None:
    LOCAL[name](
        tiny, openml_cache=openml_cache, make_arff=make_arff, make_idx=make_idx, home=empty_home
    )
    said: list[str] = []
    assert is_tiny(data.load("mnist", say=said.append))
    assert said[0].startswith(f"MNIST: {name}, ")
    # One line more for each of those before it.
    assert len(said) == 1 + list(LOCAL).index(name)
    assert not refused
    assert [s.there for s in data.sources() if s.name == name] == [True]


def test_the_order_is_the_one_that_is_documented(
    tiny, openml_cache, make_arff, make_idx, empty_home: Path
) -> None:
    for put in reversed(LOCAL.values()):
        put(
            tiny, openml_cache=openml_cache, make_arff=make_arff, make_idx=make_idx, home=empty_home
        )
    for name in LOCAL:
        said: list[str] = []
        data.load(say=said.append)
        assert said[0].startswith(f"MNIST: {name}, ")
        place = next(source.place for source in mnist.sources() if source.name == name)
        assert isinstance(place, Path)
        place.rename(place.with_name("away"))


def test_homes_of_keras_and_torchvision_are_found_where_users_have_them(
    tiny, make_idx, empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    write_npz(tmp_path / "keras" / "datasets" / "mnist.npz", tiny)
    said: list[str] = []
    assert is_tiny(data.load(say=said.append))
    assert "Keras' copy" in said[0]
    monkeypatch.delenv("KERAS_HOME")
    # Standing elsewhere, the home folder's data is found.
    write_idx(empty_home / "data" / "MNIST" / "raw", tiny, make_idx)
    monkeypatch.chdir(tmp_path)
    assert is_tiny(data.load(say=said.append))


def test_a_changed_pixel_or_label_is_not_mnist(tiny, empty_home: Path, some) -> None:
    path = empty_home / ".keras" / "datasets" / "mnist.npz"
    images = tiny.train.images.copy()
    images[3, 14, 14] ^= 1
    labels = tiny.train.known_labels.copy()
    labels[[0, 1]] = labels[[1, 0]]
    assert labels[0] != labels[1]
    for train in (
        Digits(images, tiny.train.labels, "x"),
        Digits(tiny.train.images, labels, "x"),
        tiny.train.take(np.arange(29, -1, -1)),
    ):
        write_npz(path, Parts(train, tiny.test))
        with pytest.raises(DownloadError, match="Keras' copy: .*another content hash"):
            data.load(say=lambda _: None)
    write_npz(path, Parts(tiny.train, some(50).take(np.arange(40, 50))))
    with pytest.raises(DownloadError, match="Keras' copy: .*received 30 . 10 images with another"):
        data.load(say=lambda _: None)


def test_a_damaged_copy_is_passed_over_and_named(tiny, empty_home: Path, make_idx) -> None:
    write_npz(mnist.cache_path(), tiny)
    mnist.cache_path().write_bytes(mnist.cache_path().read_bytes()[:-100])
    write_idx(empty_home / "data" / "MNIST" / "raw", tiny, make_idx)
    said: list[str] = []
    assert is_tiny(data.load(say=said.append))
    assert "torchvision's copy" in said[0]
    assert any("passed over tenfold's cache" in line and "mnist.npz: " in line for line in said)


def test_the_named_folder_comes_before_all_others(
    tiny, make_idx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_cache(tiny)
    write_idx(tmp_path / "idx", tiny, make_idx)
    monkeypatch.setenv("TENFOLD_MNIST", str(tmp_path / "idx"))
    said: list[str] = []
    parts = data.load(say=said.append)
    assert is_tiny(parts)
    assert said == [f"MNIST: the folder {tmp_path / 'idx'}, named by TENFOLD_MNIST"]
    assert parts.train.source.startswith(str(tmp_path / "idx"))
    assert data.sources()[0][:3] == ("TENFOLD_MNIST", str(tmp_path / "idx"), True)


def test_a_named_folder_that_is_wrong_is_an_error_and_never_passed_over(
    tiny, make_idx, some, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_cache(tiny)
    folder = tmp_path / "idx"
    monkeypatch.setenv("TENFOLD_MNIST", str(folder))
    with pytest.raises(DataError, match="^TENFOLD_MNIST: .*idx: no such folder"):
        data.load(say=lambda _: None)
    write_idx(folder, tiny, make_idx)
    labels = folder / "train-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-1])
    with pytest.raises(DataError, match="^TENFOLD_MNIST: .*train-labels-idx1-ubyte: expected 38 b"):
        data.load_or_embedded(lambda _: None)
    labels.write_bytes(make_idx(some(30).known_labels[::-1]))
    with pytest.raises(DataError, match="^TENFOLD_MNIST: .*another content hash.*idx:FOLDER"):
        data.load(say=lambda _: None)
    (folder / "t10k-images-idx3-ubyte").unlink()
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match=r"received 30 \+ 0 images"):
        data.load(say=lambda _: None)


def test_a_download_is_kept_and_needs_no_network_again(
    tiny, make_idx, serve, reply, monkeypatch: pytest.MonkeyPatch, refused
) -> None:
    files = idx_files(tiny, make_idx, pack=True)
    address = serve(lambda handler: reply(handler, files[handler.path.rpartition("/")[2]]))
    sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(mirrors, "IDX_SHA256", sha256)
    monkeypatch.setattr(mirrors, "GOOGLE", f"{address}/mnist")

    said: list[str] = []
    assert is_tiny(data.load(say=said.append))
    assert said[0] == f"MNIST: Google's mirror, {address}/mnist"
    passed_over = [line.split(":")[0].removeprefix("  passed over ") for line in said[1:]]
    assert passed_over == [*LOCAL, "OpenML", "PyTorch's mirror"]

    asked = len(refused)
    again: list[str] = []
    assert is_tiny(data.load(say=again.append))
    assert again == [f"MNIST: tenfold's cache, {mnist.cache_path()}"]
    assert len(refused) == asked
    assert [path.name for path in mnist.cache_path().parent.iterdir()] == ["mnist.npz"]
    with np.load(mnist.cache_path(), allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["x_test"], tiny.test.images)


def test_a_cache_that_cannot_be_written_costs_a_remark(
    tiny, make_idx, serve, reply, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = idx_files(tiny, make_idx, pack=True)
    address = serve(lambda handler: reply(handler, files[handler.path.rpartition("/")[2]]))
    sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(mirrors, "IDX_SHA256", sha256)
    monkeypatch.setattr(mirrors, "PYTORCH", address)
    (tmp_path / "a-file").touch()
    monkeypatch.setenv("TENFOLD_HOME", str(tmp_path / "a-file"))
    said: list[str] = []
    assert is_tiny(data.load(say=said.append))
    assert "not kept in" in said[-1]


def test_openml_alone_is_cut_into_the_official_parts(
    tiny, openml_cache, make_arff, refused
) -> None:
    openml_cache(make_arff(together(tiny)))
    said: list[str] = []
    assert is_tiny(data.load("openml", say=said.append))
    assert said == ["MNIST: OpenML, https://www.openml.org/d/554"]
    assert not refused


def test_another_number_of_rows_is_not_cut(tiny, openml_cache, make_arff, some) -> None:
    openml_cache(make_arff(some(39)))
    with pytest.raises(DataError, match="expected the 40 labelled rows of mnist_784, received 39"):
        data.load("openml", say=lambda _: None)


def test_without_any_source_all_are_named_with_the_reason_and_the_way_out(refused) -> None:
    begin = time.monotonic()
    with pytest.raises(DownloadError) as caught:
        data.load("mnist", say=lambda _: None)
    # Each of four hosts is asked once or twice, and says at once that it is not there.
    assert time.monotonic() - begin < 10
    message = str(caught.value)
    for source in mnist.sources():
        assert f"\n  {source.name}: " in message
        assert str(source.place) in message
    assert "Name or service not known" in message
    assert "--data mnist5k" in message
    assert "TENFOLD_MNIST" in message
    assert set(refused) == {
        "www.openml.org",
        "ossci-datasets.s3.amazonaws.com",
        "storage.googleapis.com",
    }
    assert not mnist.cache_path().exists()


def test_the_fallback_says_what_it_is(tiny) -> None:
    said: list[str] = []
    name, parts = data.load_or_embedded(said.append)
    assert name == "mnist5k"
    assert parts.train.hash == data.load("mnist5k").train.hash
    assert "none of its sources" in said[0]
    assert "not MNIST's results" in said[-1]
    put_cache(tiny)
    name, parts = data.load_or_embedded(said.append)
    assert name == "mnist"
    assert is_tiny(parts)


@pytest.mark.mnist
@pytest.mark.slow
def test_every_way_to_mnist_ends_in_the_same_pictures(
    official_folder: Path, tmp_path: Path, openml_cache, make_arff, monkeypatch, refused
) -> None:
    monkeypatch.setenv("TENFOLD_MNIST", str(official_folder))
    named = data.load("mnist", say=lambda _: None)
    monkeypatch.delenv("TENFOLD_MNIST")
    assert named.test is not None
    hashes = (mnist.TRAIN_HASH, mnist.TEST_HASH)
    assert (named.train.hash, named.test.hash) == hashes
    # As many of each digit as LeCun's page and everybody since counts.
    assert np.bincount(named.test.known_labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip

    by_idx = data.load(f"idx:{official_folder}")
    write_npz(tmp_path / "mnist.npz", named)
    by_npz = data.load(f"npz:{tmp_path / 'mnist.npz'}")

    arff = make_arff(together(named))
    path = openml_cache(arff)
    by_openml = data.load("openml", say=lambda _: None)
    said: list[str] = []
    by_cache = data.load("mnist", say=said.append)
    assert str(path) in said[0]
    for parts in (by_idx, by_npz, by_openml, by_cache):
        assert parts.test is not None
        assert (parts.train.hash, parts.test.hash) == hashes
    assert not refused

    # Kaggle's layout, from OpenML's: the label moves from the last column to the first.
    rows = [line.rpartition(b",") for line in arff[arff.index(b"@DATA\n") + 6 :].split()]
    header = ",".join(["label", *(f"pixel{i}" for i in range(784))]).encode()
    table = b"\n".join(
        [header, *(b"%b,%b" % (label, pixels) for pixels, _, label in rows[:60_000])]
    )
    (tmp_path / "train.csv").write_bytes(table + b"\n")
    assert data.load(f"kaggle:{tmp_path / 'train.csv'}").train.hash == mnist.TRAIN_HASH


@pytest.mark.mnist
def test_mnist5k_is_part_of_mnists_training_images(official_folder: Path) -> None:
    train = data.load(f"idx:{official_folder}").train
    of_mnist = set(map(pair, train.images, train.known_labels))
    for part in data.load("mnist5k"):
        assert part is not None
        assert set(map(pair, part.images, part.known_labels)) <= of_mnist


def pair(image: np.ndarray, label: np.uint8) -> tuple[bytes, int]:
    return image.tobytes(), int(label)
