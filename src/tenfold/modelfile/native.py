"""A model folder: networks, their weights and what they were trained on, sealed so that damage shows.

    model.json           the networks, each as Network.to_json, the test-time shifts, what is rejected
    weights.safetensors  every array under its full name, of several networks behind "network_1/" and so on
    model.onnx           the same as one ONNX graph, which is what is run
    trained_on.bin       fingerprints of the training images: sorted uint64, little-endian
    manifest.json        format, about, sha256 and size of each file; last, the sha256 of all before it

The manifest is the commit point. A save puts the new files beside the old ones, replaces the
manifest, and only then gives the new files their names; a reader looks in both places. So whenever
a save is cut off, the folder holds the old model or the new one, never a mixture that passes for one.

Loading builds the networks from tenfold's own classes and assigns arrays by name and shape. Knows
nothing about runs, or about what runs the graph.
"""

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.classifiers import MAX_SHIFT
from tenfold.errors import CorruptFile, ModelError
from tenfold.files import (
    Seal,
    check_seal,
    read_sealed,
    seal,
    write_bytes,
    write_sealed_json,
)
from tenfold.network import Network, network_from_json
from tenfold.values import check_number, check_whole
from tenfold.weights import Member, check_weights

FORMAT = 1
MANIFEST = "manifest.json"
DESCRIPTION = "model.json"
WEIGHTS = "weights.safetensors"
ONNX = "model.onnx"
TRAINED_ON = "trained_on.bin"

# What the ONNX graph takes and gives, and what its metadata say.
INPUT = "images"
OUTPUT = "probabilities"
REJECT_BELOW = "reject_below"

# The largest Network (50 million parameters) takes 200 MB.
MAX_MODEL_BYTES = 300 * 2**20
# No file is read that claims more: a description is a few KB, 10 million fingerprints are 80 MB.
_MAX_BYTES = {
    DESCRIPTION: 2**20,
    WEIGHTS: MAX_MODEL_BYTES,
    ONNX: MAX_MODEL_BYTES,
    TRAINED_ON: 80 * 10**6,
}

_NEW = ".new"

About = dict[str, str | int]


class Model(NamedTuple):
    """What a model folder holds.

    Attributes:
        members: one network and its weights, or several, which answer with the mean of their probabilities.
        trained_on: `digits.fingerprints` of the training images, uint64 (k,); sorted, each once, when loaded.
        about: what whoever saved it wanted known: recipe, seed, data hash.
        shifts: pixels, 0..4: the answer is the mean over each picture at these `classifiers.places`.
        reject_below: 0 <= p < 1: where the largest probability is less, the picture shows no digit; 0 for never.
    """

    members: tuple[Member, ...]
    trained_on: NDArray[np.uint64]
    about: About
    shifts: int = 0
    reject_below: float = 0.0


def save_model(folder: Path, model: Model) -> None:
    """Put a model into `folder`, in place of the one that may be there.

    Raises:
        ModelError: there is no network, weights do not belong to theirs or are not finite, the whole is
            larger than what is read back, or `about` holds something else than words and whole numbers.
        RecipeError: the shifts are not a number of pixels, or `reject_below` is no probability.
        OSError: the disk is full, or the place may not be written; the model that was there stays.
    """
    from tenfold.modelfile.onnx_graph import to_onnx

    networks = [network for network, _ in model.members]
    description = describe_members(networks, model.shifts, model.reject_below)
    # What could not be read back is not written.
    _check_description(description)
    contents = {
        DESCRIPTION: (json.dumps(description, indent=2) + "\n").encode(),
        WEIGHTS: _weights_to_bytes(model.members),
        ONNX: to_onnx(model.members, shifts=model.shifts, reject_below=model.reject_below),
        TRAINED_ON: np.unique(model.trained_on).astype("<u8").tobytes(),
    }
    for name, raw in contents.items():
        if len(raw) > _MAX_BYTES[name]:
            raise ModelError(
                f"{folder / name}: expected at most {_MAX_BYTES[name]:,} bytes, received {len(raw):,}. "
                "Use fewer or smaller networks."
            )
    files = {name: seal(raw) for name, raw in contents.items()}
    body = {"format": FORMAT, "about": model.about, "files": files}
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
        description = _check_description(json.loads(raw[DESCRIPTION]))
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{folder / DESCRIPTION}: expected the description of a model, received something else ({error})."
        ) from error
    members = _weights_from_bytes(description.networks, raw[WEIGHTS], source=folder / WEIGHTS)
    if len(raw[TRAINED_ON]) % 8:
        raise ModelError(
            f"{folder / TRAINED_ON}: expected 8 bytes for each fingerprint, received {len(raw[TRAINED_ON])} bytes."
        )
    trained_on = np.frombuffer(raw[TRAINED_ON], "<u8").astype(np.uint64)
    return Model(members, trained_on, manifest.about, description.shifts, description.reject_below)


def read_onnx(folder: Path) -> bytes:
    """The ONNX graph of the model in `folder`, checked; raises as `load_model` does."""
    return _read(folder, ONNX, _read_manifest(folder).files[ONNX])


def describe_members(
    networks: Sequence[Network], shifts: int, reject_below: float
) -> dict[str, Any]:
    """What model.json holds: plain JSON values."""
    described = [network.to_json() for network in networks]
    return {"networks": described, "shifts": shifts, REJECT_BELOW: reject_below}


def prefixes(count: int) -> list[str]:
    """What stands before the names of each network's layers and arrays in a model of `count` networks."""
    return [""] if count == 1 else [f"network_{number}/" for number in range(1, count + 1)]


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
    body = read_sealed(path, format_number=FORMAT)
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


class _Description(NamedTuple):
    networks: list[Network]
    shifts: int
    reject_below: float


def _check_description(description: object) -> _Description:
    """The inverse of `describe_members`, but for the weights."""
    if (
        not isinstance(description, dict)
        or description.keys() != {"networks", "shifts", REJECT_BELOW}
        or not isinstance(description["networks"], list)
        or not description["networks"]
    ):
        raise ModelError("expected a list of at least one network, the shifts and what is rejected")
    networks, shifts = description["networks"], description["shifts"]
    check_whole("shifts", shifts, 0, MAX_SHIFT)
    check_number(REJECT_BELOW, description[REJECT_BELOW], 0.0, 1.0)
    return _Description(
        [network_from_json(network) for network in networks], shifts, description[REJECT_BELOW]
    )


def _weights_to_bytes(members: Sequence[Member]) -> bytes:
    from safetensors.numpy import save

    # safetensors copies memory as it lies: an array that is not contiguous would be scrambled.
    arrays = {
        prefix + name: np.ascontiguousarray(array)
        for prefix, member in zip(prefixes(len(members)), members, strict=True)
        for name, array in check_weights(*member).items()
    }
    return bytes(save(arrays))


def _weights_from_bytes(
    networks: Sequence[Network], raw: bytes, *, source: Path
) -> tuple[Member, ...]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(raw)
        members = []
        for prefix, network in zip(prefixes(len(networks)), networks, strict=True):
            names = [name for name in arrays if name.startswith(prefix)]
            own = {name.removeprefix(prefix): arrays.pop(name) for name in names}
            members.append(Member(network, check_weights(network, own)))
        if arrays:
            raise ModelError(f"of no network: {sorted(arrays)}")
    except (SafetensorError, KeyError, ValueError) as error:
        raise ModelError(
            f"{source}: expected the arrays of {DESCRIPTION} in safetensors form, received something else ({error})."
        ) from error
    return tuple(members)
