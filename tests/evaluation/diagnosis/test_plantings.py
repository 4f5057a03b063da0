"""Faults planted in trained networks are named first; healthy scripts are left alone."""

import numpy as np
import plantings_in_arrays  # noqa: F401  fills the table
import plantings_in_models  # noqa: F401  likewise
import pytest
from healthy import HEALTHY
from planting import PLANTINGS, first_of_each

import tenfold

pytestmark = pytest.mark.slow

# What counts is CPU seconds, not what else a machine does meanwhile.
MOST_SECONDS = 30


@pytest.mark.parametrize("script", HEALTHY, ids=lambda s: s.__name__)
def test_a_healthy_script_has_no_fault(script, arrays):
    diagnosis = tenfold.diagnose(**script(arrays))
    assert diagnosis.faults == (), str(diagnosis)


@pytest.mark.parametrize("cause", dict.fromkeys(p.cause for p in PLANTINGS))
def test_a_planted_fault_is_named_first(cause, arrays):
    missed = []
    for planting in (p for p in PLANTINGS if p.cause == cause):
        given = planting.plant(arrays, np.random.default_rng(1))
        diagnosis = tenfold.diagnose(**given)
        if diagnosis.cause != cause:
            missed.append(f"{planting.name}\n{diagnosis}")
    assert not missed, "\n\n".join(missed)


def test_every_cause_has_three_strengths():
    counts = {p.cause: 0 for p in PLANTINGS}
    for planting in PLANTINGS:
        counts[planting.cause] += 1
    assert min(counts.values()) >= 3
    assert len(list(first_of_each())) == len(counts)
