"""`tenfold diagnose`: a run, its digits and what is wrong with it."""

import json

import pytest


def test_a_run_is_diagnosed_in_words_and_as_json(tenfold, finished):
    outcome = tenfold("diagnose", finished)
    assert outcome.code == 0
    assert "train        x (3200, 28, 28) uint8" in outcome.out
    told = json.loads(tenfold("diagnose", finished, "--json").out)
    assert {"cause", "findings", "looked_at", "seconds"} == set(told)
    # Two epochs of 64-32-10 on 3,200 images are too few, and nothing else is wrong with them.
    assert [f["cause"] for f in told["findings"] if f["fault"]] == ["under_training"]


@pytest.mark.slow
def test_the_test_part_is_not_opened_by_a_diagnosis(tenfold, finished, here):
    before = json.loads((here / finished / "run.json").read_text())["test_openings"]
    outcome = tenfold("diagnose", finished)
    assert json.loads((here / finished / "run.json").read_text())["test_openings"] == before
    line = next(line for line in outcome.out.splitlines() if line.startswith("test "))
    assert "told" not in line


@pytest.mark.slow
def test_an_unfinished_run_is_diagnosed_by_what_there_is(tenfold, unfinished):
    outcome = tenfold("diagnose", unfinished)
    assert outcome.code == 0
    # Its recipe says how pixels are scaled, though there is no model yet.
    assert "unscaled" not in outcome.out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("diagnose", 2, "RUN"),
        ("diagnose missing", 7, "missing"),
        ("diagnose run --data uci-digits", 3, "expected the digits the run was trained on"),
        ("diagnose run --data mnits5k", 2, "Did you mean 'mnist5k'"),
    ],
)
def test_a_diagnosis_that_cannot_be_made_is_refused_in_a_sentence(
    tenfold, finished, words, code, says
):
    outcome = tenfold(*words.split())
    assert (outcome.code, outcome.out) == (code, "")
    assert says in outcome.err
