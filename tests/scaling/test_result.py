"""The figures of a repeat, by hand; what it says when little or nothing is there; its file."""

import json
import re
from dataclasses import replace

import pytest
from scipy import stats

from tenfold.errors import CorruptFile, ModelError
from tenfold.scaling import is_repeat, open_repeat
from tenfold.scaling.result import seeds_in_words

from .conftest import PLAN

COUNTS = {0: 9_700, 1: 9_720, 2: 9_740}


def test_the_figures_by_hand(make_repeat):
    result = make_repeat("a", COUNTS, validated=600)
    assert result.test.mean.mean == pytest.approx(0.972, rel=1e-12)
    assert result.test.mean.sd == pytest.approx(0.002, rel=1e-9)
    # The t-interval: 4.302653 is Student's 97.5 % point with 2 degrees of freedom, from a table.
    assert result.test.mean.high - 0.972 == pytest.approx(4.302653 * 0.002 / 3**0.5, rel=1e-6)
    assert result.test.pooled == (29_160, 30_000)
    assert result.validation.pooled == (1_800, 2_400)
    assert result.seconds["training"].mean == 4.0  # of 3, 4 and 5
    assert result.seconds["total"].median == 4.3
    assert result.seconds_per_epoch.median == 0.7  # the median of 2.0, 0.5 and 0.7, three times
    assert result.test_openings == (1, 1, 1)


def test_it_prints_n_spread_interval_and_count(make_repeat):
    lines = [line.strip() for line in str(make_repeat("a", COUNTS)).splitlines()]
    told = dict(reversed([re.split("  +", line) for line in lines]))
    assert told["test accuracy"] == (
        "97.200% mean of n = 3 (sd 0.200%; 95 % CI 96.703% to 97.697%; lowest 97.00%, highest 97.40%)"
    )
    low, high = stats.binomtest(29_160, 30_000).proportion_ci(method="wilson")
    assert told["all runs together"] == (f"97.20% (29,160/30,000; 95 % CI {low:.2%} to {high:.2%})")
    assert told["seeds"] == "0 to 2: 3 finished, 0 failed"
    assert told["time of a run"].startswith(
        "4.3 s (sd 1.0), of which training 4.0 s (sd 1.0); whole"
    )
    assert told["test part opened"] == "3 times in 3 runs"


def test_failed_seeds_are_counted_and_named(make_repeat):
    result = make_repeat("a", COUNTS | {3: "killed by SIGKILL"})
    assert "0 to 3: 3 finished, 1 failed" in str(result)
    assert "seed 3 failed" in str(result)
    assert "killed by SIGKILL" in str(result)
    assert result.json()["failed"] == [{"seed": 3, "reason": "killed by SIGKILL"}]
    assert result.test.mean.n == 3


def test_one_run_has_no_spread_and_says_so(make_repeat):
    result = make_repeat("a", {0: 9_952})
    assert "99.52% (9,952/10,000; 95 % CI 99.36% to 99.64%), n = 1: one run says" in str(result)
    written = json.loads(json.dumps(result.json(), allow_nan=False))
    assert written["test_accuracy"]["sd"] is None


def test_where_every_seed_failed_there_are_no_figures(make_repeat):
    result = make_repeat("a", {0: "out of memory", 1: "out of memory"})
    assert (result.test, result.validation, result.backend, result.seconds) == (
        None,
        None,
        None,
        {},
    )
    assert "0 finished, 2 failed" in str(result)
    assert json.dumps(result.json(), allow_nan=False)


def test_digits_without_a_test_part_have_no_test_accuracy(make_repeat):
    plan = replace(PLAN, data_hash={"train": "aa11", "test": None})
    result = make_repeat("a", COUNTS, plan=plan)
    assert result.test is None
    assert "test accuracy" not in str(result)
    assert result.validation.mean.n == 3


def test_what_the_runs_do_not_share_is_a_warning(make_repeat):
    alike = make_repeat("a", COUNTS)
    assert alike.warnings == ()
    other = {"versions": {"python": "3.13.0"}, "precision": "bfloat16"}
    odd = replace(alike.runs[1], record=alike.runs[1].record | other)
    attempts = {**alike.attempts, 2: (alike.attempts[2][0]._replace(jobs=2, threads=1),)}
    mixed = replace(alike, runs=(alike.runs[0], odd, alike.runs[2]), attempts=attempts)
    assert [warning.rpartition("different ")[2] for warning in mixed.warnings] == [
        "versions of packages.",
        "precisions.",
        "numbers of processes at a time.",
    ]
    assert mixed.warnings[0] in str(mixed)


def test_the_warnings_of_a_run_are_those_of_the_repeat(make_repeat):
    result = make_repeat("a", {5: 9_999}, warnings=["99.99% is better than labels allow."])
    assert result.warnings == ("Seed 5: 99.99% is better than labels allow.",)
    assert result.json()["warnings"] == list(result.warnings)


def test_the_whole_process_is_timed_where_one_process_did_the_whole_run(make_repeat):
    result = make_repeat("a", COUNTS)
    assert result.seconds["process"].n == 3
    twice = result.with_attempt(1, result.attempts[1][0])
    assert "process" not in twice.seconds


def test_a_repeat_is_read_as_it_was_written(make_repeat):
    result = make_repeat("a", COUNTS | {3: "killed"})
    assert is_repeat(result.folder)
    assert open_repeat(result.folder) == result
    assert not is_repeat(result.folder / "seed-0")


def test_what_is_no_repeat_or_a_damaged_one_is_refused(make_repeat, tmp_path):
    with pytest.raises(ModelError, match="tenfold repeat"):
        open_repeat(tmp_path)
    result = make_repeat("a", COUNTS)
    path = result.folder / "repeat.json"
    path.write_bytes(path.read_bytes().replace(b"9700", b"9800"))
    with pytest.raises(CorruptFile, match="sha256"):
        open_repeat(result.folder)


def test_seeds_in_words():
    assert seeds_in_words([2, 0, 1, 5, 8, 9]) == "0 to 2, 5, 8 to 9"
    assert seeds_in_words([]) == "none"
