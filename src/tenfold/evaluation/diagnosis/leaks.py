"""Images on both sides: rows of validation or test that are rows of training, or changed copies of them."""

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tenfold.evaluation.diagnosis import fixes, probe
from tenfold.evaluation.diagnosis.evidence import Evidence
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.evaluation.diagnosis.inputs import Part
from tenfold.evaluation.diagnosis.pictures import levelled
from tenfold.statistics import Proportion

# The share of pictures without white from which copies made darker are looked for.
DIM = 0.01


def leak(evidence: Evidence) -> Iterator[Finding]:
    """Rows of validation or test that are rows of training, equal or nearly so."""
    train = evidence.train
    if train is None:
        return
    for part in evidence.others:
        same = _equal_rows(train, part)
        near = _near_copies(evidence, train, part) if same < 3 else 0
        looked_at = min(len(part), 1_000) if near else len(part)
        count = same or near
        if count < 3 or count < 0.004 * looked_at:
            continue
        how = (
            "are also training rows, pixel for pixel"
            if same
            else "have a training row that is all but equal (a changed copy)"
        )
        inside = evidence.answers(part)
        memory = (
            f" The model tells {inside.accuracy} of {part.name}: partly from memory."
            if inside and inside.accuracy.total
            else ""
        )
        yield Finding(
            "leak",
            0.97 if same else 0.85,
            f"{Proportion(count, looked_at)} of the {part.name} rows {how}.{memory}",
            fixes.without_seen(part, exact=bool(same)),
            {"rows": count, "of": looked_at},
        )


def _equal_rows(train: Part, part: Part) -> int:
    """How many rows of a part are rows of training: as given, or as the pictures they were made from."""
    pairs = [(train.x, part.x)]
    if train.pictures is not None and part.pictures is not None:
        pairs.append((train.pictures, part.pictures))
    return max(_count_equal(ours, theirs) for ours, theirs in pairs)


def _count_equal(ours: NDArray[np.generic], theirs: NDArray[np.generic]) -> int:
    ours, theirs = ours.reshape(len(ours), -1), theirs.reshape(len(theirs), -1)
    if ours.shape[1] != theirs.shape[1]:
        return 0
    theirs = theirs.astype(ours.dtype, copy=False)
    # An empty picture is like every other empty one.
    seen = {_digest(row) for row in ours}
    return sum(_digest(row) in seen and row.min() != row.max() for row in theirs)


def _digest(row: NDArray[np.generic]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(row).data, digest_size=8).digest()


def _near_copies(evidence: Evidence, train: Part, part: Part) -> int:
    """How many of at most 1,000 rows are changed copies of training rows; 0 where all of them have one label.

    Of 1,000 real digits up to two are as near to another writer's, and these are strokes: all are 1s.
    """
    rows = part.rows(1_000)
    near = max(
        (_near_rows(evidence, train, part), _near_levelled(train, part)), key=lambda n: n.sum()
    )
    if part.labels is not None and len(np.unique(part.labels[rows][near])) < 2:
        return 0
    return int(near.sum())


def _near_rows(evidence: Evidence, train: Part, part: Part) -> NDArray[np.bool_]:
    """Which of at most 1,000 rows have a training row far nearer than rows of one class are."""
    ours, theirs = evidence.z(train), evidence.z(part)
    rows = part.rows(1_000)
    if ours is None or theirs is None or len(train) < 20:
        return np.zeros(len(rows), bool)
    theirs = theirs[rows]
    if ours.shape[1] < probe.MOST_COMPONENTS:
        # Few rows have few components, in which different pictures fall together: then by the pixels.
        ours, theirs = _pixels(train.features), _pixels(part.features[rows])
    return _are_near(ours, theirs)


def _near_levelled(train: Part, part: Part) -> NDArray[np.bool_]:
    """The same of pictures whose darkest and brightest pixels were made 0 and 255: of copies made darker or paler."""
    rows = part.rows(1_000)
    if train.pictures is None or part.pictures is None or len(train) < 20:
        return np.zeros(len(rows), bool)
    # MNIST's brightest pixels are 250 and more in all but 4 of 1,000 pictures.
    dim = [
        float((np.ptp(p.reshape(len(p), -1), axis=1) < 230).mean())
        for p in (train.pictures, part.pictures)
    ]
    if max(dim) < DIM:
        return np.zeros(len(rows), bool)
    ours, theirs = levelled(train.pictures), levelled(part.pictures[rows])
    components = probe.components(ours)
    if components.axes.shape[1] < probe.MOST_COMPONENTS:
        return _are_near(_pixels(ours), _pixels(theirs))
    return _are_near(components(ours), components(theirs))


def _are_near(ours: probe.Floats, theirs: probe.Floats) -> NDArray[np.bool_]:
    """Which of theirs (m, k) have one of ours (n, k) far nearer than two of one class are."""
    nearest = probe.nearest_squared(theirs, ours)
    length = ((theirs - ours.mean(axis=0)) ** 2).sum(axis=1)
    # Of 1,000 real digits one or two are nearer to one of 60,000 others than this, one in 200 than 0.024;
    # noise of a twentieth of white is at 0.01.
    usual = max(float(np.quantile(nearest, 0.9)), 0.1 * float(np.median(length)))
    return np.asarray(nearest < 0.015 * usual)


def _pixels(features: NDArray[np.generic]) -> probe.Floats:
    return features.reshape(len(features), -1).astype(np.float32)
