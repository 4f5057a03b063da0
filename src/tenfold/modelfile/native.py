"""A model folder: a network, its weights and what they were trained on, sealed so that damage shows.

    network.json         Network.to_json
    weights.safetensors  every array under its full name
    model.onnx           the same as one ONNX graph, which is what is run
    trained_on.bin       fingerprints of the training images: sorted uint64, little-endian
    manifest.json        format, about, sha256 and size of each file; last, the sha256 of all before it

The manifest is the commit point. A save puts the new files beside the old ones, replaces the
manifest, and only then gives the new files their names; a reader looks in both places. So whenever
a save is cut off, the folder holds the old model or the new one, never a mixture that passes for one.

Loading builds the network from tenfold's own classes and assigns arrays by name and shape. Knows
nothing about runs, or about what runs the graph.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import CorruptFile, ModelError
from tenfold.files import (
    Seal,
    check_seal,
    read_sealed_json,
    seal,
    write_bytes,
    write_sealed_json,
)
from tenfold.network import Network, network_from_json
from tenfold.weights import Weights, check_weights

FORMAT = 1
MANIFEST = "manifest.json"
NETWORK = "network.json"
WEIGHTS = "weights.safetensors"
ONNX = "model.onnx"
TRAINED_ON = "trained_on.bin"

# What the ONNX graph takes and gives.
INPUT = "images"
OUTPUT = "probabilities"

# The largest Network (50 million parameters) takes 200 MB.
MAX_MODEL_BYTES = 300 * 2**20
# No file is read that claims more: a description is a few KB, 10 million fingerprints are 80 MB.
_MAX_BYTES = {
    NETWORK: 2**20,
    WEIGHTS: MAX_MODEL_BYTES,
    ONNX: MAX_MODEL_BYTES,
    TRAINED_ON: 80 * 10**6,
}

_NEW = ".new"

About = dict[str, str | int]


class Model(NamedTuple):
    """What a model folder holds.

    Attributes:
        network: the network.
        weights: its arrays, float32, in the order of the plan.
        trained_on: `digits.fingerprints` of the training images, uint64 (k,), sorted, each once.
        about: what whoever saved it wanted known: recipe, seed, data hash.
    """

    network: Network
    weights: Weights
    trained_on: NDArray[np.uint64]
    about: About


def save_model(
    folder: Path,
    network: Network,
    weights: Weights,
    *,
    trained_on: NDArray[np.uint64],
    about: Mapping[str, str | int],
) -> None:
    """Put a model into `folder`, in place of the one that may be there.

    Raises:
        ModelError: the weights do not belong to the network or are not finite, or `about` holds
            something else than words and whole numbers.
        OSError: the disk is full, or the place may not be written; the model that was there stays.
    """
    from tenfold.modelfile.onnx_graph import to_onnx

    contents = {
        NETWORK: (json.dumps(network.to_json(), indent=2) + "\n").encode(),
        WEIGHTS: _weights_to_bytes(check_weights(network, weights)),
        ONNX: to_onnx(network, weights),
        TRAINED_ON: np.unique(trained_on).astype("<u8").tobytes(),
    }
    files = {name: seal(raw) for name, raw in contents.items()}
    body = {"format": FORMAT, "about": dict(about), "files": files}
    # What could not be read back is not written.
    _check_manifest(folder / MANIFEST, body)
    # What an earlier save left half named must have its names before its places are used again.
    with contextlib.suppress(CorruptFile, ModelError):
        _give_names(folder)
    for name, raw in contents.items():
        write_bytes(_new(folder, name), raw)
    write_sealed_json(folder / MANIFEST, body)
    _give_names(folder)


def load_model(folder: Path) -> Model:
    """The model in `folder`, once every byte is known to be the one that was saved.

    Raises:
        CorruptFile: a file is missing, damaged or changed; the message names it.
        ModelError: there is no model here, or one that this version cannot read.
    """
    manifest = _read_manifest(folder)
    raw = {name: _read(folder, name, expected) for name, expected in manifest.files.items()}
    try:
        network = network_from_json(json.loads(raw[NETWORK]))
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{folder / NETWORK}: expected the description of a network, received something else ({error})."
        ) from error
    weights = _weights_from_bytes(network, raw[WEIGHTS], source=folder / WEIGHTS)
    if len(raw[TRAINED_ON]) % 8:
        raise ModelError(
            f"{folder / TRAINED_ON}: expected 8 bytes for each fingerprint, received {len(raw[TRAINED_ON])} bytes."
        )
    trained_on = np.frombuffer(raw[TRAINED_ON], "<u8").astype(np.uint64)
    return Model(network, weights, trained_on, manifest.about)


def read_onnx(folder: Path) -> bytes:
    """The ONNX graph of the model in `folder`, checked; raises as `load_model` does."""
    return _read(folder, ONNX, _read_manifest(folder).files[ONNX])


class _Manifest(NamedTuple):
    about: About
    files: dict[str, Seal]


def _read_manifest(folder: Path) -> _Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        raise ModelError(
            f"{folder}: expected a model folder, found no {MANIFEST} in it. "
            "Either this is not one, or the first save into it was cut off: train again."
        )
    body = read_sealed_json(path)
    if body.get("format") != FORMAT:
        raise ModelError(
            f"{path}: expected model format {FORMAT}, received {body.get('format')!r}. "
            "A newer tenfold wrote it: update with `pip install -U tenfold`."
        )
    return _check_manifest(path, body)


def _check_manifest(path: Path, body: dict[str, Any]) -> _Manifest:
    """Both parts are what they should be: a sealed file may still have been made by a stranger."""
    about, files = body.get("about"), body.get("files")
    if not (
        isinstance(about, dict)
        and all(type(value) in (str, int) for value in about.values())
        and isinstance(files, dict)
        and files.keys() == _MAX_BYTES.keys()
        and all(_is_seal(files[name], most) for name, most in _MAX_BYTES.items())
    ):
        raise ModelError(
            f"{path}: expected the sha256 and size of {', '.join(_MAX_BYTES)}, and words and whole "
            "numbers about them. This is not a model that can be used here."
        )
    return _Manifest(about, files)


def _is_seal(value: object, most: int) -> bool:
    if not isinstance(value, dict) or value.keys() != Seal.__annotations__.keys():
        return False
    size = value["bytes"]
    return type(size) is int and 0 <= size <= most and isinstance(value["sha256"], str)


def _new(folder: Path, name: str) -> Path:
    """Where a save puts a file before the manifest that names it."""
    return folder / f"{name}{_NEW}"


def _read(folder: Path, name: str, expected: Seal) -> bytes:
    with contextlib.suppress(CorruptFile):
        return check_seal(_new(folder, name), expected)
    return check_seal(folder / name, expected)


def _give_names(folder: Path) -> None:
    """Give the files that the manifest speaks of their names, where a save has not done so yet."""
    for name, expected in _read_manifest(folder).files.items():
        with contextlib.suppress(CorruptFile):
            check_seal(_new(folder, name), expected)
            os.replace(_new(folder, name), folder / name)


def _weights_to_bytes(weights: Weights) -> bytes:
    from safetensors.numpy import save

    # safetensors copies memory as it lies: an array that is not contiguous would be scrambled.
    return bytes(save({name: np.ascontiguousarray(array) for name, array in weights.items()}))


def _weights_from_bytes(network: Network, raw: bytes, *, source: Path) -> Weights:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return check_weights(network, load(raw))
    except (SafetensorError, KeyError, ValueError) as error:
        raise ModelError(
            f"{source}: expected the arrays of {NETWORK} in safetensors form, received something else ({error})."
        ) from error
