import json
import math
import re
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from scipy.stats import binomtest

from tenfold.errors import UsageError
from tenfold.reporting import compare
from tenfold.reporting.code_lines import package_lines

from .conftest import RECIPE, MakeRun

KERAS = replace(RECIPE, engine="keras")


def answers(
    only_first: int, only_second: int, *, both: int = 20
) -> dict[str, dict[str, list[int]]]:
    """What two runs say of images of 0: some that only one tells, and some that both do."""
    total = only_first + only_second + both
    first = [0] * only_first + [1] * only_second + [0] * both
    second = [1] * only_first + [0] * only_second + [0] * both
    return {
        "a": {"labels": [0] * total, "told": first},
        "b": {"labels": [0] * total, "told": second},
    }


def sentence(make_run: MakeRun, only_first: int, only_second: int) -> str:
    runs = [make_run(name, **told) for name, told in answers(only_first, only_second).items()]
    return str(compare(runs).pairs[0])


def test_the_figures_are_those_of_the_runs(make_run: MakeRun) -> None:
    told = {"labels": [4] * 10, "told": [4] * 9 + [9]}
    first, second = compare(
        [make_run("a", **told), make_run("b", recipe=KERAS, backend="jax", **told)]
    ).runs
    assert first.seconds_per_epoch == 0.7  # of 2.0, 0.5 and 0.7; their mean is 1.07
    assert (first.seconds_training, first.epochs, first.seed) == (3.2, 3, 7)
    assert (first.test, first.validation) == ((9, 10), (89, 100))
    assert first.parameters == 784 * 16 + 16 + 16 * 10 + 10
    assert first.data == "mnist5k (training part aa11)"
    assert first.machine == "an abacus, 2 cores"
    assert (first.engine, second.engine, second.backend) == ("numpy", "keras", "jax")


def test_a_run_in_another_precision_says_so(make_run: MakeRun) -> None:
    runs = [make_run("a"), make_run("b", recipe=KERAS, backend="jax", precision="bfloat16")]
    engines = [run.cells()["engine"] for run in compare(runs).runs]
    assert engines == ["numpy", "keras, computed by jax in bfloat16"]


@pytest.mark.parametrize(("recipe", "room"), [(RECIPE, "scratch"), (KERAS, "keras_engine")])
def test_code_control_is_counted_in_the_installed_engine(
    make_run: MakeRun, recipe: object, room: str
) -> None:
    spec = find_spec(f"tenfold.{room}")
    assert spec is not None
    assert spec.origin is not None
    counted = package_lines(Path(spec.origin).parent)
    measured = compare([make_run("a", recipe=recipe), make_run("b", recipe=recipe)]).runs[0]
    assert measured.lines_of_code == counted > 100
    assert f"{counted:,} lines of code" in measured.cells()["code control"]


def test_a_surprising_split_names_the_better_run_and_its_p_value(make_run: MakeRun) -> None:
    # Two-sided exact: twice the chance of 23 heads or fewer in 80 throws.
    p = 2 * sum(math.comb(80, heads) for heads in range(24)) / 2**80
    assert sentence(make_run, 57, 23).startswith(
        f"a is better: it alone told 57 images right, b alone 23; p = {p:.2g}. a minus b: +34.00 points"
    )


def test_the_better_run_may_be_the_second(make_run: MakeRun) -> None:
    assert sentence(make_run, 23, 57).startswith("b is better: it alone told 57 images right, a")


def test_an_even_split_finds_no_difference(make_run: MakeRun) -> None:
    found = sentence(make_run, 5, 5)
    assert found.startswith("No difference found: a alone told 5 images right, b alone 5; p = 1. ")
    assert "would take" not in found  # no number of images shows a difference of none


def test_no_difference_is_claimed_that_chance_makes_once_in_fifty(make_run: MakeRun) -> None:
    # 9 to 1: p = 2 * 11 / 1024 = 0.021, below the 0.05 of many textbooks.
    assert "p = 0.021, where less than 0.01 is asked for." in sentence(make_run, 9, 1)
    assert sentence(make_run, 9, 1).startswith("No difference found")


def test_the_size_of_a_difference_has_its_interval(make_run: MakeRun) -> None:
    runs = [make_run(name, **told) for name, told in answers(57, 23, both=920).items()]
    (pair,) = compare(runs).pairs
    assert pair.difference is not None
    assert (pair.difference.n, pair.difference.mean) == (1_000, pytest.approx(0.034))
    # By the normal distribution, of 57 ones, 23 minus ones and 920 zeros; 2,000 resamples come near.
    half = 1.96 * math.sqrt((80 / 1_000 - 0.034**2) / 1_000)
    assert pair.difference.low == pytest.approx(0.034 - half, abs=0.12 * half)
    assert pair.difference.high == pytest.approx(0.034 + half, abs=0.12 * half)
    ends = f"{100 * pair.difference.low:+.2f} to {100 * pair.difference.high:+.2f}"
    assert f"a minus b: +3.40 points of accuracy (95 % CI {ends}, bootstrap" in str(pair)
    assert "would take" not in str(pair)


def test_where_none_is_found_it_says_how_many_images_would_show_it(make_run: MakeRun) -> None:
    runs = [make_run(name, **told) for name, told in answers(9, 3, both=988).items()]
    (pair,) = compare(runs).pairs
    # Connor's formula by hand: psi 0.012, delta 0.006.
    root = 2.575829 * math.sqrt(0.012) + 0.841621 * math.sqrt(0.012 - 0.006**2)
    assert pair.images_needed == math.ceil((root / 0.006) ** 2) == 3_891
    assert str(pair).endswith("would take about 3,900 test images to be seen 8 times in 10.")
    assert pair.json()["images_needed"] == 3_891


@pytest.mark.parametrize(("labels", "told"), [([4] * 10, [4] * 9 + [9]), ([1], [1])])
def test_runs_that_never_differ_have_no_size_to_speak_of(
    make_run: MakeRun, labels: list[int], told: list[int]
) -> None:
    runs = [make_run(name, labels=labels, told=told) for name in "ab"]
    (pair,) = compare(runs).pairs
    assert str(pair).endswith("b alone 0; p = 1.")
    assert pair.json()["difference"] is None


def test_runs_judged_on_other_images_are_not_tested_against_each_other(make_run: MakeRun) -> None:
    told = {"labels": [4] * 10, "told": [4] * 10}
    other = make_run("b", data={"hash": {"train": "aa11", "test": "cc33"}}, **told)
    (pair,) = compare([make_run("a", **told), other]).pairs
    assert pair.result is None
    assert str(pair) == (
        "a and b: no paired test, because they were not judged on the same test images."
    )


def test_a_run_without_a_test_part_is_compared_in_words(make_run: MakeRun) -> None:
    judged = make_run("a", labels=[4] * 10, told=[4] * 10)
    comparison = compare([judged, make_run("b")])
    assert comparison.runs[1].cells()["test accuracy"] == "no test part"
    assert str(comparison.pairs[0]).endswith("because b was not judged on test images.")
    assert comparison.json()["runs"][1]["test"] is None


def test_every_run_is_tested_against_the_first(make_run: MakeRun) -> None:
    runs = [make_run(name, labels=[1], told=[1]) for name in "abc"]
    assert [(p.first, p.second) for p in compare(runs).pairs] == [("a", "b"), ("a", "c")]


def test_several_tests_share_the_level_of_one(make_run: MakeRun) -> None:
    # 17 against 4 has p = 0.0072: below 0.01, and not below a half of it.
    assert math.isclose(binomtest(4, 21).pvalue, 0.0072, abs_tol=1e-4)
    runs = [make_run(name, **told) for name, told in answers(17, 4).items()]
    assert str(compare(runs).pairs[0]).startswith("a is better")
    three = compare([*runs, make_run("c", **answers(17, 4)["b"])])
    assert [str(pair)[:19] for pair in three.pairs] == ["No difference found"] * 2
    assert "where less than 0.005 is asked for" in str(three.pairs[0])
    assert "below p = 0.01 / 2" in three.sentences()[-1]
    # Who was not tested takes no share.
    untested = compare([*runs, make_run("d")])
    assert str(untested.pairs[0]).startswith("a is better")


@pytest.mark.parametrize("count", [0, 1])
def test_one_run_is_no_comparison(make_run: MakeRun, count: int) -> None:
    with pytest.raises(UsageError, match=f"at least two runs, received {count}"):
        compare([make_run()] * count)


@pytest.mark.parametrize("count", [2, 3])
def test_the_text_fits_a_hundred_columns_and_loses_no_word(make_run: MakeRun, count: int) -> None:
    names = [f"2026-11-22-a-long-name-of-a-run-s{i}" for i in range(count)]
    comparison = compare([make_run(name, labels=[1], told=[1]) for name in names])
    text = comparison.text()
    assert max(len(line) for line in text.splitlines()) <= 100
    for words in comparison.runs[0].cells().values():
        assert all(word in text for word in words.split())


def test_runs_with_one_name_are_told_apart_by_their_folders(make_run: MakeRun) -> None:
    one, other = make_run("first/run"), make_run("second/run")
    assert [run.name for run in compare([one, other]).runs] == [str(one.folder), str(other.folder)]


def test_a_hostile_name_stays_text_in_markdown(make_run: MakeRun) -> None:
    markdown = compare([make_run("a|b<script>"), make_run("*c*[d](e)`f`")]).markdown()
    head = markdown.splitlines()[0]
    assert head == r"|  | a\|b&lt;script&gt; | \*c\*\[d\](e)\`f\` |"
    assert "<script" not in markdown
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len(rows) == 12  # the head, the rule below it and ten rows
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}


def test_a_hostile_name_cannot_steer_a_terminal(make_run: MakeRun) -> None:
    runs = [make_run("red\x1b[31m"), make_run("b", data={"name": "over\rwritten\nlines"})]
    comparison = compare(runs)
    for shown in (comparison.text(), comparison.markdown()):
        assert all(letter.isprintable() or letter == "\n" for letter in shown)
    assert "red?[31m" in comparison.text()
    assert "over?written?lines" in comparison.json()["runs"][1]["data"]


def test_json_holds_the_figures_with_their_intervals(make_run: MakeRun) -> None:
    runs = [make_run(name, **told) for name, told in answers(57, 23).items()]
    payload = json.loads(json.dumps(compare(runs).json(), allow_nan=False))
    first = payload["runs"][0]
    assert (first["test"]["correct"], first["test"]["total"]) == (77, 100)
    # Wilson's bounds w solve (0.77 - w)^2 = 1.96^2 w (1 - w) / 100.
    for bound in (first["test"]["low"], first["test"]["high"]):
        expected = 1.959964**2 * bound * (1 - bound) / 100
        assert (0.77 - bound) ** 2 == pytest.approx(expected, rel=1e-5)  # z has 7 digits
    (pair,) = payload["pairs"]
    assert (pair["mcnemar"]["only_first"], pair["mcnemar"]["only_second"]) == (57, 23)
    assert pair["sentence"].startswith("a is better")
