"""Labels that do not belong to their images: exchanged, replaced by chance, or moved by some rows."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import CLASSES
from tenfold.evaluation.diagnosis import fixes
from tenfold.evaluation.diagnosis.answers import Whole
from tenfold.evaluation.diagnosis.evidence import Evidence, Fit, in_order
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.evaluation.diagnosis.hands import is_other, like_mnist
from tenfold.evaluation.diagnosis.inputs import Part
from tenfold.evaluation.diagnosis.labels import MOST, renaming_of
from tenfold.evaluation.diagnosis.reference import reference

# Two probes that know nothing of each other err together about 1.5 to 5 % of clean digits: most where a few thousand of
# MNIST's training images are held against the first half of its test part.
BOTH_WRONG = 0.045
# A probe contradicts 0.5 to 1.9 % of clean labels by 10 nats, also where pictures were turned or lack a piece and both
# probes err on 4 to 6 %; of wrong ones it contradicts more than half so clearly, until most of all are wrong.
CLEARLY, CLEARLY_WRONG = 10.0, 0.02
# Of real digits that show one, the reference takes up to 6 in 100 for one certain other.
ALIKE = 0.06
# Of digits in other hands, 0.4 to 4.5 % are told clearly as another digit that is hardly ever taken for theirs; of a tenth
# of wrong labels, 5.6 %.
RARELY_CONFUSED = 0.05
# Exchanged labels lean to it by 1.6 to 7 in every part, replaced ones by chance from -30 to 4.
EXCHANGED_LEAN = 1.5
# By less than this, the lean of all parts together may be chance.
SURE_LEAN = 3.0


class Doubt(NamedTuple):
    """A part whose labels contradict its images.

    `step` is how many rows after its image a label stands, 0 where that is not so. `cause` is "" where one cannot tell from it alone whether labels were exchanged or replaced; then
    `lean` is the logarithm of how much likelier it is that they were exchanged.
    """

    cause: str
    share: float
    why: str
    lean: float = 0.0
    step: int = 0
    chance: float = 0.0

    def called(self, cause: str) -> "Doubt":
        """The same once the cause is known: of labels that were dealt out anew, some are right by `chance`."""
        share = self.share / max(1 - self.chance, 0.1) if cause == "labels_shuffled" else self.share
        return self._replace(share=min(1.0, share))


def belonging(evidence: Evidence) -> Iterator[Finding]:
    """Labels that contradict their images: shuffled against them, or noise.

    Where the counts hardly tell one from the other, the likelier is a finding and the other a remark.
    """
    doubts = {
        n: d for n, part in evidence.parts.items() if (d := _doubt(evidence, part)) is not None
    }
    lean = sum(doubt.lean - EXCHANGED_LEAN for doubt in doubts.values() if not doubt.cause)
    unclear, other = ("labels_shuffled", "label_noise")[:: 1 if lean > 0 else -1]
    for cause in ("labels_shuffled", "label_noise"):
        if parts := {name: d for name, d in doubts.items() if (d.cause or unclear) == cause}:
            yield _wrong_labels(evidence, cause, parts, lean)
    parts = {name: d for name, d in doubts.items() if not d.cause}
    if parts and abs(lean) < SURE_LEAN:
        yield replace(_wrong_labels(evidence, other, parts, lean), certainty=0.6, fault=False)


def _wrong_labels(evidence: Evidence, cause: str, parts: dict[str, Doubt], lean: float) -> Finding:
    parts = {name: doubt.called(cause) for name, doubt in parts.items()}
    shares = ", ".join(f"{doubt.share:.0%} of {name}" for name, doubt in parts.items())
    name, doubt = next(iter(parts.items()))
    part = evidence.parts[name]
    clear = bool(doubt.cause) or abs(lean) >= SURE_LEAN
    why = doubt.why
    if not clear:
        why += ". The counts hardly tell whether they were exchanged or replaced."
    elif not doubt.cause:
        why += _WHY[cause]
    if cause == "labels_shuffled":
        text = f"The labels of {shares} belong to other images. {why}"
        fix = fixes.moved(part, doubt.step) if doubt.step else fixes.loaded_anew(part)
    else:
        text, fix = (
            f"Labels are wrong: {shares}. {why}",
            fixes.without_doubtful([evidence.parts[name] for name in parts]),
        )
    sure = 0.93 if doubt.share > 0.05 and clear else 0.75
    return Finding(
        cause, sure, text, fix, {f"share_{name}": round(d.share, 4) for name, d in parts.items()}
    )


_WHY = {
    "labels_shuffled": ", while each digit has as many labels as images: they were exchanged among images, and noise "
    "would not keep the counts.",
    "label_noise": ", and digits have more or fewer labels than images: labels were replaced, not exchanged.",
}


def _doubt(evidence: Evidence, part: Part) -> Doubt | None:
    """What contradicts a part's labels, or None where labels belong to their images."""
    labels = part.labels
    if labels is None or len(part) < 50 or not 0 <= labels.min() <= labels.max() < MOST:
        return None
    fit, shows = evidence.own_fit(part), evidence.shows(part)
    if fit is None or _are_mixed(part) or renaming_of(evidence, part):
        return None
    chance = float(((np.bincount(labels) / len(labels)) ** 2).sum())
    digits = shows is not None and evidence.turn(part)[1] < 2.0 and labels.max() < CLASSES
    if shows is None or not digits or _other_things(evidence, part):
        return _doubt_of_itself(labels, fit, chance)
    lost = float((fit.told == shows).mean()) < 0.4
    a = float(np.trace(reference().confusion) / CLASSES)
    suspect = (shows != labels) & ((fit.told == shows) | lost)
    share = float(suspect.mean())
    # One witness alone errs more often, by 1 - a and a little more on other people's digits.
    usual = BOTH_WRONG if not lost else 1 - a + BOTH_WRONG
    few = share < usual + 3 * np.sqrt(usual / len(labels))
    clearly = float((suspect & (fit.margin > CLEARLY)).mean())
    few |= not lost and clearly < CLEARLY_WRONG + 3 * np.sqrt(CLEARLY_WRONG / len(labels))
    if not lost and like_mnist(evidence, part) and (pairs := _pairs(labels, shows)):
        many = sum(count for _, _, count in pairs)
        why = ", ".join(f"{count:,} images that show {a} are labelled {b}" for a, b, count in pairs)
        return Doubt("label_noise", many / len(labels), f"{why}: far more than look alike.")
    if few:
        return None
    # The hands of other people are told wrongly as often as labels are wrong, but for digits that look alike.
    if not lost and is_other(evidence, part):
        rarely = _rarely_confused(labels, shows) & suspect & (fit.margin > CLEARLY)
        if rarely.mean() < RARELY_CONFUSED:
            return None
    # What the witnesses say of clean labels is no wrong label.
    share = max(share - BOTH_WRONG / 2, 0.0) / (1 - BOTH_WRONG / 2)
    wrong = min(1.0, (a - float((shows == labels).mean())) / a if lost else share / a)
    return _how(labels, shows, suspect, wrong)._replace(chance=chance)


def _rarely_confused(labels: Whole, shows: Whole) -> NDArray[np.bool_]:
    """Where label and what is shown are none of the 20 pairs of digits that look most alike."""
    table = reference().confusion + reference().confusion.T
    np.fill_diagonal(table, 0)
    often = np.argsort(-table, axis=None)[:40]
    return ~np.isin(labels * CLASSES + shows, often)


def _are_mixed(part: Part) -> bool:
    """Whether rows of y hold two classes, as mixed pictures do (mixup): neither is the label of what is seen."""
    if part.form != "one-hot" or part.y is None or part.y.shape[1] < 3:
        return False
    second = np.sort(part.y, axis=1)[:, -2]
    return bool((second > 0.1).mean() > 0.02)


def _other_things(evidence: Evidence, part: Part) -> bool:
    """Whether labels belong to pictures that show no digits: then digits are no witness."""
    own = evidence.own_fit(part)
    share, _ = evidence.as_digits(part)
    return own is not None and float((own.told == part.labels).mean()) > share + 0.15


def _doubt_of_itself(labels: Whole, fit: Fit, chance: float) -> Doubt | None:
    """The same without real digits as a witness: what the probe of the data themselves says."""
    classes = np.unique(labels)
    agree = float((fit.told == labels).mean())
    told = f"a probe tells {agree:.1%} of unseen rows"
    if agree < chance + 0.1 + 3 * np.sqrt(chance / len(labels)):
        why = f"As {told}, where guessing gives {chance:.1%}, inputs and labels have nothing to do with each other."
        return Doubt("labels_shuffled", 1.0, why)
    # Classes that look alike are confused with each other alone; wrong labels fall on all pairs.
    strong = (fit.told != labels) & (fit.margin > 10)
    pairs = [
        float((strong & (labels == a) & (fit.told == b)).sum())
        for a in classes
        for b in classes
        if a != b
    ]
    everywhere = float(np.median(pairs)) * len(pairs) / len(labels) if pairs else 0.0
    if everywhere < 0.04 or len(classes) < 4:
        return None
    why = f"Labels are contradicted in every pair of classes, not only in those that look alike; {told}."
    return Doubt("label_noise", everywhere, why)


def _how(labels: Whole, shows: Whole, suspect: NDArray[np.bool_], wrong: float) -> Doubt:
    """Whether labels were exchanged or replaced, and why."""
    told = f"{int(suspect.sum()):,} of {len(labels):,} images clearly show another digit than their label"
    if in_order(labels) > 0.5 > in_order(shows):
        return Doubt("labels_shuffled", wrong, f"{told}: labels stand in order, images do not.")
    for step in (1, -1, 2, -2, 3, -3, 4, -4, 5, -5):
        there, elsewhere = (float((np.roll(labels, -s) == shows).mean()) for s in (step, step + 17))
        if there > 0.3 and there > 2 * elsewhere:
            rows = "1 row" if abs(step) == 1 else f"{abs(step)} rows"
            side = "after" if step > 0 else "before"
            why = f"{told}; {there:.0%} show the digit whose label stands {rows} {side}."
            return Doubt("labels_shuffled", wrong, why, step=step)
    if float((labels[::-1] == shows).mean()) > 0.5:
        return Doubt("labels_shuffled", wrong, f"{told}: labels stand in reverse.")
    if wrong > 0.85:
        return Doubt(
            "labels_shuffled", wrong, f"{told}: no fewer than with labels dealt out blindly."
        )
    if (where := _block(suspect)) is not None:
        why = f"{told}, nearly all of them in rows {where[0]:,} to {where[1]:,}"
        return Doubt("", wrong, why, _lean_within(labels, shows, where, suspect) + EXCHANGED_LEAN)
    pairs = np.bincount(labels[suspect] * CLASSES + shows[suspect], minlength=CLASSES**2)
    if suspect.sum() > 100 and np.sort(pairs)[-10:].sum() > 0.5 * suspect.sum():
        return Doubt("label_noise", wrong, f"{told}, mostly in the same few pairs.")
    why = f"{told}, scattered over all rows and pairs of digits"
    return Doubt("", wrong, why, _lean_to_exchanged(labels, shows, suspect))


def _pairs(labels: Whole, shows: Whole) -> list[tuple[int, int, int]]:
    """(shown, labelled, how many beyond what is usual) where much of one digit is labelled as one other, and not as any."""
    table = np.bincount(shows * CLASSES + labels, minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    shown = table.sum(axis=1)
    found = []
    for a, b in zip(*np.nonzero(table), strict=True):
        # Labels that are wrong in all ways fall on all nine.
        usual = ALIKE + 3 * float(np.median(np.delete(table[a], a))) / shown[a]
        expected = min(usual, 1) * shown[a]
        if a != b and table[a, b] > max(expected + 4 * np.sqrt(expected), 12):
            found.append((int(a), int(b), int(table[a, b] - expected / 2)))
    return found


def _block(suspect: NDArray[np.bool_]) -> tuple[int, int] | None:
    """First and last row of the stretch that holds nearly all suspects, where they are not spread evenly."""
    if suspect.sum() < 30:
        return None
    bins = np.array_split(suspect, 20)
    rates = np.array([b.mean() for b in bins])
    sizes = np.array([len(b) for b in bins])
    overall = suspect.mean()
    chi = float((((rates - overall) ** 2) * sizes / (overall * (1 - overall) + 1e-12)).sum())
    # 19 degrees of freedom: above 60 once in a hundred thousand evenly spread ones.
    high = np.flatnonzero(rates > max(0.5 * rates.max(), 2 * BOTH_WRONG))
    if chi < 60 or high[-1] - high[0] + 1 == len(bins):
        return None
    edges = np.concatenate([[0], np.cumsum(sizes)])
    return int(edges[high[0]]), int(edges[high[-1] + 1])


def _lean_within(
    labels: Whole, shows: Whole, where: tuple[int, int], suspect: NDArray[np.bool_]
) -> float:
    """The logarithm of how much likelier labels of a stretch of rows were exchanged within it than replaced.

    How many images of each digit lie there is told by what the witness makes of the clean rows around.
    Exchanged labels are as many; replaced ones differ as independent draws do, and lean to rare digits.
    """
    margin = len(labels) // 20  # The stretch is known to a twentieth of all rows.
    inside = np.zeros(len(labels), bool)
    inside[max(where[0] - margin, 0) : where[1] + margin] = True
    table = np.bincount(labels[~inside] * CLASSES + shows[~inside], minlength=CLASSES**2)
    # A few clean rows, or none, are helped out by real digits.
    told = table.reshape(CLASSES, CLASSES) + 20 * reference().confusion
    told /= told.sum(axis=1, keepdims=True)
    given, seen = (np.bincount(a[inside], minlength=CLASSES).astype(float) for a in (labels, shows))
    shown = np.linalg.solve(told.T, seen)
    # An error of the witness leaves one digit and joins another; measured, 1.8 to 3 times one digit's own.
    errors = np.maximum((1 - np.diag(told)) * given, 1)
    unsure = 2.5 * errors * (1 + inside.mean() / max((~inside).mean(), 0.05))
    wrong = min(1.0, suspect[inside].mean() / float(np.diag(told).mean()))
    lean = wrong * (given.sum() / CLASSES - shown)
    apart = given - shown
    draws = unsure + wrong * (given + np.maximum(shown, 0))
    exchanged = -0.5 * (apart**2 / unsure + np.log(unsure))
    replaced = -0.5 * ((apart - lean) ** 2 / draws + np.log(draws))
    return float((exchanged - replaced).sum())


def _lean_to_exchanged(labels: Whole, shows: Whole, suspect: NDArray[np.bool_]) -> float:
    """The logarithm of how much likelier the suspects are if labels were exchanged than if replaced.

    Exchanged among images, labels of suspects count as many of each digit as their images do. Replaced
    by chance, they differ as two independent draws do, and lean to rare digits.
    """
    given = np.bincount(labels[suspect], minlength=CLASSES).astype(np.float64)
    shown = np.bincount(shows[suspect], minlength=CLASSES).astype(np.float64)
    of_each = np.bincount(labels, minlength=CLASSES).astype(np.float64)
    # The witnesses accuse some 2 % of correct labels and miss a tenth of wrong ones, of some digits more
    # than of others: by about a third of the former, and by 6 % of the latter. So set, and measured on
    # MNIST at 2,000 to 20,000 images and shares of 5 to 50 %, this tells the two apart in 7 of 8 cases.
    accused = 0.025 * of_each
    variance = accused + 0.1 * given + (0.3 * accused) ** 2 + (0.06 * given) ** 2 + 1
    rate = suspect.sum() / len(labels)
    lean = rate * ((of_each.sum() - of_each) / (CLASSES - 1) - of_each)
    apart = given - shown
    replaced_variance = variance + given + shown
    exchanged = -0.5 * (apart**2 / variance + np.log(variance))
    replaced = -0.5 * ((apart - lean) ** 2 / replaced_variance + np.log(replaced_variance))
    return float((exchanged - replaced).sum())
