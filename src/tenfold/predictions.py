"""Pictures and rows from anywhere -> what a model says of them, a part at a time, in constant memory.

Joins `data` (what is there), `pictures` (any picture -> 28x28) and a Classifier. Picture files are always
brought into canonical form; rows of data sets are taken as they are. Knows nothing about tables or streams.
"""

import glob
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tenfold.data import KINDS, STANDARD_INPUT, PictureFile, Rows, open_input
from tenfold.digits import Classifier, Images, Labels, Probabilities
from tenfold.errors import DataError, UsageError
from tenfold.modelfile import MANIFEST, pretrained
from tenfold.pictures import MAX_PICTURE_BYTES, canonical, decode
from tenfold.training import is_run, open_model
from tenfold.values import check_number

# Enough for the runtime to be busy; a person who waits for the first answer does not notice.
PICTURES_AT_A_TIME = 64

Name = str | os.PathLike[str]


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says of one picture file, or of rows of one data set.

    Attributes:
        source: the file, or the data set as it was named.
        probabilities: float32 (n, 10).
        saw: uint8 (n, 28, 28): the pictures as the model saw them.
        first_row: the number of the first of them among the source's rows.
        reject_below: where the largest probability is less, the picture shows no digit; 0 for never.
    """

    source: str
    probabilities: Probabilities
    saw: Images
    first_row: int = 0
    reject_below: float = 0.0

    @property
    def digits(self) -> Labels:
        """uint8 (n,): the most probable digit of each picture, even where it shows none."""
        most_probable: Labels = self.probabilities.argmax(axis=1).astype(np.uint8)
        return most_probable

    @property
    def confidences(self) -> Probabilities:
        """float32 (n,): how probable that digit is."""
        largest: Probabilities = self.probabilities.max(axis=1)
        return largest

    @property
    def is_digit(self) -> NDArray[np.bool_]:
        """bool (n,): whether the model takes the picture for a digit at all."""
        accepted: NDArray[np.bool_] = self.confidences >= self.reject_below
        return accepted


@dataclass(frozen=True)
class Unread:
    """An input, or the rest of one, that could not be read.

    Attributes:
        source: as in Prediction; of a folder or a pattern that could not be gone through, its name.
        error: why.
        rows_told: how many rows of it had been told already.
    """

    source: str
    error: DataError
    rows_told: int = 0


def predict(
    *arguments: Name | Sequence[Name], model: Name | None = None, reject_below: float | None = None
) -> list[Prediction]:
    """Ask a model about pictures: a Prediction for each picture file and each data set, in their order.

    Args:
        arguments: the inputs, one by one or in lists: files, folders, patterns, "-", or a "kind:path" of
            `tenfold.load`. If the first of several is a run folder, a model folder or an .onnx file, it is the
            model: `predict("runs/first", ["a.png", "test.csv"])`.
        model: the model; None is the one in the box, `tenfold.pretrained()`.
        reject_below: instead of the model's own; 0 takes every picture for a digit.

    Raises:
        UsageError: no input, or a name that cannot be right.
        ModelError, CorruptFile: no model there, or a damaged one.
        DataError: an input cannot be read. `predict_each` tells the others.
    """
    names: list[Name] = []
    for argument in arguments:
        names += [argument] if isinstance(argument, (str, os.PathLike)) else argument
    flat = [str(name) for name in names]
    model, inputs = split_model(flat, None if model is None else str(model))
    parts: dict[tuple[int, str], list[Prediction]] = {}
    number = 0
    for told in predict_each(inputs, model=model, reject_below=reject_below):
        if isinstance(told, Unread):
            raise told.error
        number += told.first_row == 0
        parts.setdefault((number, told.source), []).append(told)
    return [_joined(of_one) for of_one in parts.values()]


def _joined(parts: list[Prediction]) -> Prediction:
    if len(parts) == 1:
        return parts[0]
    return Prediction(
        parts[0].source,
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.saw for part in parts]),
        reject_below=parts[0].reject_below,
    )


def split_model(arguments: Sequence[str], model: str | None) -> tuple[str | None, list[str]]:
    """(what stands on the command line, --model) -> (the model, None for the one in the box; the inputs).

    Raises:
        UsageError: there is no input.
    """
    inputs = list(arguments)
    if model is None and inputs and _means_a_model(inputs):
        model = inputs.pop(0)
    if not inputs:
        about = "" if model is None else f" for the model {model}"
        raise UsageError(
            f"predict: expected at least one INPUT{about}, received none. Name pictures, folders or data sets, "
            "or - for standard input."
        )
    return model, inputs


def _means_a_model(arguments: list[str]) -> bool:
    first = arguments[0]
    path = Path(first)
    if path.suffix == ".onnx" or _holds_a_model(path):
        return True
    # In front of inputs, the name of nothing was meant for a model, and is answered so.
    known = first.partition(":")[0] in KINDS or first == STANDARD_INPUT or glob.has_magic(first)
    return len(arguments) > 1 and not (known or path.suffix or os.path.lexists(path))


def _holds_a_model(path: Path) -> bool:
    manifests = (path / MANIFEST, path / "model" / MANIFEST)
    try:
        return is_run(path) or any(manifest.is_file() for manifest in manifests)
    except OSError:
        # A closed folder, or too long a name: as an input it is named, and the others are told.
        return False


def predict_each(
    inputs: Iterable[str], *, model: Name | None = None, reject_below: float | None = None
) -> Iterator[Prediction | Unread]:
    """The same in constant memory: rows as they are read, and what cannot be read among the others.

    A data set comes in parts of equal `source`, with `first_row` counting on.

    Args:
        inputs: as for `predict`, without the model.
        model: as for `predict`.
        reject_below: as for `predict`.

    Raises:
        UsageError, ModelError, CorruptFile: at once, before anything is read.
    """
    if reject_below is not None:
        check_number("reject_below", reject_below, 0.0, 1.0)
    names = list(inputs)
    if names.count(STANDARD_INPUT) > 1:
        raise UsageError(
            f"{STANDARD_INPUT}: expected standard input once, received it {names.count(STANDARD_INPUT)} times. "
            "It can be read only once: leave the others out."
        )
    opened = [(name, open_input(name)) for name in names]
    classifier = pretrained() if model is None else open_model(Path(model))[1]
    threshold = classifier.reject_below if reject_below is None else reject_below
    return _each(_Asked(classifier, threshold), opened)


@dataclass(frozen=True)
class _Asked:
    """A classifier, and from which confidence on its answers count."""

    classifier: Classifier
    reject_below: float

    def about(self, source: str, images: Images, first_row: int = 0) -> Prediction:
        probabilities = self.classifier.predict_proba(images)
        return Prediction(source, probabilities, images, first_row, self.reject_below)

    def about_files(self, pictures: list[tuple[str, Images]]) -> Iterator[Prediction]:
        """Pictures of several files, asked about at once; the list is emptied."""
        if pictures:
            told = self.classifier.predict_proba(np.stack([image for _, image in pictures]))
            for (source, image), probabilities in zip(pictures, told, strict=True):
                yield Prediction(
                    source, probabilities[None], image[None], reject_below=self.reject_below
                )
        pictures.clear()


def _each(
    asked: _Asked, opened: list[tuple[str, Iterator[Rows | PictureFile]]]
) -> Iterator[Prediction | Unread]:
    waiting: list[tuple[str, Images]] = []
    for name, found in opened:
        try:
            for one in found:
                if isinstance(one, Rows):
                    yield from asked.about_files(waiting)
                    yield from _of_rows(asked, one)
                    continue
                try:
                    waiting.append((one.source, _canonical(one)))
                except DataError as error:
                    yield from asked.about_files(waiting)
                    yield Unread(one.source, error)
                if len(waiting) >= PICTURES_AT_A_TIME:
                    yield from asked.about_files(waiting)
        except DataError as error:
            yield from asked.about_files(waiting)
            yield Unread(name, error)
    yield from asked.about_files(waiting)


def _of_rows(asked: _Asked, rows: Rows) -> Iterator[Prediction | Unread]:
    told = 0
    try:
        for images in rows.parts:
            yield asked.about(rows.source, images, told)
            told += len(images)
    except DataError as error:
        yield Unread(rows.source, error, told)


def _canonical(file: PictureFile) -> Images:
    where = "standard input" if file.source == STANDARD_INPUT else file.source
    return canonical(decode(file.read(MAX_PICTURE_BYTES), where=where))


def png_of(image: Images) -> bytes:
    """What a model saw, uint8 (28, 28) -> a PNG file."""
    from PIL import Image

    written = io.BytesIO()
    Image.fromarray(image).save(written, "PNG")
    return written.getvalue()
