"""Several networks and test-time shifts in one graph and one folder: the same as the wrappers in NumPy."""

import json

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import load as from_safetensors
from safetensors.numpy import save as to_safetensors

from tenfold.classifiers import Ensemble, Shifted
from tenfold.errors import ModelError, ParityError
from tenfold.layers import Conv2D, Dense, GlobalAveragePool, ReLU
from tenfold.modelfile import (
    Model,
    OnnxClassifier,
    check_parity,
    load_model,
    native,
    open_classifier,
    save_model,
    stress_images,
)
from tenfold.modelfile.onnx_graph import to_onnx
from tenfold.network import Network
from tenfold.weights import Member

# Means of a few float32 probabilities, taken in another order.
ROUNDING = 1e-6


@pytest.fixture(scope="module")
def members(mixed_network, draw_weights):
    """Three networks; the first and the last are alike but for their weights."""
    drawn = draw_weights(mixed_network)
    other = {name: (array * 0.5).astype(np.float32) for name, array in drawn.items()}
    small = Network(Conv2D(2), ReLU(), GlobalAveragePool(), Dense(10))
    return [
        Member(mixed_network, drawn),
        Member(small, draw_weights(small)),
        Member(mixed_network, other),
    ]


def single(member):
    return OnnxClassifier(to_onnx([member]), source="a member")


def by_hand(members, shifts):
    """The wrappers over the graphs of single networks."""
    return Ensemble(*(Shifted(single(member), shifts) for member in members))


def session(raw, images):
    """What onnxruntime gives, past the checks of OnnxClassifier, which refuses no pictures."""
    import onnxruntime

    runtime = onnxruntime.InferenceSession(raw, providers=["CPUExecutionProvider"])
    return runtime.run(None, {"images": images})[0]


@pytest.mark.parametrize("shifts", [0, 1, 4])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_graph_is_the_mean_that_the_wrappers_take(members, noise, count, shifts):
    raw = to_onnx(members[:count], shifts=shifts)
    expected = by_hand(members[:count], shifts).predict_proba(noise)
    (theirs,) = ReferenceEvaluator(raw).run(None, {"images": noise})
    np.testing.assert_allclose(theirs, expected, atol=ROUNDING)
    np.testing.assert_allclose(session(raw, noise), expected, atol=ROUNDING)
    np.testing.assert_allclose(session(raw, noise[:1]), expected[:1], atol=ROUNDING)
    nothing = session(raw, noise[:0])
    assert (nothing.shape, nothing.dtype) == ((0, 10), np.float32)


@pytest.mark.parametrize("shifts", [0, 1])
def test_no_pictures_get_no_answers_from_onnx_s_own_evaluator_too(draw_weights, noise, shifts):
    # It cannot flatten nothing, so these networks have nothing to flatten.
    network = Network(GlobalAveragePool(), Dense(10))
    raw = to_onnx([Member(network, draw_weights(network))] * 2, shifts=shifts)
    (nothing,) = ReferenceEvaluator(raw).run(None, {"images": noise[:0]})
    assert nothing.shape == (0, 10)


def test_the_order_of_pictures_and_places_is_kept_over_several_chunks(members, small_digits):
    # 600 pictures are two full chunks and a part of one; each keeps its own answer.
    images = small_digits.images[:600]
    together = OnnxClassifier(to_onnx(members, shifts=1), source="test").predict_proba(images)
    expected = Shifted(Ensemble(*map(single, members))).predict_proba(images)
    np.testing.assert_allclose(together, expected, atol=ROUNDING)


def test_every_array_is_in_the_file_once_behind_the_prefix_of_its_network(members):
    model = onnx.load_model_from_string(to_onnx(members, shifts=1))
    arrays = [numpy_helper.to_array(a) for a in model.graph.initializer if a.data_type == 1]
    # Beside the weights there is one other float, the scale of the pixels.
    expected = sum(network.parameter_count for network, _ in members) + 1
    assert sum(array.size for array in arrays) == expected
    names = [a.name for a in model.graph.initializer] + [n.name for n in model.graph.node]
    assert len(names) == len(set(names))
    for number, (network, _) in enumerate(members, 1):
        assert {f"network_{number}/{p.name}" for p in network.parameters} <= set(names)


def test_one_shifted_network_keeps_the_names_of_its_plan_and_stands_there_once(members):
    model = onnx.load_model_from_string(to_onnx(members[:1], shifts=1))
    names = [node.name for node in model.graph.node]
    assert {step.name for step in members[0].network.steps()} <= set(names)
    assert [node.op_type for node in model.graph.node].count("Conv") == 2


@pytest.mark.parametrize("shifts", [0, 1])
def test_the_composed_graph_passes_the_checker_in_the_version_of_the_rest(members, shifts):
    raw = to_onnx(members, shifts=shifts)
    onnx.checker.check_model(raw, full_check=True)
    model = onnx.load_model_from_string(raw)
    onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    assert (model.ir_version, model.opset_import[0].version) == (7, 14)
    assert raw == to_onnx(members, shifts=shifts)


def _wrong_array(model):
    """The second network reads a bias of the first."""
    for node in model.graph.node:
        if node.name == "network_3/conv2d_1":
            node.input[2] = "network_1/conv2d_1/bias"


def _wrong_order(model):
    """The answers are taken for pictures times places instead of places times pictures."""
    for array in model.graph.initializer:
        if array.name == "place_picture_digit":
            array.CopyFrom(numpy_helper.from_array(np.array([-1, 5, 10]), array.name))
    model.graph.node[-1].attribute[0].ints[:] = [1]


def _wrong_place(model):
    """One picture is moved up where it was to be moved down: two places are the same."""
    for node in model.graph.node:
        if node.name == "place_2":
            node.input[1:3] = ["place_3/start", "place_3/end"]


def _member_left_out(model):
    """One network is asked twice, another never."""
    for node in model.graph.node:
        if node.op_type == "Mean":
            node.input[1] = node.input[0]


@pytest.mark.parametrize("fault", [_wrong_array, _wrong_order, _wrong_place, _member_left_out])
def test_a_planted_fault_in_the_composition_is_found_by_the_parity_check(
    members, small_digits, fault
):
    raw = to_onnx(members, shifts=1)
    images, ours = stress_images(small_digits.images), by_hand(members, 1)
    assert check_parity(ours, OnnxClassifier(raw, source="right"), images) < ROUNDING
    model = onnx.load_model_from_string(raw)
    fault(model)
    assert model.SerializeToString(deterministic=True) != raw
    with pytest.raises(ParityError):
        check_parity(ours, OnnxClassifier(model.SerializeToString(), source="wrong"), images)


@pytest.fixture
def composed(tmp_path, members):
    """A folder of all three with shifts."""
    save_model(tmp_path / "composed", Model(tuple(members), np.arange(3, dtype=np.uint64), {}, 1))
    return tmp_path / "composed"


def test_a_composed_model_comes_back_from_its_folder_and_answers(composed, members, noise):
    model = load_model(composed)
    assert model.shifts == 1
    for loaded, saved in zip(model.members, members, strict=True):
        assert loaded.network == saved.network
        assert loaded.weights.keys() == saved.weights.keys()
        for name, array in saved.weights.items():
            assert np.array_equal(loaded.weights[name], array)
    answer = open_classifier(composed).predict_proba(noise)
    np.testing.assert_allclose(answer, by_hand(members, 1).predict_proba(noise), atol=ROUNDING)


def test_the_folder_says_in_plain_json_what_it_holds(composed, members):
    described = json.loads((composed / "model.json").read_bytes())
    networks = [network.to_json() for network, _ in members]
    assert described == {"networks": networks, "shifts": 1, "reject_below": 0.0}
    arrays = from_safetensors((composed / "weights.safetensors").read_bytes())
    assert sum(array.size for array in arrays.values()) == sum(
        network.parameter_count for network, _ in members
    )
    assert "network_2/dense_1/kernel" in arrays


@pytest.mark.parametrize("name", ["network_4/dense_1/bias", "dense_1/bias", "network_1"])
def test_an_array_of_no_network_is_refused(composed, name, monkeypatch):
    arrays = from_safetensors((composed / "weights.safetensors").read_bytes())
    changed = to_safetensors(arrays | {name: np.zeros(10, np.float32)})
    # The seal is checked elsewhere; here a stranger has made it right.
    monkeypatch.setattr(
        "tenfold.modelfile.native._read",
        lambda folder, file, _: (
            changed if file == "weights.safetensors" else (folder / file).read_bytes()
        ),
    )
    with pytest.raises(ModelError, match=name):
        load_model(composed)


def test_networks_that_take_more_than_is_read_back_are_refused(tmp_path, members, monkeypatch):
    monkeypatch.setitem(native._MAX_BYTES, "weights.safetensors", 9999)
    with pytest.raises(ModelError, match=r"9,999 bytes.*fewer"):
        save_model(tmp_path / "large", Model(tuple(members), np.empty(0, np.uint64), {}))
    assert not (tmp_path / "large").exists()
