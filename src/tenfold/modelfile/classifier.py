"""A run folder, a model folder or an .onnx file -> a Classifier, without Keras or TensorFlow.

Knows nothing about training or about what the answers are used for. A foreign .onnx file is taken
where it has the signature of tenfold's own; it is data for onnxruntime's operators and holds no code.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import CLASSES, SIDE, Images, Probabilities, check_images
from tenfold.errors import ModelError
from tenfold.modelfile.native import (
    INPUT,
    MANIFEST,
    MAX_MODEL_BYTES,
    OUTPUT,
    REJECT_BELOW,
    load_model,
    read_onnx,
)
from tenfold.randomness import stream
from tenfold.values import check_whole

# Enough to keep every core busy; a small convolutional network then holds a few tens of MB.
CHUNK_IMAGES = 256
MAX_CORES = 1024

_SIGNATURE = (
    f"one input `{INPUT}`, uint8 (n, {SIDE}, {SIDE}) with any n, and one output `{OUTPUT}`, "
    f"float32 (n, {CLASSES})"
)


class OnnxClassifier:
    """Runs an ONNX model.

    Attributes:
        reject_below: 0 <= p < 1: where the largest of a picture's probabilities is less, it shows no digit;
            0 where the model was not made to tell.

    Args:
        content: the model, serialised.
        source: what messages call it.
        cores: how many one question may keep busy; None for all of this machine.

    Raises:
        ModelError: `content` is not an ONNX model, or takes or gives something else than ours.
        UsageError: `cores` is no number of them.
    """

    def __init__(self, content: bytes, *, source: str, cores: int | None = None) -> None:
        import onnxruntime

        if cores is not None:
            check_whole("cores", cores, 1, MAX_CORES)
        options = onnxruntime.SessionOptions()
        # 0 stands for all.
        options.intra_op_num_threads = cores or 0
        # What goes wrong comes as an exception; the log would say it a second time, on stderr.
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors have no base of their own
            raise ModelError(
                f"{source}: expected an ONNX model ({error}). Export it again, or copy it to its end."
            ) from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if not _is_ours(inputs, outputs):
            received = "; ".join(f"{p.name} {p.type} {p.shape}" for p in (*inputs, *outputs))
            raise ModelError(
                f"{source}: expected {_SIGNATURE}; received {received}. "
                "Let the model itself scale, reshape and apply softmax."
            )
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.reject_below = _threshold(metadata.get(REJECT_BELOW, "0"), source=source)

    def predict_proba(self, images: Images) -> Probabilities:
        """images uint8 (n, 28, 28) -> float32 (n, 10), rows sum to 1; DataError for other images."""
        images = check_images(images)
        probabilities = np.empty((len(images), CLASSES), np.float32)
        for start in range(0, len(images), CHUNK_IMAGES):
            rows = slice(start, start + CHUNK_IMAGES)
            probabilities[rows] = self._session.run(None, {INPUT: images[rows]})[0]
        return probabilities


def open_classifier(path: Path | str, *, cores: int | None = None) -> OnnxClassifier:
    """The Classifier in a run folder, a model folder or an .onnx file.

    Args:
        path: where it is.
        cores: how many one question may keep busy; None for all of this machine.

    Raises:
        ModelError: there is none, or it does not take pictures and give ten probabilities.
        CorruptFile: a model folder is damaged; the message names the file.
        UsageError: `cores` is no number of them.
    """
    path = Path(path)
    if path.suffix == ".onnx":
        return _open_file(path, cores)
    return OnnxClassifier(read_onnx(find_model(path)), source=str(path), cores=cores)


def find_model(path: Path) -> Path:
    """The model folder that `path` is, or has in it as a run folder does; otherwise ModelError."""
    places = [path, path / "model"]
    for folder in places:
        if (folder / MANIFEST).is_file():
            return folder
    near = sorted({*_runs_in(path), *_runs_in(path.parent)})
    # Names of runs begin with their date: the last ten are the newest.
    hint = f"Models there: {', '.join(near[-10:])}." if near else "Train one with `tenfold train`."
    raise ModelError(
        f"{path}: expected a run folder, a model folder or an .onnx file; "
        f"found neither {' nor '.join(str(place / MANIFEST) for place in places)}. {hint}"
    )


def trained_on(path: Path) -> NDArray[np.uint64]:
    """`digits.fingerprints` of the images that a model was trained on, uint64 (k,); none of an .onnx file, which does not say.

    Raises:
        ModelError, CorruptFile: as `find_model` and `load_model` say.
    """
    if path.suffix == ".onnx":
        return np.empty(0, np.uint64)
    return load_model(find_model(path)).trained_on


def _runs_in(folder: Path) -> list[str]:
    return [str(manifest.parent.parent) for manifest in folder.glob(f"*/model/{MANIFEST}")]


def _is_ours(inputs: Sequence[Any], outputs: Sequence[Any]) -> bool:
    signature = [(part.name, part.type, part.shape[1:]) for part in (*inputs, *outputs)]
    return signature == [
        (INPUT, "tensor(uint8)", [SIDE, SIDE]),
        (OUTPUT, "tensor(float)", [CLASSES]),
    ] and not isinstance(inputs[0].shape[0], int)


def _threshold(text: str, *, source: str) -> float:
    try:
        threshold = float(text)
    except ValueError:
        threshold = math.nan
    if not 0 <= threshold < 1:
        raise ModelError(
            f"{source}: expected {REJECT_BELOW} in the metadata to be a number from 0 to below 1, received {text!r}."
        )
    return threshold


def _open_file(path: Path, cores: int | None) -> OnnxClassifier:
    """A single .onnx file, which anyone may have made: nothing about it is taken for granted."""
    try:
        if not path.is_file():
            raise ModelError(f"{path}: there is no such file. Give the path of an .onnx file.")
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise ModelError(f"{path}: expected at most {MAX_MODEL_BYTES:,} bytes.")
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error}).") from error
    _check_self_contained(path, content)
    classifier = OnnxClassifier(content, source=str(path), cores=cores)
    tries = stream(0, "foreign").integers(0, 256, (2, SIDE, SIDE)).astype(np.uint8)
    try:
        sums = classifier.predict_proba(tries).sum(axis=1)
    except Exception as error:  # onnxruntime's errors have no base of their own
        raise ModelError(f"{path}: the model fails on a picture ({error}).") from error
    if not np.allclose(sums, 1, atol=1e-3):
        raise ModelError(
            f"{path}: expected ten probabilities that sum to 1, received a sum of {sums[0]:g}. "
            "Let the model end with softmax."
        )
    return classifier


def _check_self_contained(path: Path, content: bytes) -> None:
    """No array lies in another file: a model must not be able to name files of this machine."""
    import onnx

    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's DecodeError, whose module has moved before
        raise ModelError(
            f"{path}: expected an ONNX model ({error}). Export it again, or copy it to its end."
        ) from error
    for message in _messages(model):
        if isinstance(message, onnx.TensorProto) and message.external_data:
            raise ModelError(
                f"{path}: expected all arrays inside the file, {message.name!r} lies in another. "
                "Save it with `onnx.save(model, path, save_as_external_data=False)`."
            )


def _messages(message: Any) -> Iterator[Any]:
    """A protobuf message and all messages inside it, however deep."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for child in value if isinstance(value, Sequence) else [value]:
                yield from _messages(child)
