"""Forms for other programs: each is run by what its reader has, and says what the model says."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import pytest

from tenfold import exports
from tenfold.data import load
from tenfold.digits import Parts
from tenfold.errors import MissingExtra, ParityError
from tenfold.exports import FORMS, ensemble, export, forms, measure
from tenfold.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Residual,
)  # fmt: skip
from tenfold.modelfile import flat, load_model, open_classifier, pretrained, quantized, run_npz
from tenfold.modelfile.onnx_graph import to_onnx
from tenfold.network import (
    Network,
)
from tenfold.recipes import named_recipe
from tenfold.training import train
from tenfold.weights import Member, initial_weights

# Sums of float32 products in another order; see check_parity for what is allowed.
ROUNDING = 1e-5
# Every kind of layer: odd strides and paddings, with and without a bias, one inside the other.
NETWORK = Network(
    Conv2D(6, kernel=5, stride=2),
    BatchNorm(),
    ReLU(),
    Residual(Conv2D(6, bias=False), BatchNorm(epsilon=0.01), ReLU()),
    MaxPool(3),
    Conv2D(8, kernel=2, padding="valid"),
    Dropout(0.5),
    GlobalAveragePool(),
    Dense(12),
    ReLU(),
    Dense(10),
)
RECIPE = replace(named_recipe("seed-numpy"), network=NETWORK, epochs=1)
TEST = load("mnist5k").test


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run, and an ensemble of two networks with test-time shifts."""
    folder = tmp_path_factory.mktemp("models")
    few = Parts(load("mnist5k").train.take(np.arange(800)), TEST)
    for seed in (0, 1):
        train(RECIPE, few, seed=seed, folder=folder / f"s{seed}")
    both = ensemble([folder / "s0", folder / "s1"], out=folder / "both", shifts=2)
    return {"one network": folder / "s0", "two networks, shifted": both}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def without_litert() -> bool:
    try:
        import ai_edge_litert  # noqa: F401
    except ImportError:
        return True
    return False


@pytest.mark.parametrize("which", ["one network", "two networks, shifted"])
def test_a_npz_file_is_run_by_the_60_lines_and_nothing_else(models, which):
    written = export(models[which], "npz", out="digits.npz")
    np.savez("pictures.npz", images=TEST.images[:50])
    Path("alone.py").write_bytes(Path(run_npz.__file__).read_bytes())
    code = (
        "import numpy, sys, alone\n"
        "images = numpy.load('pictures.npz')['images']\n"
        "numpy.save('told.npy', alone.probabilities(alone.load('digits.npz'), images))\n"
        "assert not any(name.startswith('tenfold') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    expected = open_classifier(models[which]).predict_proba(TEST.images[:50])
    np.testing.assert_allclose(np.load("told.npy"), expected, atol=ROUNDING)
    with np.load(written) as archive:
        names = set(load_model(models["one network"] / "model").members[0].weights)
        # An everyday reader of archives sees every array under the name that Keras has for it.
        prefixes = ["network_1/", "network_2/"] if which.startswith("two") else [""]
        assert set(archive) == {"description", *(p + name for p in prefixes for name in names)}


@pytest.mark.slow
@pytest.mark.skipif(without_litert(), reason="needs the extra litert")
@pytest.mark.parametrize("which", ["one network", "two networks, shifted"])
def test_a_litert_file_says_what_the_model_says_for_any_number_of_pictures(models, which):
    from ai_edge_litert.interpreter import Interpreter

    written = export(models[which], "litert", out="digits.tflite")
    run = Interpreter(model_content=written.read_bytes()).get_signature_runner()
    expected = open_classifier(models[which]).predict_proba(TEST.images[:40])
    for count in (1, 40, 3):
        told = run(images=TEST.images[:count])["probabilities"]
        np.testing.assert_allclose(told, expected[:count], atol=ROUNDING)


@pytest.fixture(scope="module")
def sure(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Networks that have learnt enough to be sure of most pictures."""
    folder = tmp_path_factory.mktemp("sure")
    recipe = replace(named_recipe("seed-numpy"), epochs=12)
    for seed in (0, 1):
        names = ("seed-numpy", "mnist5k")
        train(recipe, load("mnist5k"), seed=seed, folder=folder / f"s{seed}", names=names)
    both = ensemble([folder / "s0", folder / "s1"], out=folder / "both", shifts=2)
    return {"one network": folder / "s0", "two networks, shifted": both}


@pytest.mark.parametrize("which", ["one network", "two networks, shifted"])
def test_in_8_bits_a_models_accuracy_stands_beside_the_other(sure, which, monkeypatch):
    # A model folder does not say what it was trained on.
    monkeypatch.setattr(forms, "data_name_of", lambda _: "mnist5k")
    models = sure
    said: list[str] = []
    written = export(models[which], "onnx-int8", say=said.append)
    assert written.name.endswith("-int8.onnx")
    right = {
        name: int((open_classifier(path).predict_proba(TEST.images).argmax(1) == TEST.labels).sum())
        for name, path in (("8 bits", written), ("32 bits", models[which]))
    }
    for name, correct in right.items():
        assert f"in {name} {correct / 10:.2f}% ({correct}/1,000;" in said[0]
    assert "mnist5k" in said[0]


def test_an_everyday_network_in_8_bits_takes_a_third_of_the_bytes():
    network = named_recipe("standard").network
    content = to_onnx([Member(network, initial_weights(network, 0, TEST.images))])
    assert len(quantized.quantized(content, TEST.images)) < len(content) / 3


def test_no_sum_of_two_products_in_8_bits_leaves_16():
    # So that processors which add them in 16 bits, and cut off what is beyond, give what others give.
    network = named_recipe("standard").network
    content = to_onnx([Member(network, initial_weights(network, 0, TEST.images))])
    arrays = onnx.load_from_string(quantized.quantized(content, TEST.images)).graph.initializer
    weights = [
        w for w in map(onnx.numpy_helper.to_array, arrays) if w.dtype == np.int8 and w.ndim > 1
    ]
    assert len(weights) == len(
        [name for name in initial_weights(network, 0, TEST.images) if "kernel" in name]
    )
    assert max(np.abs(w.astype(int)).max() for w in weights) * 255 * 2 <= 32_767


def test_a_badly_calibrated_model_is_not_written(sure, monkeypatch):
    # Scales for pictures as faint as these clip everything that a real one holds.
    faint = TEST.images // 64
    monkeypatch.setattr(forms, "pictures_like_its_own", lambda _: faint)
    with pytest.raises(ParityError, match="8 bits tells"):
        export(sure["one network"], "onnx-int8", out="digits.onnx")
    assert not Path("digits.onnx").exists()


@pytest.mark.parametrize("form", ["npz", "web"])
def test_a_form_that_tells_other_digits_is_not_written(models, monkeypatch, form):
    right = flat.flatten

    def wrong(model):
        fresh = [Member(network, initial_weights(network, 9)) for network, _ in model.members]
        return right(model._replace(members=tuple(fresh)))

    monkeypatch.setattr(flat, "flatten", wrong)
    with pytest.raises(ParityError):
        export(models["one network"], form, out="wrong.npz" if form == "npz" else "wrong")
    assert list(Path().iterdir()) == []


def test_a_runtime_that_is_not_installed_is_named_with_the_line_that_installs_it(
    models, monkeypatch
):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(MissingExtra, match=r"pip install 'tenfold\[litert\]'"):
        export(models["one network"], "litert")


def test_without_a_model_the_one_in_the_box_is_exported():
    written = export(form="npz")
    assert written == Path("pretrained.npz")
    told = run_npz.probabilities(run_npz.load(io.BytesIO(written.read_bytes())), TEST.images[:20])
    np.testing.assert_allclose(told, pretrained().predict_proba(TEST.images[:20]), atol=ROUNDING)


def test_every_form_is_measured_on_the_same_pictures(models, monkeypatch):
    monkeypatch.setattr(forms, "data_name_of", lambda _: "mnist5k")
    few = {name: form for name, form in FORMS.items() if name in ("onnx", "npz", "script", "web")}
    monkeypatch.setattr("tenfold.exports.measuring.FORMS", few)
    monkeypatch.setattr("tenfold.exports.measuring.SECONDS", 0.0)
    said: list[str] = []
    rows = {row.form: row for row in measure(models["one network"], say=said.append)}
    assert set(rows) == {"onnx", "npz", "web"}
    expected = open_classifier(models["one network"]).predict_proba(TEST.images).argmax(1)
    for name in ("onnx", "npz"):
        row = rows[name]
        assert row.accuracy == ((expected == TEST.labels).sum(), 1000)
        assert row.bytes == len(
            export(models["one network"], name, out=f"a{FORMS[name].ending}").read_bytes()
        )
        assert row.seconds_for_one > 0
        assert row.pictures_per_second > 0
    assert "1,000 pictures of mnist5k" in said[0]


def test_the_description_can_be_followed_without_looking_anything_up(models):
    description, arrays = flat.flatten(load_model(models["one network"] / "model"))
    assert json.loads(json.dumps(description)) == description

    def named(steps):
        for step in steps:
            yield from (
                value for key, value in step.items() if isinstance(value, str) and key != "op"
            )
            yield from named(step.get("steps", ()))

    assert sorted(name for steps in description["networks"] for name in named(steps)) == sorted(
        arrays
    )
    assert exports.FORMS.keys() >= {"onnx", "onnx-int8", "litert", "keras", "npz", "web", "script"}
