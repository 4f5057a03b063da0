"""The verbs: which data are taken, where a run goes, and what may not pass unnoticed."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tenfold import verbs
from tenfold.data import load
from tenfold.digits import Digits, Parts
from tenfold.errors import (
    CorruptFile,
    DataError,
    ModelError,
    ParityError,
    UnknownName,
    UsageError,
)
from tenfold.exports import describe, export, forms
from tenfold.modelfile import check_parity, open_classifier, stress_images
from tenfold.recipes import RECIPES, named_recipe
from tenfold.training import Run, open_run, read_record
from tenfold.training.run import write_record
from tenfold.weights import Member, initial_weights

ONE_EPOCH = replace(named_recipe("seed-numpy"), epochs=1)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def sample() -> Parts:
    return load("mnist5k")


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verbs") / "run"
    verbs.train(ONE_EPOCH, "mnist5k", name="seed-numpy", out=folder)
    return folder


@pytest.fixture
def trained(trained_once: Path, tmp_path: Path) -> Run:
    """A finished run of its own in the working folder."""
    shutil.copytree(trained_once, tmp_path / "run")
    return open_run(Path("run"))


def interrupted(folder: str, parts: Parts) -> None:
    """Leave an unfinished run in `folder`."""

    def press_ctrl_c(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verbs.train(replace(ONE_EPOCH, epochs=2), parts, out=folder, on_epoch=press_ctrl_c)


def kaggle_csv(name: str, digits: Digits) -> str:
    header = ",".join(f"pixel{i}" for i in range(784))
    rows = [",".join(map(str, row)) for row in digits.images.reshape(len(digits), -1).tolist()]
    Path(name).write_text("\n".join([header, *rows]) + "\n")
    return name


def test_a_run_is_called_by_date_recipe_data_and_seed_and_never_replaces_another(sample):
    name = f"{date.today().isoformat()}-own-own-s3"
    few = Parts(sample.train.take(np.arange(40)), None)
    folders = [verbs.train(ONE_EPOCH, few, seed=3).folder for _ in range(2)]
    assert folders == [Path("runs", name), Path("runs", f"{name}-2")]


def test_a_changed_recipe_may_keep_its_name(trained):
    assert trained.record["recipe"]["name"] == "seed-numpy"
    assert trained.recipe == ONE_EPOCH
    assert trained.recipe != named_recipe("seed-numpy")


def test_where_mnist_cannot_be_reached_the_sample_is_taken_and_everybody_is_told(monkeypatch):
    monkeypatch.delenv("TENFOLD_MNIST", raising=False)
    monkeypatch.setattr("tenfold.data.mnist.sources", lambda: ())
    said: list[str] = []
    run = verbs.train(ONE_EPOCH, say=said.append)
    assert any("mnist5k" in line for line in said)
    assert run.record["data"]["name"] == "mnist5k"
    assert "mnist5k" in run.name


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5])
def test_a_wrong_seed_is_refused_before_any_data_are_loaded(monkeypatch, seed):
    monkeypatch.setattr(verbs, "load", pytest.fail)
    with pytest.raises(UsageError, match="seed"):
        verbs.train(ONE_EPOCH, "mnist5k", seed=seed)


def test_a_run_goes_into_an_empty_folder_and_into_no_other(monkeypatch, sample):
    few = Parts(sample.train.take(np.arange(40)), None)
    Path("empty").mkdir()
    Path("empty/.lock").touch()  # what a process leaves that was killed before it began
    assert verbs.train(ONE_EPOCH, few, out="empty").folder == Path("empty")
    Path("full").mkdir()
    Path("full/letter.txt").write_text("dear reader")
    for place, words in {
        "empty": "a run stands here",
        "full": "holds other things",
        "full/letter.txt": "received a file",
    }.items():
        monkeypatch.setattr(verbs, "load", pytest.fail)
        with pytest.raises(UsageError, match=words):
            verbs.train(ONE_EPOCH, "mnist5k", out=place)
    assert [path.name for path in Path("full").iterdir()] == ["letter.txt"]


def test_an_interrupt_says_how_to_go_on(sample):
    def press_ctrl_c(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="tenfold train --resume --out 'my run'$"):
        verbs.train(ONE_EPOCH, sample, out="my run", on_epoch=press_ctrl_c)


@pytest.mark.slow
def test_resume_takes_the_newest_unfinished_run_and_gives_it_its_report(sample, monkeypatch):
    few = Parts(sample.train.take(np.arange(400)), sample.test)
    monkeypatch.setattr(verbs, "_free_folder", lambda *_: Path("runs/finished"))
    verbs.train(ONE_EPOCH, few)
    for name in ("runs/b", "runs/a"):
        interrupted(name, few)
    records = {Path(name): read_record(Path(name)) for name in ("runs/a", "runs/b")}
    # Both began in the same second, so what the record says of it is changed.
    write_record(Path("runs/b"), records[Path("runs/b")] | {"started": "2100-01-01T00:00:00+00:00"})
    assert verbs.newest_unfinished() == Path("runs/b")
    run = verbs.resume(data=few)
    assert run.folder == Path("runs/b")
    assert "report.html" in run.record["files"]
    assert verbs.newest_unfinished() == Path("runs/a")


def test_without_an_unfinished_run_there_is_nothing_to_resume():
    with pytest.raises(ModelError, match="found none"):
        verbs.resume()


def test_data_given_as_values_are_asked_for_again(sample):
    interrupted("half", Parts(sample.train.take(np.arange(40)), None))
    with pytest.raises(UsageError, match="given as values"):
        verbs.resume("half")


def test_a_run_is_judged_on_what_it_was_trained_for_and_says_so_on_record(trained):
    judgement = verbs.evaluate(trained.folder)
    assert judgement.accuracy == trained.test
    assert open_run(trained.folder).record["test_openings"] == 2


def test_judging_on_other_digits_does_not_open_the_test_part(trained, sample):
    verbs.evaluate(trained.folder, sample.test.take(np.arange(10)))
    assert open_run(trained.folder).record["test_openings"] == 1


def test_images_that_were_trained_on_are_counted_aloud(trained, sample):
    mixed = Digits(
        np.concatenate([sample.train.images[:30], sample.test.images[:70]]),
        np.concatenate([sample.train.known_labels[:30], sample.test.known_labels[:70]]),
        "mixed",
    )
    said: list[str] = []
    verbs.evaluate(trained.folder, mixed, say=said.append)
    assert [line for line in said if line.startswith("Warning: 30 of these 100 images")]
    assert verbs.evaluate(trained.folder, sample.test, say=pytest.fail).accuracy.total == 1000


def test_the_digits_for_a_model_alone_are_mnist(trained, monkeypatch):
    asked: list[str] = []

    def note(name: str, say: object) -> Parts:
        asked.append(name)
        return load("mnist5k")

    monkeypatch.setattr(verbs, "load", note)
    for model in (trained.folder, trained.folder / "model", trained.folder / "model/model.onnx"):
        verbs.digits_for(model)
    assert asked == ["mnist5k", "mnist", "mnist"]


def test_an_unfinished_run_is_called_that_by_whatever_needs_a_model(sample):
    interrupted("half", Parts(sample.train.take(np.arange(40)), None))
    for use in (verbs.evaluate, verbs.digits_for, describe):
        with pytest.raises(ModelError, match="--resume --out half"):
            use("half")
    with pytest.raises(ModelError, match="--resume --out half"):
        export("half", "onnx", out="digits.onnx")


def test_a_submission_holds_what_the_classifier_says_in_the_order_of_the_rows(trained, sample):
    name = kaggle_csv("test.csv", sample.test)
    written = verbs.submit(trained.folder, name, out="s.csv")
    ids, labels = np.loadtxt(written, delimiter=",", skiprows=1, dtype=int).T
    assert ids.tolist() == list(range(1, 1001))
    expected = open_classifier(trained.folder).predict_proba(sample.test.images).argmax(axis=1)
    assert labels.tolist() == expected.tolist()


def test_one_leaked_row_is_enough_to_refuse_a_submission(trained, sample):
    rows = Digits(
        np.concatenate([sample.test.images[:9], sample.train.images[:1]]), None, "one leak"
    )
    name = kaggle_csv("test.csv", rows)
    with pytest.raises(DataError, match="1 of the 10 rows"):
        verbs.submit(trained.folder, name)
    assert not (trained.folder / "submission.csv").exists()
    said: list[str] = []
    written = verbs.submit(trained.folder, name, allow_leak=True, say=said.append)
    assert written == trained.folder / "submission.csv"
    assert "1 of the 10 rows" in said[0]


def test_an_onnx_file_cannot_say_what_it_was_trained_on(trained, sample):
    name = kaggle_csv("test.csv", sample.train.take(np.arange(3)))
    said: list[str] = []
    written = verbs.submit(trained.folder / "model/model.onnx", name, say=said.append)
    assert written == Path("submission.csv")
    assert "nobody checked" in said[0]


def test_a_model_is_described_by_its_recipe_where_that_is_known(trained):
    assert describe("cnn").recipe is RECIPES["cnn"].recipe
    assert describe(trained.folder) == describe("run")
    assert describe("run").known_recipe == ONE_EPOCH
    alone = describe("run/model")
    assert (alone.networks, alone.recipe) == ((ONE_EPOCH.network,), None)
    with pytest.raises(ModelError, match="does not say how it is trained"):
        _ = alone.known_recipe
    with pytest.raises(UnknownName, match="Did you mean 'cnn'"):
        describe("cmn")


def test_an_onnx_export_agrees_with_its_model_on_pictures_that_stress_it(trained, sample):
    written = export(trained.folder, "onnx", out="far/away/digits.onnx")
    images = stress_images(sample.test.images)
    # The same graph on the same runtime: nothing but equality is right.
    assert check_parity(open_classifier(trained.folder), open_classifier(written), images) == 0


def test_a_keras_export_opens_in_keras_and_a_wrong_one_is_not_written(trained, sample, monkeypatch):
    import keras

    written = export(trained.folder, "keras")
    assert written == Path("run.keras")
    images = sample.test.images[:100]
    theirs = keras.models.load_model(written).predict(images, verbose=0)
    ours = open_classifier(trained.folder).predict_proba(images)
    # Sums of 784 float32 products in another order; see check_parity for what is allowed.
    np.testing.assert_allclose(theirs, ours, atol=1e-5)
    fresh = Member(ONE_EPOCH.network, initial_weights(ONE_EPOCH.network, 1))
    load_trained = forms.load_networks
    monkeypatch.setattr(
        forms, "load_networks", lambda path: load_trained(path)._replace(members=(fresh,))
    )
    with pytest.raises(ParityError):
        export(trained.folder, "keras", out="wrong.keras")
    assert not Path("wrong.keras").exists()


def test_a_damaged_model_is_not_exported(trained):
    damaged = trained.folder / "model/weights.safetensors"
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(CorruptFile, match=r"weights\.safetensors"):
        export(trained.folder, "onnx", out="digits.onnx")
    assert not Path("digits.onnx").exists()


def test_an_exported_script_is_that_of_the_run(trained):
    written = export(trained.folder, "script")
    assert written == Path("run.py")
    # One epoch and not the recipe's hundred.
    assert "epochs=1," in written.read_text().replace(" ", "")


def test_an_export_under_a_wrong_name_is_refused(trained):
    for out in ("digits.pb", "digits"):
        with pytest.raises(UsageError, match=r"ends in \.onnx"):
            export(trained.folder, "onnx", out=out)
    with pytest.raises(UsageError, match="received a folder"):
        export(trained.folder, "onnx", out="run")


def test_two_commands_that_write_to_one_run_lose_nothing_of_each_other(trained):
    first, second = open_run(trained.folder), open_run(str(trained.folder))
    first.add("note.txt", b"one")
    second.amend(note="two")
    again = open_run(trained.folder)
    assert again.record["note"] == "two"
    assert "note.txt" in again.record["files"]


def test_a_submission_into_the_run_folder_leaves_the_run_whole(trained, sample):
    some, others = (kaggle_csv(f"{n}.csv", sample.test.take(np.arange(n))) for n in (20, 30))
    verbs.submit(trained.folder, some)
    verbs.submit(trained.folder, others, out=trained.folder / "submission.csv")
    open_run(trained.folder)
    with pytest.raises(UsageError, match="not part of the run"):
        verbs.submit(trained.folder, some, out=trained.folder / "history.jsonl")
    open_run(trained.folder)
