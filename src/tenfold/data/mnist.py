"""MNIST, wherever it may be had: the first source that gives the true 60,000 + 10,000 images.

Every source is held against one content hash, so OpenML's table, Kaggle-like rows, IDX files and
Keras' archive are proved to be the same pictures in the same order. What came over the network is
kept in tenfold's cache, one file that loads in a fraction of a second.
"""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tenfold.data import idx, mirrors, npz, openml
from tenfold.data.raw import user_path
from tenfold.digits import Digits, Parts
from tenfold.errors import DataError, DownloadError
from tenfold.files import write_bytes

Say = Callable[[str], None]

# Digits.hash of the two parts, from the four files as published (their sha256 are in `mirrors`).
TRAIN_HASH = "8e07429321922ba0a74b40502a252ebded1765c8e7b35dc245da3d92e789fe61"
TEST_HASH = "b2c6879affdd356e3219570b204c1ad9b419be746a93dcaec9a15d1e2df07c1e"
TRAIN_IMAGES, TEST_IMAGES = 60_000, 10_000

FOLDER_VARIABLE = "TENFOLD_MNIST"
# Where torchvision's tutorials and courses put `root`, below which it writes MNIST/raw.
TORCHVISION_ROOTS = ("data", ".", "datasets", "~/data", "~/datasets")


class Source(NamedTuple):
    """One way to MNIST: its name, the file, folder or address it is at, and the call that gets it."""

    name: str
    place: Path | str
    get: Callable[[], Parts]


def sources() -> tuple[Source, ...]:
    """Every way to MNIST, in the order in which they are tried; the ones with a Path need no network."""
    cache, table = cache_path(), openml.cache_path()
    keras, torchvision = _keras_path(), _torchvision_folder()
    return (
        Source("tenfold's cache", cache, lambda: npz.read_npz(cache)),
        Source("scikit-learn's cache", table, lambda: _cut(openml.read_cache(table))),
        Source("Keras' copy", keras, lambda: npz.read_npz(keras)),
        Source("torchvision's copy", torchvision, lambda: idx.read_folder(torchvision)),
        Source("OpenML", openml.ADDRESS, lambda: _cut(openml.fetch())),
        Source("PyTorch's mirror", mirrors.PYTORCH, lambda: mirrors.fetch_idx(mirrors.PYTORCH)),
        Source("Google's mirror", mirrors.GOOGLE, lambda: mirrors.fetch_idx(mirrors.GOOGLE)),
        Source("Keras' mirror", mirrors.KERAS, lambda: mirrors.fetch_keras(mirrors.KERAS)),
    )


def load(say: Say) -> Parts:
    """MNIST from TENFOLD_MNIST where that is set, else from the first of `sources()` that has it.

    Args:
        say: is told in one line where MNIST came from, and in one for each source passed over.

    Raises:
        DataError: TENFOLD_MNIST is set, and what it names is not MNIST.
        DownloadError: no source gave MNIST; the message has every reason.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        say(f"MNIST: the folder {folder}, named by {FOLDER_VARIABLE}")
        return _from_folder(user_path(folder))
    failures: list[str] = []
    for source in sources():
        if isinstance(source.place, Path) and not os.path.exists(source.place):
            failures.append(f"{source.name}: nothing at {source.place}")
            continue
        try:
            parts = checked(source.get(), where=source.place)
        except (DataError, DownloadError) as error:
            failures.append(f"{source.name}: {error}")
            continue
        say(f"MNIST: {source.name}, {source.place}")
        for failure in failures:
            say(f"  passed over {failure}")
        if isinstance(source.place, str):
            _keep(parts, say)
        return parts
    raise DownloadError(
        "MNIST: none of its sources could be used.\n  "
        + "\n  ".join(failures)
        + f"\nWithout a network, set {FOLDER_VARIABLE} to a folder with the four IDX files, or use "
        "the 5,000 MNIST digits that are installed already: --data mnist5k"
    )


def load_openml(say: Say) -> Parts:
    """MNIST from OpenML and nowhere else: scikit-learn's cache, or the network."""
    parts = checked(_cut(openml.fetch()), where=openml.ADDRESS)
    say(f"MNIST: OpenML, {openml.ADDRESS}")
    return parts


def checked(parts: Parts, *, where: Path | str) -> Parts:
    """The parts, if they are MNIST to the last pixel, label and place in the order; or DataError."""
    if parts.test is None or (parts.train.hash, parts.test.hash) != (TRAIN_HASH, TEST_HASH):
        sizes = f"{len(parts.train):,} + {len(parts.test) if parts.test else 0:,} images"
        raise DataError(
            f"{where}: expected MNIST's {TRAIN_IMAGES:,} + {TEST_IMAGES:,} images, received {sizes} "
            "with another content hash. Damaged files: download them again. "
            "Another data set in the same format: name it, as in idx:FOLDER or npz:FILE."
        )
    return parts


def cache_path() -> Path:
    """Where tenfold keeps MNIST: under TENFOLD_HOME or the user's cache folder."""
    from platformdirs import user_cache_path

    home = os.environ.get("TENFOLD_HOME")
    return (user_path(home) if home else user_cache_path("tenfold")) / "mnist.npz"


def _from_folder(folder: Path) -> Parts:
    try:
        return checked(idx.read_folder(folder), where=folder)
    except DataError as error:
        raise DataError(
            f"{FOLDER_VARIABLE}: {error} Or unset {FOLDER_VARIABLE} to look elsewhere."
        ) from error


def _cut(table: Digits) -> Parts:
    """OpenML's 70,000 rows -> the official parts, which it holds one after the other."""
    if len(table) != TRAIN_IMAGES + TEST_IMAGES or table.labels is None:
        raise DataError(
            f"{table.source}: expected the {TRAIN_IMAGES + TEST_IMAGES:,} labelled rows of mnist_784, "
            f"received {len(table):,}. Delete the file, so that it is downloaded again."
        )
    first, rest = slice(0, TRAIN_IMAGES), slice(TRAIN_IMAGES, None)
    return Parts(
        Digits(table.images[first], table.labels[first], table.source),
        Digits(table.images[rest], table.labels[rest], table.source),
    )


def _keep(parts: Parts, say: Say) -> None:
    """Write the cache; a disk that is full or closed costs the next download, not this training."""
    if parts.test is None:
        return
    archive = io.BytesIO()
    np.savez(
        archive,
        x_train=parts.train.images,
        y_train=parts.train.known_labels,
        x_test=parts.test.images,
        y_test=parts.test.known_labels,
    )
    path = cache_path()
    try:
        write_bytes(path, archive.getvalue())
    except OSError as error:
        say(f"  not kept in {path}: {error.strerror or error}")


def _keras_path() -> Path:
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    return user_path(home) / "datasets" / "mnist.npz"


def _torchvision_folder() -> Path:
    folders = [user_path(root) / "MNIST" / "raw" for root in TORCHVISION_ROOTS]
    return next((folder for folder in folders if folder.is_dir()), folders[0])
