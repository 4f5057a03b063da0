"""Parts that were prepared in different ways: another scale, polarity, direction or place than the training part."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import SIDE, Images
from tenfold.evaluation.diagnosis import fixes
from tenfold.evaluation.diagnosis.data import sample
from tenfold.evaluation.diagnosis.direction import clear_turn, in_words, lying_in
from tenfold.evaluation.diagnosis.evidence import Evidence
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.evaluation.diagnosis.inputs import Part
from tenfold.evaluation.diagnosis.pictures import places, side_of
from tenfold.evaluation.diagnosis.reference import AS_THEY_ARE

# Two random parts of one data set differ in root mean square by less than this, augmented or not.
RMS_RATIO = 1.5
# Noise of a tenth of white makes the rim vary by a third of what all pixels do.
GRAIN = 0.1
# Of 28 pixels, and of the tangent of the slant: so far two samples of one data set are never apart, and 8 standard errors.
# The halves of MNIST's test part, of other writers each, lean by 0.18 otherwise.
APART, LEANING, ERRORS = 0.7, 0.25, 8


def parts_prepared_differently(evidence: Evidence) -> Iterator[Finding]:
    """Another part has another scale, polarity, direction or place than the training part."""
    train = evidence.train
    if train is None:
        return
    for part in evidence.others:
        found = (
            _other_polarity(evidence, train, part)
            or _other_scale(evidence, train, part)
            or _other_direction(evidence, train, part)
            or _other_place(evidence, train, part)
            or _own_statistics(evidence, train, part)
        )
        if found:
            yield Finding("parts_prepared_differently", 0.97, *found)


Different = tuple[str, str] | None
"""In what two parts differ, and what to do; None where in nothing."""


def _other_scale(evidence: Evidence, train: Part, part: Part) -> Different:
    if _noise_that_helps(evidence, train, part):
        return None
    ours, theirs = sample(train.x), sample(part.x)
    # Not squares: where each pixel was divided by its own deviation, a few that are hardly ever inked outweigh the rest.
    sizes = [float(np.abs(s.astype(np.float64)).mean()) for s in (ours, theirs)]
    if min(sizes) == 0:
        return None
    ratio = max(sizes) / min(sizes)
    by_row = ours.reshape(len(ours), -1).mean(axis=1)
    error = by_row.std() / np.sqrt(min(len(ours), len(theirs)))
    apart = abs(float(ours.mean()) - float(theirs.mean()))
    # From the same least to the same greatest value, one part may hold darker pictures, as copies or augmentation make them.
    least, greatest = ([end(s) for s in (ours, theirs)] for end in (np.min, np.max))
    alike = max(np.ptp(least), np.ptp(greatest)) <= 0.05 * float(np.ptp(ours))
    enough = RMS_RATIO if min(len(ours), len(theirs)) >= 50 and not alike else 2.0
    if ratio < enough and apart < max((0.3 if alike else 0.2) * float(ours.std()), 8 * error):
        return None
    return (
        f"train has values {ours.min():.4g} to {ours.max():.4g} (mean {ours.mean():.4g}), {part.name} "
        f"{theirs.min():.4g} to {theirs.max():.4g} (mean {theirs.mean():.4g}).",
        _one_scale(part.name, float(ours.max()), float(theirs.max())),
    )


def _noise_that_helps(evidence: Evidence, train: Part, part: Part) -> bool:
    """Whether noise was added to the training pictures alone, and the model tells others no worse for it."""
    values = [np.ptp(sample(one.x)) for one in (train, part)]
    if _grain(evidence, train) < _grain(evidence, part) + GRAIN or max(values) > 4 * min(values):
        return False
    answers, reach = evidence.answers(part), evidence.within_reach
    if answers is None or reach is None or not answers.accuracy.total:
        return True
    return answers.accuracy.interval()[1] > reach - 0.05


def _grain(evidence: Evidence, part: Part) -> float:
    """The deviation of pixels along the rim of a picture, in that of all pixels, by the median picture; 0 for MNIST's own."""
    pictures = evidence.pictures(part)
    if pictures is None:
        return 0.0
    rim = np.ones(pictures.shape[1:], bool)
    rim[2:-2, 2:-2] = False
    return float(np.median(pictures[:, rim].std(axis=1)) / max(float(pictures.std()), 1e-9))


def _one_scale(name: str, ours: float, theirs: float) -> str:
    """Code that brings a part to the scale of the training part, by the largest value of each."""
    if ours > 0 and theirs > 0 and 0.9 < max(ours, theirs) / min(ours, theirs) / 255 < 1.1:
        if theirs < ours and ours > 2:
            return "x_train = x_train.astype('float32') / 255"
        return f"x_{name} = x_{name}.astype('float32') {'/' if theirs > ours else '*'} 255"
    return (
        "# of both as they were loaded, with numbers of the training part alone:\nmean, sd = x_train.mean(), x_train.std()\n"
        f"x_train, x_{name} = (x_train - mean) / sd, (x_{name} - mean) / sd"
    )


def _other_polarity(evidence: Evidence, train: Part, part: Part) -> Different:
    ours, theirs = evidence.inverted(train), evidence.inverted(part)
    if abs(ours - theirs) < 0.3:
        return None
    return (
        f"The ground is bright in {ours:.0%} of the training pictures and in {theirs:.0%} of {part.name}: "
        "ink and paper are swapped in one of them.",
        fixes.prepared(
            [name for name, one in evidence.parts.items() if evidence.inverted(one) > 0.05],
            fixes.DARK_GROUND,
        ),
    )


def _other_direction(evidence: Evidence, train: Part, part: Part) -> Different:
    if lying_in(evidence, train):
        return None  # a share of the training pictures is a matter of its own
    if lying := lying_in(evidence, part):
        return (
            f"Of the pictures of {part.name}, {in_words(lying)}; those of train all lie alike.",
            fixes.stood([part], lying),
        )
    turns = {one: clear_turn(evidence, one) for one in (train, part)}
    ours, theirs = turns.values()
    if ours == theirs or "" in (ours, theirs):
        return None
    return (
        f"The training pictures look like digits {ours}, those of {part.name} {theirs}.",
        "\n".join(
            fixes.prepared([one.name], fixes.turned(one, turn))
            for one, turn in turns.items()
            if turn != AS_THEY_ARE
        ),
    )


def _other_place(evidence: Evidence, train: Part, part: Part) -> Different:
    """Digits that lie elsewhere in their pictures, or lean otherwise, in the mean; each picture may vary."""
    seen = [evidence.pictures(one) for one in (train, part)]
    if lying_in(evidence, train) or any(
        pictures is None or len(pictures) < 30 for pictures in seen
    ):
        return None
    ours, theirs = (
        _places(evidence.bright_ink(one, pictures))
        for one, pictures in zip((train, part), seen, strict=True)
        if pictures is not None
    )
    apart = theirs.mean(axis=0) - ours.mean(axis=0)
    error = np.sqrt(ours.var(axis=0) / len(ours) + theirs.var(axis=0) / len(theirs))
    down, right, lean = (abs(apart) > np.maximum([APART, APART, LEANING], ERRORS * error)).tolist()
    if not (down or right or lean):
        return None
    if lean and not (down or right):
        return (
            f"The digits of {part.name} lean otherwise than those of train: their slant is {theirs.mean(axis=0)[2]:.2f} in the "
            f"mean, and {ours.mean(axis=0)[2]:.2f} in train (1 is 45 degrees).",
            "# stand them as the training pictures do before they are told: scipy.ndimage.rotate(picture, angle, reshape=False)",
        )
    side = side_of(part.x) or SIDE
    rows, columns = (-int(step) for step in np.rint(apart[:2]))
    return (
        f"The ink of {part.name} lies {abs(apart[0]):.1f} pixels further {'down' if apart[0] > 0 else 'up'} and "
        f"{abs(apart[1]):.1f} further to the {'right' if apart[1] > 0 else 'left'} than in train, in the mean: pictures were moved, "
        "or cut otherwise.",
        f"x_{part.name} = np.roll(x_{part.name}.reshape(-1, {side}, {side}), ({rows}, {columns}), (1, 2)).reshape(x_{part.name}.shape)",
    )


def _own_statistics(evidence: Evidence, train: Part, part: Part) -> Different:
    """Each pixel of both parts at mean 0 and deviation 1 by itself, and a model that tells the part worse for it."""
    answers, reach = evidence.answers(part), evidence.within_reach
    if answers is None or reach is None or not answers.accuracy.total:
        return None
    if answers.accuracy.interval()[1] > reach - 0.03 or not all(map(_standardised, (train, part))):
        return None
    return (
        f"Each number of the rows of {part.name} has mean 0 and deviation 1 within {part.name}, and of train within train: they "
        "were standardised with numbers of their own, and the same ink is another number in each.",
        f"# of both as they were loaded:\nx_{part.name} = scaler.transform(x_{part.name})   # with what it learnt of x_train; fit_transform is for x_train alone",
    )


def _standardised(part: Part) -> bool:
    """Whether every number of the rows has mean 0 and deviation 1, but for those that never change."""
    if part.x.dtype.kind != "f":
        return False
    rows = part.x.reshape(len(part), -1).astype(np.float64)
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    changing = deviation > 1e-6
    return bool(
        changing.sum() > SIDE
        and np.abs(mean).max() < 1e-3
        and np.abs(deviation[changing] - 1).max() < 1e-2
    )


def _places(pictures: Images) -> NDArray[np.float64]:
    """uint8 (n, 28, 28), bright ink -> (m, 3): centre of mass, row and column, and slant; of those with ink."""
    centres = places(pictures)
    inked = np.isfinite(centres).all(axis=1)
    row, column = centres[inked].T
    ink, place = pictures[inked].astype(np.float64), np.arange(SIDE)
    off_row, off_column = place - row[:, None], place - column[:, None]
    upright = np.einsum("nij,ni->n", ink, off_row**2)
    slant = np.einsum("nij,ni,nj->n", ink, off_row, off_column) / np.maximum(upright, 1e-9)
    return np.column_stack([row, column, slant])
