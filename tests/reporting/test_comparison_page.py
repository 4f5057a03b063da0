"""The page about several runs says what their records say."""

import re

import pytest

from tenfold.errors import UsageError
from tenfold.reporting import comparison_page

from .conftest import HISTORY, MakeRun


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("&nbsp;", " ").split())


def test_each_runs_figures_stand_in_its_column(make_run: MakeRun) -> None:
    labels = [0, 0, 1, 1, 2, 2]
    first = make_run("first", labels=labels, told=[0, 0, 1, 1, 2, 7])
    second = make_run("second", labels=labels, told=[0, 3, 1, 1, 7, 7])
    text = words(comparison_page([first, second]))
    assert f"test accuracy {first.test} {second.test}" in text
    recall = re.search(r"digit first second (.*)", text)
    assert recall is not None
    # Digit 0: both of two, and one of two; no image shows a 9.
    assert re.search(r"0 100\.00% \(2/2\) [^(]*% 50\.00% \(1/2\)", recall[1])
    assert "9 no such image no such image What they take for what" in recall[1]
    assert "No difference found: first alone told 2 images right, second alone 0; p = 0.5." in text
    assert "Training loss" in text
    assert "Validation accuracy" in text


def test_each_curve_ends_where_its_run_ends(make_run: MakeRun) -> None:
    runs = [make_run("long"), make_run("short", history=HISTORY[:2])]
    page = comparison_page(runs)
    assert (
        "Training loss (nats an image), epochs 1 to 3: long from 0.9 to 0.2; short from 0.9 to 0.4."
        in page
    )
    assert "Digit by digit" not in page


def test_without_validation_there_is_no_curve_of_it(make_run: MakeRun) -> None:
    bare = tuple(
        epoch._replace(validation_loss=None, validation_accuracy=None) for epoch in HISTORY
    )
    page = comparison_page([make_run("one"), make_run("other", history=bare)])
    assert "Training loss" in page
    assert "Validation accuracy" not in page


def test_of_three_runs_it_says_which_pairs_were_tested(make_run: MakeRun) -> None:
    told = "Each was tested against one alone"
    assert told in comparison_page([make_run("one"), make_run("two"), make_run("three")])
    assert told not in comparison_page([make_run("one"), make_run("two")])


def test_what_is_the_same_of_all_is_said_once(make_run: MakeRun) -> None:
    text = words(comparison_page([make_run(name, seed=k) for k, name in enumerate("abcd")]))
    assert text.count("an abacus, 2 cores") == 1
    assert "seed 0 1 2 3" in text
    # An accuracy stands in the column of its run all the same.
    assert text.count("89.00% (89/100;") == 4


def test_names_stay_text_and_nothing_is_fetched(make_run: MakeRun) -> None:
    page = comparison_page([make_run("a<b>"), make_run("c")])
    assert "<b>b" not in page
    assert "a&lt;b&gt;" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page


def test_one_run_is_no_comparison(make_run: MakeRun) -> None:
    with pytest.raises(UsageError, match="at least two runs"):
        comparison_page([make_run("alone")])
