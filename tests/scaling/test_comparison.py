"""Which of two recipes is better over seeds, and when nobody can say."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tenfold.errors import DataError, ModelError
from tenfold.scaling import compare_repeats, repeat

from .conftest import PLAN, Trainings

# Ten pairs; the first is higher in nine of them.
FIRST = dict(enumerate([9_751, 9_748, 9_757, 9_750, 9_746, 9_755, 9_749, 9_753, 9_751, 9_744]))
SECOND = dict(enumerate([9_744, 9_749, 9_747, 9_741, 9_736, 9_740, 9_743, 9_751, 9_742, 9_739]))


def test_the_same_seeds_are_compared_pair_by_pair(make_repeat):
    comparison = compare_repeats(make_repeat("slow", FIRST), make_repeat("fast", SECOND))
    test = comparison.test
    assert (test.test, test.n) == ("paired", (10, 10))
    assert test.mean == pytest.approx((sum(FIRST.values()) - sum(SECOND.values())) / 100_000)
    low, high = stats.ttest_rel([*FIRST.values()], [*SECOND.values()]).confidence_interval(0.95)
    assert (test.low, test.high) == pytest.approx((low / 10_000, high / 10_000))
    # All patterns of signs whose sum is as far from 0: those of 71 + 1, and 72 with the small one turned.
    assert comparison.sentences()[1] == (
        f"slow is better than fast on the test part, by 0.072 points (95 % CI {low / 100:.3f} to "
        f"{high / 100:.3f}; n = 10 pairs of one seed; p = {4 / 2**10:.2g})."
    )


def test_the_better_one_may_be_the_second(make_repeat):
    comparison = compare_repeats(make_repeat("fast", SECOND), make_repeat("slow", FIRST))
    assert comparison.test.mean < 0
    sentence = comparison.sentences()[1]
    assert sentence.startswith("slow is better than fast on the test part, by 0.072 points")
    assert "-" not in sentence


def test_without_the_same_seeds_they_are_two_samples(make_repeat):
    later = {seed + 5: told for seed, told in SECOND.items()}
    comparison = compare_repeats(make_repeat("slow", FIRST), make_repeat("fast", later))
    expected = stats.ttest_ind([*FIRST.values()], [*SECOND.values()], equal_var=False)
    assert comparison.test.test == "welch"
    assert comparison.test.p_value == pytest.approx(expected.pvalue)
    assert "n = 10 and 10, not the same seeds" in comparison.sentences()[1]


def test_a_difference_that_chance_makes_once_in_fifty_is_none(make_repeat):
    # 2 * 3 / 2**8 = 0.023, below the 0.05 of many textbooks: eight pairs, one against by the least.
    first = {s: 9_710 + s for s in range(8)}
    second = {s: 9_700 + 2 * s for s in range(7)} | {7: 9_720}
    comparison = compare_repeats(make_repeat("a", first), make_repeat("b", second))
    assert comparison.test.p_value == pytest.approx(
        stats.permutation_test(
            ([*first.values()], [*second.values()]),
            lambda x, y: sum(x) - sum(y),
            permutation_type="samples",
            n_resamples=1e9,
            vectorized=False,
        ).pvalue
    )
    assert 0.01 < comparison.test.p_value < 0.05
    assert comparison.sentences()[1].startswith(
        "No difference found on the test part (n = 8 pairs of one seed; a minus b 0.0"
    )


def test_where_none_is_found_it_says_how_many_seeds_would_show_it(make_repeat):
    first = {s: 9_710 + s for s in range(8)}
    second = {s: 9_700 + 2 * s for s in range(7)} | {7: 9_720}
    (sentence,) = (
        s
        for s in compare_repeats(make_repeat("a", first), make_repeat("b", second)).sentences()
        if "test part" in s
    )
    seeds = int(sentence.split("would take about ")[1].split()[0])
    # By scipy: the chance that a t-test of so many pairs passes 0.01 crosses 0.8 there.
    differences = [first[s] - second[s] for s in range(8)]
    effect = np.mean(differences) / np.std(differences, ddof=1)
    power = [
        stats.nct.sf(stats.t.isf(0.005, n - 1), n - 1, effect * np.sqrt(n))
        for n in (seeds - 1, seeds)
    ]
    assert power[0] < 0.8 <= power[1]


def test_few_pairs_cannot_show_a_difference_and_it_says_so(make_repeat):
    first, second = (dict.fromkeys(range(5), told) for told in (9_900, 9_000))
    comparison = compare_repeats(make_repeat("a", first), make_repeat("b", second))
    assert not comparison.test.found
    assert comparison.sentences()[1].endswith("With fewer than 8 pairs none can be.")


def test_choices_are_told_on_the_validation_part(make_repeat):
    a = make_repeat("a", dict.fromkeys(range(8), 9_700), validated=790)
    b = make_repeat("b", dict.fromkeys(range(8), 9_700), validated=780)
    sentences = compare_repeats(a, b).sentences()
    assert sentences[0].startswith("a is better than b on the validation part, by 1.250 points")
    assert sentences[1].startswith("No difference found on the test part")


def test_other_validation_parts_are_not_compared(make_repeat):
    validation = {"correct": 300, "total": 400, "log_loss": 0.2}
    test = {"correct": 9_700, "total": 10_000, "log_loss": 0.1}
    other = make_repeat("b", {0: 9_700, 1: 9_710}, results={"validation": validation, "test": test})
    comparison = compare_repeats(make_repeat("a", {0: 9_700, 1: 9_710}), other)
    assert comparison.validation is None
    assert comparison.test is not None


def test_other_test_images_are_not_compared(make_repeat):
    plan = replace(PLAN, data="openml", data_hash={"train": "aa11", "test": "cc33"})
    with pytest.raises(DataError, match="same test images, received mnist5k and openml"):
        compare_repeats(make_repeat("a", FIRST), make_repeat("b", FIRST, plan=plan))


def test_without_any_part_in_common_there_is_nothing_to_compare(make_repeat):
    plan = replace(PLAN, data_hash={"train": "aa11", "test": None})
    other = replace(plan, data_hash={"train": "dd44", "test": None})
    with pytest.raises(DataError, match="received none"):
        compare_repeats(make_repeat("a", FIRST, plan=plan), make_repeat("b", FIRST, plan=other))


def test_failed_seeds_are_not_passed_over_in_silence(make_repeat):
    comparison = compare_repeats(make_repeat("a", FIRST), make_repeat("b", SECOND | {3: "killed"}))
    assert comparison.test.test == "welch"  # not the same seeds any more
    assert comparison.sentences()[-1] == ("b: 1 of 10 seeds failed and are not in these figures.")
    with pytest.raises(ModelError, match="all 2 seeds failed"):
        compare_repeats(make_repeat("c", {0: "killed", 1: "killed"}), comparison.first)


def test_two_single_runs_are_no_test_of_recipes(make_repeat):
    comparison = compare_repeats(make_repeat("a", {0: 9_900}), make_repeat("b", {1: 9_000}))
    assert comparison.sentences()[1].startswith("No test on the test part")
    assert json.dumps(comparison.json(), allow_nan=False)


def test_repeats_of_one_name_are_told_apart_by_their_folders(tmp_path):
    a, b = (
        repeat(PLAN, folder=tmp_path / d / "cnn", seeds=[0], say=print, start=Trainings())
        for d in "ab"
    )
    assert compare_repeats(a, b).names == (str(a.folder), str(b.folder))


def test_the_table_holds_both_and_json_all(make_repeat):
    comparison = compare_repeats(make_repeat("slow", FIRST), make_repeat("fast", SECOND))
    head, *rows = comparison.rows()
    assert head == ("", "slow", "fast")
    table = {label: cells for label, *cells in rows}
    assert table["test"][0].startswith("97.504% (n = 10, sd 0.0")
    payload = json.loads(json.dumps(comparison.json(), allow_nan=False))
    assert payload["test"]["n"] == [10, 10]
    assert [each["name"] for each in payload["repeats"]] == ["slow", "fast"]
