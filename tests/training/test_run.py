"""A run folder: what is read is what was written, and every damage to it is noticed and named."""

import numpy as np
import pytest

from tenfold.errors import CorruptFile, ModelError, UsageError
from tenfold.evaluation import Judgement
from tenfold.layers import Dense
from tenfold.network import Network
from tenfold.recipe import Recipe
from tenfold.training import Run, open_run
from tenfold.training.loop import EpochResult
from tenfold.training.run import (
    FORMAT,
    read_record,
    seals,
    write_history,
    write_predictions,
    write_record,
)

HISTORY = (EpochResult(1, 0.5, 2.0, 0.4, None, None), EpochResult(2, 0.25, 1 / 3, 0.9, 0.2, 0.95))
JUDGED = Judgement(
    labels=np.array([7, 2, 1], np.uint8),
    predicted_labels=np.array([7, 3, 1], np.uint8),
    confidences=np.array([0.75, 0.5, 1.0], np.float32),
    log_loss=0.3,
)


@pytest.fixture
def run(tmp_path) -> Run:
    folder = tmp_path / "a-run"
    write_history(folder, HISTORY)
    write_predictions(folder, JUDGED)
    record = {
        "format": FORMAT,
        "status": "done",
        "recipe": {"name": "tiny", "value": Recipe(Network(Dense(10))).to_json()},
        "results": {"test": {"correct": 2, "total": 3, "log_loss": 0.3}, "validation": None},
        "files": seals(folder),
    }
    write_record(folder, record)
    return open_run(folder)


def test_what_is_read_is_what_was_written(run):
    assert run.name == "a-run"
    assert run.history == HISTORY
    assert run.recipe == Recipe(Network(Dense(10)))
    assert run.test == (2, 3)
    assert run.validation is None
    judged = run.test_judgement()
    assert judged.accuracy == (2, 3)
    assert judged.confidences.tolist() == [0.75, 0.5, 1.0]


@pytest.mark.parametrize("name", ["history.jsonl", "test_predictions.csv", "run.json"])
def test_every_flipped_bit_is_noticed_and_its_file_named(run, name):
    path = run.folder / name
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.choice(len(content), 40):
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        # A flip in run.json may fall on its format number, which is then another format's.
        with pytest.raises((CorruptFile, ModelError), match=name):
            open_run(run.folder)


@pytest.mark.parametrize("name", ["history.jsonl", "test_predictions.csv", "run.json"])
def test_every_truncation_is_noticed_and_its_file_named(run, name):
    path = run.folder / name
    content = path.read_bytes()
    for length in range(0, len(content) - 1, 7):
        path.write_bytes(content[:length])
        with pytest.raises((CorruptFile, ModelError), match=name):
            open_run(run.folder)


def test_a_missing_file_is_named(run):
    (run.folder / "history.jsonl").unlink()
    with pytest.raises(CorruptFile, match="history.jsonl"):
        open_run(run.folder)


def test_a_number_edited_by_hand_is_noticed(run):
    path = run.folder / "run.json"
    path.write_text(path.read_text().replace('"correct": 2', '"correct": 3'))
    with pytest.raises(CorruptFile, match="edited"):
        open_run(run.folder)


def test_a_file_that_is_added_is_on_record(run):
    grown = run.add("submission.csv", b"ImageId,Label\n1,7\n")
    assert open_run(run.folder).record == grown.record
    (run.folder / "submission.csv").write_bytes(b"ImageId,Label\n1,8\n")
    with pytest.raises(CorruptFile, match="submission.csv"):
        open_run(run.folder)


def test_a_record_cannot_point_outside_its_folder(run):
    outside = run.folder.parent / "secret"
    outside.write_bytes(b"mine")
    record = run.record | {"files": {"../secret": {"sha256": "0" * 64, "bytes": 4}}}
    write_record(run.folder, record)
    with pytest.raises(CorruptFile, match="inside the run"):
        open_run(run.folder)


def test_a_folder_without_a_run_says_how_runs_are_made(tmp_path):
    with pytest.raises(ModelError, match="tenfold train"):
        open_run(tmp_path)
    with pytest.raises(ModelError, match="received a place where no folder is"):
        open_run(tmp_path / "nowhere")


def test_an_unfinished_run_says_how_to_go_on(run):
    write_record(run.folder, run.record | {"status": "training"})
    with pytest.raises(ModelError, match="--resume --out"):
        open_run(run.folder)


def test_a_failed_run_says_why_and_not_that_it_goes_on(run):
    write_record(run.folder, run.record | {"status": "failed", "failure": "The loss is inf."})
    with pytest.raises(
        ModelError, match=r"failed: The loss is inf\. Find out why with: tenfold"
    ) as it:
        open_run(run.folder)
    assert "--resume" not in str(it.value)


def test_a_run_of_a_later_format_is_refused(run):
    write_record(run.folder, run.record | {"format": FORMAT + 1})
    with pytest.raises(ModelError, match=f"format {FORMAT}, received {FORMAT + 1}"):
        read_record(run.folder)


def test_a_run_is_not_trained_over(run, small_digits):
    from tenfold.digits import Parts
    from tenfold.training import train

    with pytest.raises(UsageError, match="a run stands here"):
        train(run.recipe, Parts(small_digits, None), folder=run.folder)
