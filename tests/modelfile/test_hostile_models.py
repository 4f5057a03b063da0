"""Model folders whose seals are right and whose content is a stranger's."""

import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save as to_safetensors

from tenfold.errors import CorruptFile, ModelError
from tenfold.modelfile import load_model

FILES = ["model.json", "weights.safetensors", "model.onnx", "trained_on.bin"]


def reseal(folder, **changes):
    """Write the manifest anew, as a stranger could who knows the format: by the words of its docstring."""
    body = json.loads((folder / "manifest.json").read_bytes())
    del body["sha256"]
    for name in FILES:
        raw = (folder / name).read_bytes()
        body["files"][name] = {"sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)}
    body.update(changes)
    before = json.dumps(body, indent=2)[: -len("\n}")]
    digest = hashlib.sha256(before.encode()).hexdigest()
    text = f'{before},\n  "sha256": "{digest}"\n}}\n'
    (folder / "manifest.json").write_text(text)


DEEP = "[" * 100_000
HOSTILE_NETWORKS = {
    "not JSON": b"\x80\x04}q\x00.",
    "brackets without end": DEEP.encode(),
    "residuals without end": b'{"type": "Residual", "layers": [' * 20_000,
    "400 residuals in each other": (
        '{"type": "Network", "layers": ['
        + '{"type": "Residual", "layers": [' * 400
        + '{"type": "ReLU"}'
        + "]}" * 400
        + "]}"
    ).encode(),
    "a billion units": b'{"type": "Network", "layers": [{"type": "Dense", "units": 1000000000}]}',
    "a trillion weights": json.dumps(
        {"type": "Network", "layers": [{"type": "Dense", "units": 10**6, "bias": True}] * 2}
    ).encode(),
    "an unknown type": b'{"type": "Network", "layers": [{"type": "Lambda", "code": "1"}]}',
    "a type that is no layer": b'{"type": "os.system"}',
    "a rate that is no number": b'{"type": "Network", "layers": [{"type": "Dropout", "rate": NaN}]}',
    "a layer alone": b'{"type": "ReLU"}',
    "a number": b"1",
}


NETWORK = b'{"type": "Network", "layers": [{"type": "Dense", "units": 10, "bias": true}]}'
HOSTILE_DESCRIPTIONS = {
    name: b'{"networks": [%s], "shifts": 0}' % network for name, network in HOSTILE_NETWORKS.items()
} | {
    "not JSON at all": b"\x80\x04}q\x00.",
    "brackets": DEEP.encode(),
    "a network alone": NETWORK,
    "no network": b'{"networks": [], "shifts": 0}',
    "no list of networks": b'{"networks": %s, "shifts": 0}' % NETWORK,
    "no shifts": b'{"networks": [%s]}' % NETWORK,
    "one more field": b'{"networks": [%s], "shifts": 0, "code": 1}' % NETWORK,
    "shifts beyond the margin": b'{"networks": [%s], "shifts": 5}' % NETWORK,
    "shifts below 0": b'{"networks": [%s], "shifts": -1}' % NETWORK,
    "shifts that are no number": b'{"networks": [%s], "shifts": true}' % NETWORK,
}


@pytest.mark.parametrize("content", HOSTILE_DESCRIPTIONS.values(), ids=HOSTILE_DESCRIPTIONS)
def test_a_hostile_description_is_refused_though_its_seal_is_right(folder, content):
    (folder / "model.json").write_bytes(content)
    reseal(folder)
    with pytest.raises(ModelError, match=r"model\.json: expected the description"):
        load_model(folder)


def test_a_description_of_more_than_a_megabyte_is_not_even_read(folder):
    with open(folder / "model.json", "ab") as file:
        file.write(b" " * 2**20)
    reseal(folder)
    with pytest.raises(ModelError, match="sha256 and size"):
        load_model(folder)


class _Bomb:
    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return Path.touch, (self._path,)


def test_a_pickle_in_the_place_of_the_weights_is_refused_and_not_run(folder, tmp_path):
    mark = tmp_path / "code ran"
    (folder / "weights.safetensors").write_bytes(pickle.dumps(_Bomb(mark)))
    reseal(folder)
    with pytest.raises(ModelError, match=r"weights\.safetensors"):
        load_model(folder)
    assert not mark.exists()


def _changed_weights(weights):
    name = "dense_1/bias"
    yield {n: a for n, a in weights.items() if n != name}
    yield weights | {"dense_2/bias": weights[name]}
    yield weights | {name: weights[name][:9]}
    yield weights | {name: weights[name].astype(np.float64)}
    yield weights | {name: weights[name] * np.float32(np.inf)}


def test_weights_of_other_names_shapes_or_kinds_are_refused(folder):
    for weights in _changed_weights(dict(load_model(folder).members[0].weights)):
        (folder / "weights.safetensors").write_bytes(to_safetensors(weights))
        reseal(folder)
        with pytest.raises(ModelError, match=r"weights\.safetensors"):
            load_model(folder)


def test_weights_of_a_kind_that_numpy_lacks_are_refused(folder):
    header = b'{"dense_1/bias": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}'
    raw = len(header).to_bytes(8, "little") + header + bytes(2)
    (folder / "weights.safetensors").write_bytes(raw)
    reseal(folder)
    with pytest.raises(ModelError, match=r"weights\.safetensors"):
        load_model(folder)


def test_a_safetensors_header_that_claims_terabytes_is_refused(folder):
    claim = {"dense_1/bias": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}
    header = json.dumps(claim).encode()
    (folder / "weights.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    reseal(folder)
    with pytest.raises(ModelError, match=r"weights\.safetensors"):
        load_model(folder)


SEAL = {"sha256": hashlib.sha256(b"").hexdigest(), "bytes": 0}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, "update"),
        ({"format": "1"}, "format 1"),
        ({"files": {}}, "weights.safetensors"),
        ({"files": {"../../etc/passwd": SEAL}}, "weights.safetensors"),
        ({"files": dict.fromkeys(FILES, SEAL | {"bytes": 10**12})}, "sha256 and size"),
        ({"files": dict.fromkeys(FILES, SEAL | {"bytes": True})}, "sha256 and size"),
        ({"files": dict.fromkeys(FILES, {"bytes": 0})}, "sha256 and size"),
        ({"files": dict.fromkeys(FILES, 0)}, "sha256 and size"),
        ({"about": {"seed": 0.5}}, "whole numbers"),
        ({"about": {"seed": [1]}}, "whole numbers"),
        ({"about": []}, "whole numbers"),
        ({"about": {"recipe": json.loads("[" * 300 + "]" * 300)}}, "whole numbers"),
    ],
)
def test_a_manifest_of_another_form_is_refused_though_its_seal_is_right(folder, changes, words):
    reseal(folder, **changes)
    with pytest.raises(ModelError, match=words):
        load_model(folder)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"1", b'{"name": "a web page", "icons": []}', DEEP.encode(), b"\xff"]
)
def test_another_programs_manifest_is_named_as_damaged(folder, content):
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(CorruptFile, match=r"manifest\.json"):
        load_model(folder)


def test_fingerprints_must_be_whole(folder):
    (folder / "trained_on.bin").write_bytes(bytes(9))
    reseal(folder)
    with pytest.raises(ModelError, match=r"trained_on\.bin"):
        load_model(folder)
