"""docs/protocol.md: its figures are computed here, what it names is there, and the records keep to it."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tenfold.evaluation.corrected import DOUBTS
from tenfold.evaluation.leaks import FEWEST_IMAGES, HIGHEST_HONEST_SHARE
from tenfold.statistics import SIGNIFICANT, mcnemar

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "protocol.md"
TEXT = " ".join(PAGE.read_text().split())


def named() -> list[tuple[str, str]]:
    """(name, file) of each link whose text is a name in the code."""
    return re.findall(r"\[`(\w+)`\]\(([^)]+)\)", PAGE.read_text())


def test_what_the_rules_are_held_by_is_defined_where_the_page_says():
    assert len(named()) >= 10
    for name, file in named():
        code = (PAGE.parent / file).read_text()
        assert re.search(rf"^\s*(def|class) {name}\b|^{name} =", code, re.MULTILINE), name


def openings(record: object) -> Iterator[list[int]]:
    """Every "test_openings" in a record, however deep."""
    if isinstance(record, dict):
        for key, value in record.items():
            if key == "test_openings":
                yield value if isinstance(value, list) else [value]
            else:
                yield from openings(value)
    elif isinstance(record, list):
        for value in record:
            yield from openings(value)


def test_each_released_run_has_opened_the_test_part_once():
    counts = [
        count
        for path in sorted((ROOT / "results").glob("*.json"))
        for found in openings(json.loads(path.read_text()))
        for count in found
    ]
    assert len(counts) >= 10
    assert set(counts) == {1}


def p_value(only_first: int, only_second: int) -> float:
    told = np.array([True] * only_first + [False] * only_second)
    return mcnemar(told, ~told).p_value


def test_the_arithmetic_of_the_page():
    error = math.sqrt(0.998 * 0.002 / 10_000)
    assert f"= {100 * error:.3f} points, which is {10_000 * error:.1f} images" in TEXT
    assert f"about {100 * 1.96 * error:.2f} points to each side" in TEXT
    assert f"4 against 0, then p = {p_value(4, 0):.3g}" in TEXT
    assert f"Seven against 0 give p = {p_value(7, 0):.2g}" in TEXT
    assert f"8 against 0 the first p below 0.01, {p_value(8, 0):.2g}" in TEXT
    assert f"24 against 20, p = {p_value(24, 20):.2g}" in TEXT
    assert p_value(8, 0) < SIGNIFICANT == 0.01 < p_value(7, 0)
    assert f"add {99.81 - 99.641:.2f} points of luck" in TEXT


def test_the_limits_of_the_page_are_those_of_the_code():
    assert f"More than {100 * HIGHEST_HONEST_SHARE:.1f} %** of at least {FEWEST_IMAGES:,}" in TEXT
    others = sum(doubt.shows is not None for doubt in DOUBTS)
    open_ones = len(DOUBTS) - others
    assert (others, open_ones) == (10, 5)
    assert f"of {10_000 - open_ones:,} images, {others} with another label" in TEXT
    low, high = 10_000 - others - open_ones, 10_000 - others
    assert f"{low / 100:.2f} % to {high / 100:.2f} %" in TEXT
