"""What is trained, what is kept, what is refused, and that no seed is lost on the way."""

from dataclasses import replace
from pathlib import Path

import pytest

from tenfold.errors import ModelError, UsageError
from tenfold.files import locked
from tenfold.recipes import named_recipe
from tenfold.scaling import Plan, Repeat, open_repeat, repeat
from tenfold.scaling.folder import read_repeat

from .conftest import PLAN, Trainings, write_run


def train(folder: Path, seeds: range, trainings: Trainings | None = None, **more) -> Repeat:
    start = trainings or Trainings()
    return repeat(
        more.pop("plan", PLAN), folder=folder, seeds=seeds, say=print, start=start, **more
    )


def test_each_seed_gets_a_run_folder_of_its_own(tmp_path):
    result = train(tmp_path, range(3, 6))
    assert [run.folder.name for run in result.runs] == ["seed-3", "seed-4", "seed-5"]
    assert (result.finished, result.failed, result.unfinished) == ((3, 4, 5), {}, ())


def test_what_is_finished_is_not_trained_again_and_more_seeds_extend_it(tmp_path):
    train(tmp_path, range(3))
    again = Trainings()
    assert train(tmp_path, range(3), again).finished == (0, 1, 2)
    assert again.started == []
    more = Trainings()
    assert train(tmp_path, range(5), more).finished == (0, 1, 2, 3, 4)
    assert more.started == [3, 4]


def test_seeds_that_were_trained_before_are_never_left_out(tmp_path):
    # Or one could try windows of seeds until one looks good.
    train(tmp_path, range(4))
    assert train(tmp_path, range(2)).finished == (0, 1, 2, 3)
    assert train(tmp_path, range(7, 9)).finished == (0, 1, 2, 3, 7, 8)


def test_at_most_so_many_train_at_a_time_and_they_share_the_cores(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "tenfold.scaling.processes.machine", lambda: {"processor": "x", "cores": 8, "system": "y"}
    )
    alone, together = Trainings(), Trainings()
    assert train(tmp_path / "alone", range(4), alone).attempts[0][0][:2] == (1, None)
    assert alone.most_at_a_time == 1
    assert alone.environments == [{}] * 4
    result = train(tmp_path / "together", range(7), together, jobs=3)
    assert together.most_at_a_time == 3
    for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"):
        assert {environment[name] for environment in together.environments} == {"2"}  # 8 // 3
    assert {attempts[0][:2] for attempts in result.attempts.values()} == {(3, 2)}


def test_a_process_that_dies_is_a_failed_seed_and_is_tried_again(tmp_path, capsys):
    result = train(tmp_path, range(3), Trainings({1: "killed by SIGKILL"}))
    assert (result.finished, dict(result.failed)) == ((0, 2), {1: "killed by SIGKILL"})
    assert "seed 1 (2 of 3) failed: killed by SIGKILL" in capsys.readouterr().out
    assert open_repeat(tmp_path).failed == {1: "killed by SIGKILL"}
    again = Trainings()
    result = train(tmp_path, range(1), again)
    assert (again.started, result.failed, result.finished) == ([1], {}, (0, 1, 2))
    assert len(result.attempts[1]) == 2


def test_a_training_that_failed_for_good_is_reported_again_and_not_repeated(tmp_path):
    diverged = {"status": "failed", "failure": "epoch 1: the loss is nan."}
    trainings = Trainings({0: diverged})
    for started in ([0, 1], [0, 1]):
        result = train(tmp_path, range(2), trainings)
        assert trainings.started == started
        assert dict(result.failed) == {0: "epoch 1: the loss is nan."}


def test_a_damaged_run_is_a_failed_seed_that_names_the_damage(tmp_path):
    train(tmp_path, range(2))
    (tmp_path / "seed-1" / "history.jsonl").write_text("")
    result = train(tmp_path, range(2))
    assert "history.jsonl" in result.failed[1]
    assert "history.jsonl" in open_repeat(tmp_path).failed[1]


def test_an_unfinished_run_is_gone_on_with(tmp_path):
    write_run(tmp_path / "run", PLAN, 1, status="training")
    train(tmp_path / "r", range(1))
    (tmp_path / "run").rename(tmp_path / "r" / "seed-1")
    trainings = Trainings()
    assert train(tmp_path / "r", range(2), trainings).finished == (0, 1)
    assert trainings.started == [1]


OTHER_RECIPE = replace(PLAN, recipe=replace(PLAN.recipe, epochs=4))
OTHER_DIGITS = replace(PLAN, data_hash={"train": "aa11", "test": "cc33"})


@pytest.mark.parametrize(
    ("other", "words"), [(OTHER_RECIPE, "expected the recipe"), (OTHER_DIGITS, "the digits of")]
)
def test_runs_of_something_else_are_not_mixed_in(tmp_path, other, words):
    train(tmp_path / "a", range(2))
    before = (tmp_path / "a" / "repeat.json").read_bytes()
    trainings = Trainings()
    with pytest.raises(UsageError, match=words):
        train(tmp_path / "a", range(3), trainings, plan=other)
    assert trainings.started == []
    assert (tmp_path / "a" / "repeat.json").read_bytes() == before
    # Nor by hand, into the folder.
    write_run(tmp_path / "a" / "seed-2", other, 2)
    for look in (lambda: train(tmp_path / "a", range(3)),):
        with pytest.raises(UsageError, match=words):
            look()


def test_a_run_that_ends_with_other_digits_ends_the_repeat(tmp_path):
    trainings = Trainings({0: OTHER_DIGITS.json()})
    with pytest.raises(UsageError, match="the digits of"):
        train(tmp_path, range(3), trainings, jobs=2)
    assert trainings.stopped == [1]


def test_a_copied_run_is_no_second_seed(tmp_path):
    train(tmp_path, range(1))
    write_run(tmp_path / "seed-1", PLAN, 0)
    with pytest.raises(UsageError, match="expected a run with seed 1, received one with seed 0"):
        train(tmp_path, range(2))


def test_the_name_of_a_recipe_is_not_its_value(tmp_path):
    train(tmp_path, range(1))
    renamed = replace(PLAN, name="seed-by-hand")
    assert train(tmp_path, range(2), plan=renamed).finished == (0, 1)


def test_a_folder_with_other_things_is_refused(tmp_path):
    (tmp_path / "letter.txt").write_text("dear reader")
    with pytest.raises(UsageError, match="holds other things"):
        train(tmp_path, range(1))


def test_two_repeats_do_not_write_into_one_folder(tmp_path):
    with locked(tmp_path), pytest.raises(UsageError, match="another process"):
        train(tmp_path, range(1))


def test_an_interrupt_stops_all_trainings_and_the_same_call_goes_on(tmp_path):
    interrupted = Trainings(interrupt_at=2)
    with pytest.raises(KeyboardInterrupt, match="2 of 4 seeds are finished. The same command"):
        train(tmp_path, range(4), interrupted, jobs=2)
    assert interrupted.stopped == [2, 3]
    assert read_repeat(tmp_path).seeds == (0, 1, 2, 3)
    with pytest.raises(ModelError, match="whose seeds 2 to 3 are not finished"):
        open_repeat(tmp_path)
    trainings = Trainings()
    assert train(tmp_path, range(4), trainings).finished == (0, 1, 2, 3)
    assert trainings.started == [2, 3]


KERAS = Plan("seed", replace(named_recipe("seed"), epochs=3), "mnist5k", PLAN.data_hash)


def test_later_runs_compute_with_what_the_first_did(tmp_path, monkeypatch):
    jax = {"engine": "keras", "backend": "jax"}
    train(tmp_path, range(1), Trainings({0: jax}), plan=KERAS)
    trainings = Trainings({1: jax})
    train(tmp_path, range(2), trainings, plan=KERAS)
    assert trainings.environments == [{"KERAS_BACKEND": "jax"}]
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(UsageError, match=r"its runs \(jax\), received torch"):
        train(tmp_path, range(3), plan=KERAS)
