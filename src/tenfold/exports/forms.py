"""A model -> a file or a folder for other programs. `FORMS` is the table of them."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from tenfold.data import load, to_stderr
from tenfold.digits import SIDE, Classifier, Digits, Images, Probabilities
from tenfold.errors import DataError, DownloadError, UsageError, lookup
from tenfold.evaluation import judge
from tenfold.exports.agreement import check_agreement
from tenfold.exports.describing import describe, load_networks
from tenfold.files import check_free, check_target, write_bytes, write_folder
from tenfold.modelfile import PRETRAINED, OnnxClassifier, open_classifier, to_script
from tenfold.training import is_run, open_run

Say = Callable[[str], None]


class Source(NamedTuple):
    """The model that is passed on.

    Attributes:
        path: its run folder or model folder.
        say: called with remarks for a person.
    """

    path: Path
    say: Say


class Form(NamedTuple):
    """One form for other programs.

    Attributes:
        ending: of its file; of a folder, of its name.
        make: the model -> the content, or the files of the folder by name; agrees with its source.
        open: the content -> what a person who uses it gets; None where that is not a model.
    """

    ending: str
    make: Callable[[Source], bytes | Mapping[str, bytes]]
    open: Callable[[bytes], Classifier] | None = None


def export(
    model: Path | str | None = None,
    form: str = "onnx",
    *,
    out: Path | str | None = None,
    say: Say = to_stderr,
) -> Path:
    """Write a model for other programs, once it agrees with the one it came from -> its path.

    Args:
        model: a run folder or a model folder, for "script" a run folder; None is the model in the box.
        form: a name of `FORMS`.
        out: the file or folder to write; None is named after the model, here.
        say: called with what a form costs in accuracy, where it costs any.

    Raises:
        UnknownName: no such form.
        UsageError: `out` is a folder, or has another ending than the form's files.
        ModelError: `model` does not hold what the form needs.
        MissingExtra: what the form is checked with is not installed.
        ParityError: what would have been written tells other digits; nothing was written.
    """
    entry = lookup(FORMS, form, "export format")
    path = PRETRAINED if model is None else Path(model)
    target = Path(f"{path.resolve().name}{entry.ending}" if out is None else out)
    _, point, suffix = entry.ending.rpartition(".")
    if not point:
        check_free(target)
    elif check_target(target).suffix != point + suffix:
        raise UsageError(
            f"{target}: expected a name that ends in .{suffix}, as this form's files do."
        )
    content = entry.make(Source(path, say))
    if isinstance(content, bytes):
        write_bytes(target, content)
    else:
        write_folder(target, content)
    return target


def _onnx(source: Source) -> bytes:
    from tenfold.modelfile.onnx_graph import to_onnx

    model = load_networks(source.path)
    content = to_onnx(model.members, shifts=model.shifts, reject_below=model.reject_below)
    check_agreement(open_classifier(source.path), _open_onnx(content))
    return content


def _open_onnx(content: bytes) -> OnnxClassifier:
    return OnnxClassifier(content, source="the exported file")


def _onnx_int8(source: Source) -> bytes:
    from tenfold.modelfile.quantized import check_digits_agree, quantized

    ours = open_classifier(source.path)
    calibration, (name, test) = pictures_like_its_own(source.path), judged_on(source)
    content = quantized(_onnx(source), calibration)
    theirs = _open_onnx(content)
    check_digits_agree(ours, theirs, test.images)
    source.say(
        f"accuracy on the test part of {name}: in 8 bits {judge(theirs, test).accuracy}, "
        f"in 32 bits {judge(ours, test).accuracy}"
    )
    return content


def _keras(source: Source) -> bytes:
    from tenfold.keras_engine import save_keras

    model = load_networks(source.path)
    with TemporaryDirectory() as folder:
        written = Path(folder, "model.keras")
        save_keras(written, model.members, shifts=model.shifts)
        content = written.read_bytes()
    check_agreement(open_classifier(source.path), KerasFile(content))
    return content


class KerasFile:
    """What a person who opens a .keras file gets of it."""

    def __init__(self, content: bytes) -> None:
        import keras

        with TemporaryDirectory() as folder:
            path = Path(folder, "model.keras")
            path.write_bytes(content)
            self._model = keras.models.load_model(path)

    def predict_proba(self, images: Images) -> Probabilities:
        """images uint8 (n, 28, 28) -> float32 (n, 10)."""
        return np.asarray(self._model.predict(images, verbose=0))


def _litert(source: Source) -> bytes:
    from tenfold.modelfile.litert import import_litert

    import_litert()
    from tenfold.keras_engine import to_litert

    model = load_networks(source.path)
    content = to_litert(model.members, shifts=model.shifts)
    check_agreement(open_classifier(source.path), _open_litert(content))
    return content


def _open_litert(content: bytes) -> Classifier:
    from tenfold.keras_engine.quiet import without_remarks
    from tenfold.modelfile.litert import LiteRTClassifier

    # Its first answer is what it makes a remark on.
    with without_remarks():
        classifier = LiteRTClassifier(content, source="the exported file")
        classifier.predict_proba(np.zeros((1, SIDE, SIDE), np.uint8))
    return classifier


def _npz(source: Source) -> bytes:
    from tenfold.modelfile.flat import to_npz

    content = to_npz(load_networks(source.path))
    check_agreement(open_classifier(source.path), _open_npz(content))
    return content


def _open_npz(content: bytes) -> Classifier:
    from tenfold.modelfile import run_npz

    return ArraysRun(run_npz.load(BytesIO(content)))


def _web(source: Source) -> dict[str, bytes]:
    from tenfold.modelfile.web import MODEL, read_model, to_web

    files = to_web(load_networks(source.path))
    # Python runs what the page will; that the page does the same, and sees the same, is tested in a browser.
    check_agreement(open_classifier(source.path), ArraysRun(read_model(files[MODEL])))
    return files


class ArraysRun:
    """What a person who runs steps and arrays with `modelfile/run_npz.py` gets of them."""

    def __init__(self, model: tuple[dict[str, Any], dict[str, Any]]) -> None:
        self._model = model

    def predict_proba(self, images: Images) -> Probabilities:
        """images uint8 (n, 28, 28) -> float32 (n, 10)."""
        from tenfold.modelfile import run_npz

        # Windows of a convolution are copies: a few hundred pictures at a time are tens of MB.
        chunks = [images[start : start + 256] for start in range(0, len(images), 256)]
        return np.concatenate([run_npz.probabilities(self._model, chunk) for chunk in chunks])


def _script(source: Source) -> bytes:
    described = describe(source.path)
    return to_script(described.known_recipe, name=described.name).encode()


FORMS: dict[str, Form] = {
    "onnx": Form(".onnx", _onnx, _open_onnx),
    "onnx-int8": Form("-int8.onnx", _onnx_int8, _open_onnx),
    "litert": Form(".tflite", _litert, _open_litert),
    "keras": Form(".keras", _keras, KerasFile),
    "npz": Form(".npz", _npz, _open_npz),
    "web": Form("-web", _web),
    "script": Form(".py", _script),
}


def data_name_of(path: Path) -> str:
    """The data set that a model was trained on, where that can be loaded by name; else "mnist"."""
    name = str(open_run(path).record["data"]["name"]) if is_run(path) else "mnist"
    return "mnist" if name == "own" else name


def pictures_like_its_own(path: Path) -> Images:
    """Training pictures of what a model is for; for MNIST those of its 5,000 that are installed already."""
    name = data_name_of(path)
    with suppress(DataError):
        if name not in ("mnist", "openml"):
            return load(name).train.images
    return load("mnist5k").train.images


def judged_on(source: Source) -> tuple[str, Digits]:
    """(name, digits): what a model is judged on, "mnist5k" where that cannot be had."""
    name = data_name_of(source.path)
    try:
        parts = load(name, say=lambda _: None)
    except (DataError, DownloadError):
        name, parts = "mnist5k", load("mnist5k")
    digits = parts.test or parts.train
    if is_run(source.path):
        open_run(source.path).count_opening(digits)
    return name, digits
