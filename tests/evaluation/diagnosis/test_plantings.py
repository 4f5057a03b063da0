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


# A share of labels dealt out anew and labels replaced by chance differ in counts alone, which chance moves too.
ALIKE = {"labels_shuffled", "label_noise"}


# Keras itself warns of some of the faults.
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("planting", PLANTINGS, ids=lambda p: f"{p.cause}-{p.name}")
def test_a_planted_fault_is_named_first(planting, arrays):
    diagnosis = tenfold.diagnose(**planting.plant(arrays, np.random.default_rng(1)))
    first, *others = diagnosis.findings
    if first.certainty < 0.9 and {first.cause, planting.cause} == ALIKE:
        first = others[0]
    assert first.cause == planting.cause, str(diagnosis)


def test_every_cause_has_three_strengths():
    counts = {p.cause: 0 for p in PLANTINGS}
    for planting in PLANTINGS:
        counts[planting.cause] += 1
    assert min(counts.values()) >= 3
    assert len(list(first_of_each())) == len(counts)
