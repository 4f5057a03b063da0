import os
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tenfold.errors import CorruptFile, DataError, ModelError, UsageError
from tenfold.modelfile import (
    Model,
    OnnxClassifier,
    find_model,
    load_model,
    open_classifier,
    save_model,
)
from tenfold.modelfile.onnx_graph import to_onnx
from tenfold.weights import Member


@pytest.fixture(scope="module")
def content(mixed_network, draw_weights):
    return to_onnx([(mixed_network, draw_weights(mixed_network))])


@pytest.fixture
def run_folder(tmp_path, mixed_network, draw_weights):
    """runs/one/model, as a training leaves it."""
    member = Member(mixed_network, draw_weights(mixed_network))
    folder = tmp_path / "runs" / "one"
    save_model(folder / "model", Model((member,), np.empty(0, np.uint64), {}))
    return folder


@pytest.fixture
def many():
    """uint8 (600, 28, 28): two full chunks of 256 and a part of one."""
    return np.random.default_rng(4).integers(0, 256, (600, 28, 28)).astype(np.uint8)


def test_a_picture_gets_the_same_answer_alone_and_among_others(content, many):
    classifier = OnnxClassifier(content, source="test")
    together = classifier.predict_proba(many)
    assert together.shape == (600, 10)
    assert together.dtype == np.float32
    for k in (0, 255, 256, 511, 512, 599):
        alone = classifier.predict_proba(many[k : k + 1])
        # Another batch may be summed in another order: the last digit of a float32 can differ.
        assert alone[0] == pytest.approx(together[k], abs=1e-6)


def test_a_question_keeps_as_many_cores_busy_as_it_may(content, many):
    def threads() -> int:
        return len(os.listdir("/proc/self/task"))

    before = threads()
    # The thread that asks works too.
    alone = OnnxClassifier(content, source="test", cores=1)
    assert threads() == before
    three = OnnxClassifier(content, source="test", cores=3)
    assert threads() == before + 2
    np.testing.assert_allclose(alone.predict_proba(many), three.predict_proba(many), atol=1e-6)


@pytest.mark.parametrize("cores", [0, -1, 1.0, "2", True])
def test_a_number_of_cores_is_one(content, cores):
    with pytest.raises(UsageError, match="cores: expected a whole number from 1"):
        OnnxClassifier(content, source="test", cores=cores)


def test_rows_sum_to_one(content, many):
    sums = OnnxClassifier(content, source="test").predict_proba(many).sum(axis=1, dtype=np.float64)
    assert sums == pytest.approx(np.ones(600), abs=1e-6)


def test_a_view_in_another_memory_order_is_read_as_what_it_shows(content, many):
    classifier = OnnxClassifier(content, source="test")
    view = many[::-3].transpose(0, 2, 1)
    assert np.array_equal(
        classifier.predict_proba(view), classifier.predict_proba(np.ascontiguousarray(view))
    )


@pytest.mark.parametrize("shape", [(28, 28), (0, 28, 28), (2, 8, 8), (2, 784)])
def test_pictures_of_another_shape_are_refused(content, shape):
    with pytest.raises(DataError, match="28, 28"):
        OnnxClassifier(content, source="test").predict_proba(np.zeros(shape, np.uint8))


def test_a_run_folder_a_model_folder_and_an_onnx_file_give_the_same_answers(run_folder, noise):
    shutil.copy(run_folder / "model" / "model.onnx", run_folder / "alone.onnx")
    paths = [run_folder, run_folder / "model", run_folder / "alone.onnx"]
    answers = [open_classifier(path).predict_proba(noise) for path in paths]
    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(answers[0], answers[2])
    assert find_model(run_folder) == find_model(run_folder / "model") == run_folder / "model"


@pytest.mark.parametrize("wrong", ["runs", "runs/on", "runs/one/run.json"])
def test_where_no_model_is_the_message_names_what_was_looked_for_and_the_runs_that_are_there(
    tmp_path, run_folder, wrong
):
    (run_folder / "run.json").touch()
    with pytest.raises(ModelError) as refusal:
        open_classifier(tmp_path / wrong)
    assert str(tmp_path / wrong / "model" / "manifest.json") in str(refusal.value)
    if wrong != "runs/one/run.json":
        assert f"Models there: {run_folder}." in str(refusal.value)


def test_where_no_model_is_far_and_wide_the_message_says_how_to_make_one(tmp_path):
    with pytest.raises(ModelError, match="tenfold train"):
        find_model(tmp_path / "nothing")


def test_a_damaged_graph_in_a_run_is_named(run_folder):
    (run_folder / "model" / "model.onnx").write_bytes(b"\0" * 100)
    with pytest.raises(CorruptFile, match=r"model\.onnx"):
        open_classifier(run_folder)


def foreign(
    *,
    pixels=TensorProto.UINT8,
    shape=("n", 28, 28),
    names=("images", "probabilities"),
    softmax=True,
):
    """A stranger's model: the first ten pixels as logits."""
    source, target = names
    nodes = [
        helper.make_node("Cast", [source], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["float"], ["flat"]),
        helper.make_node("Gather", ["flat", "first"], ["logits"], axis=1),
        helper.make_node("Softmax" if softmax else "Identity", ["logits"], [target]),
    ]
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info(source, pixels, shape)],
        [helper.make_tensor_value_info(target, TensorProto.FLOAT, [shape[0], 10])],
        [numpy_helper.from_array(np.arange(10), "first")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_foreign_model_with_our_signature_is_used(tmp_path):
    onnx.save(foreign(), tmp_path / "foreign.onnx")
    images = np.zeros((1, 28, 28), np.uint8)
    images[0, 0, 3] = 1
    probabilities = open_classifier(tmp_path / "foreign.onnx").predict_proba(images)
    assert probabilities[0, 3] == pytest.approx(np.e / (np.e + 9), abs=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {"pixels": TensorProto.FLOAT},
        {"shape": (1, 28, 28)},
        {"shape": ("n", 32, 32)},
        {"shape": ("n", 784)},
        {"shape": ("n", 28, 28, 1)},
        {"names": ("x", "probabilities")},
        {"names": ("images", "scores")},
        {"softmax": False},
    ],
    ids=str,
)
def test_a_foreign_model_with_another_signature_is_told_what_is_expected(tmp_path, changes):
    onnx.save(foreign(**changes), tmp_path / "foreign.onnx")
    with pytest.raises(ModelError, match="probabilities"):
        open_classifier(tmp_path / "foreign.onnx")


def test_a_foreign_model_that_fails_on_a_picture_is_refused_quietly_when_it_is_opened(
    tmp_path, capfd
):
    model = foreign()
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.arange(780, 790), "first"))
    onnx.save(model, tmp_path / "foreign.onnx")
    with pytest.raises(ModelError, match="fails on a picture"):
        open_classifier(tmp_path / "foreign.onnx")
    assert capfd.readouterr() == ("", "")


def _hide_in_initializer(model, tensor):
    model.graph.initializer.append(tensor)


def _hide_in_constant(model, tensor):
    model.graph.node.append(helper.make_node("Constant", [], ["secret"], value=tensor))


def _hide_in_branch(model, tensor):
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["inside"], value=tensor)], "branch", [], []
    )
    model.graph.node.append(helper.make_node("If", ["c"], ["s"], then_branch=branch))


@pytest.mark.parametrize("hide", [_hide_in_initializer, _hide_in_constant, _hide_in_branch])
def test_a_foreign_model_may_not_name_other_files(tmp_path, monkeypatch, hide):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_bytes(bytes(80))
    tensor = TensorProto(name="array", data_type=TensorProto.INT64, dims=[10])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret")
    model = foreign()
    hide(model, tensor)
    (tmp_path / "foreign.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="'array' lies in another"):
        open_classifier(tmp_path / "foreign.onnx")


@pytest.mark.parametrize("raw", [b"", b"not a model", b"\x80\x04}q\x00.", bytes(1000)])
def test_what_is_no_onnx_model_is_refused_quietly(tmp_path, capfd, raw):
    (tmp_path / "broken.onnx").write_bytes(raw)
    with pytest.raises(ModelError, match=r"broken\.onnx"):
        open_classifier(tmp_path / "broken.onnx")
    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_not_there_or_too_large_is_refused_unread(tmp_path):
    with pytest.raises(ModelError, match="no such file"):
        open_classifier(tmp_path / "absent.onnx")
    with open(tmp_path / "large.onnx", "wb") as file:
        file.truncate(2**40)
    with pytest.raises(ModelError, match="at most"):
        open_classifier(tmp_path / "large.onnx")


def test_a_model_is_opened_and_used_without_any_training_framework(run_folder):
    code = (
        "import sys, numpy\n"
        "from pathlib import Path\n"
        "import tenfold.modelfile\n"
        "print('onnx' in sys.modules, 'onnxruntime' in sys.modules)\n"
        f"path = Path({str(run_folder)!r})\n"
        "tenfold.modelfile.open_classifier(path).predict_proba(numpy.zeros((1, 28, 28), 'u1'))\n"
        "print(sorted({'keras', 'tensorflow', 'jax', 'torch', 'sklearn', 'pandas', 'onnx'} & {*sys.modules}))\n"
    )
    answer = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert answer.splitlines() == ["False False", "[]"]


def test_what_is_rejected_is_the_same_in_folder_file_and_classifier(
    tmp_path, mixed_network, draw_weights
):
    member = Member(mixed_network, draw_weights(mixed_network))
    model = Model((member,), np.empty(0, np.uint64), {}, reject_below=0.375)
    save_model(tmp_path / "model", model)
    assert load_model(tmp_path / "model").reject_below == 0.375
    assert open_classifier(tmp_path / "model").reject_below == 0.375
    # onnxruntime's own reading of the file, as a stranger's program would see it.
    graph = onnx.load(tmp_path / "model" / "model.onnx")
    assert {entry.key: entry.value for entry in graph.metadata_props} == {"reject_below": "0.375"}


def test_a_model_that_says_nothing_rejects_nothing(content):
    assert OnnxClassifier(content, source="test").reject_below == 0.0


@pytest.mark.parametrize("text", ["1.5", "-0.1", "nan", "half", ""])
def test_a_threshold_that_is_no_probability_is_refused(content, text):
    graph = onnx.load_model_from_string(content)
    helper.set_model_props(graph, {"reject_below": text})
    with pytest.raises(ModelError, match="reject_below"):
        OnnxClassifier(graph.SerializeToString(), source="test")
