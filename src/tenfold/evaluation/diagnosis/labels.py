"""Causes in the labels: their form, what they call a digit, and whether they belong to their images."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import CLASSES
from tenfold.evaluation.diagnosis.evidence import Evidence, Whole, best_renaming
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.evaluation.diagnosis.inputs import Part
from tenfold.evaluation.diagnosis.reference import reference

# Two probes that know nothing of each other err together about 1.5 % of clean digits.
BOTH_WRONG = 0.035
# A renaming that explains this many more labels than none is no accident of the probe.
RENAMED = 0.08


def form(evidence: Evidence) -> Iterator[Finding]:
    """Labels that are text, fractions, or one-hot in the wrong way."""
    for part in evidence.parts.values():
        if part.form == "text" and _text_hurts(evidence, part):
            yield Finding(
                "labels_are_text",
                0.98,
                f"{part.name}: {part.odd}. No text equals a number, so a comparison with what the model tells is never true.",
                f"y_{part.name} = y_{part.name}.astype('int64')",
            )
        elif part.form == "bad one-hot":
            yield _one_hot(part, part.odd)
        elif part.form == "one-hot" and part.y is not None:
            yield from _columns(evidence, part, part.y)
        elif part.form == "fractions":
            yield Finding(
                "labels_out_of_range",
                0.95,
                f"{part.name}: {part.odd}; a label is the whole number of a class. Were they divided along with the pixels?",
                "y = np.rint(y * 255).astype('int64')   # or load them anew, and scale x alone",
            )


def _text_hurts(evidence: Evidence, part: Part) -> bool:
    """Classifiers of scikit-learn learn text and tell text; networks do not."""
    answers = evidence.answers(part)
    if evidence.model is None or evidence.model.kind != "callable" or answers is None:
        return True
    return answers.accuracy.share < 0.5


def _one_hot(part: Part, why: str) -> Finding:
    return Finding(
        "one_hot_wrong",
        0.96,
        f"{part.name}: {why}.",
        "y = keras.utils.to_categorical(labels, 10)   # labels: whole numbers 0..9 of shape (n,)",
    )


def _columns(evidence: Evidence, part: Part, y: NDArray[np.generic]) -> Iterator[Finding]:
    columns, answers = y.shape[1], evidence.answers(part)
    outputs = answers.outputs.shape[1] if answers is not None else None
    used = np.asarray(y, np.float64).sum(axis=0) > 0
    if outputs and outputs > 1 and outputs != columns:
        yield _one_hot(part, f"y has {columns} columns and the network {outputs} outputs")
    elif columns == CLASSES + 1 and len(y) >= 100 and used[1:].all() != used[0]:
        empty = 0 if not used[0] else columns - 1
        yield _one_hot(
            part, f"y has {columns} columns for ten digits, and column {empty} is never used"
        )


def out_of_range(evidence: Evidence) -> Iterator[Finding]:
    """Labels below 0, or beyond the last output."""
    for part in evidence.parts.values():
        if part.labels is None or part.form not in ("whole", "column", "text"):
            continue
        low, high = int(part.labels.min()), int(part.labels.max())
        answers = evidence.answers(part)
        outputs = answers.outputs.shape[1] if answers is not None else 0
        if (low, high) == (1, CLASSES):
            yield _shifted(part, f"labels go from 1 to {high}, a network's from 0 to {high - 1}", 1)
        elif low < 0 or (outputs > 1 and high >= outputs):
            yield Finding(
                "labels_out_of_range",
                0.97,
                f"{part.name}: labels go from {low} to {high}"
                + (f", and the network has {outputs} outputs" if outputs > 1 else "")
                + ". A loss of such a label is an error on one machine and NaN on another.",
                f"keep = (y >= 0) & (y < {max(outputs, CLASSES)})\nx, y = x[keep], y[keep]",
            )


def _shifted(part: Part, why: str, by: int) -> Finding:
    return Finding(
        "labels_shifted",
        0.95,
        f"{part.name}: {why}.",
        f"y = (y - {by}) % 10",
        {"by": by},
    )


def renamed(evidence: Evidence) -> Iterator[Finding]:
    """Every digit under another label, in all parts or in one."""
    found = {
        name: renaming
        for name, part in evidence.parts.items()
        if part.labels is not None and (renaming := _renaming(evidence, part))
    }
    if not found:
        return
    labelled = [p for p in evidence.parts.values() if p.labels is not None]
    first = next(iter(found))
    text = ", ".join(
        f"{digit} is labelled {label}" for label, digit in sorted(found[first].items())
    )
    steps = {(label - digit) % CLASSES for label, digit in found[first].items()}
    by = next(iter(steps)) if len(steps) == 1 and len(found[first]) >= 8 else None
    same = len(found) == len(labelled) and all(r == found[first] for r in found.values())
    if (
        same
        and by is not None
        and not (
            by == 1
            and max(int(p.labels.max()) for p in labelled if p.labels is not None) == CLASSES
        )
    ):
        yield _shifted(
            evidence.parts[first], f"what looks like {text}: each label is {by} too high", by
        )
    elif same:
        yield Finding(
            "labels_shifted", 0.9, f"{first}: what looks like {text}.", _rename(found[first])
        )
    else:
        yield Finding(
            "labels_differ_between_parts",
            0.95,
            f"{first}: what looks like {text}; not so in other parts.",
            f"y_{first} = (y_{first} - {by}) % 10" if by is not None else _rename(found[first]),
        )


def _rename(renaming: dict[int, int]) -> str:
    return f"y = np.array([{renaming}.get(label, label) for label in y])"


def _renaming(evidence: Evidence, part: Part) -> dict[int, int]:
    """label -> digit it stands for, where these differ and explain the labels much better than none."""
    if part.labels is None or len(part) < 50 or part.labels.min() < 0:
        return {}
    shows = evidence.shows(part)
    train = evidence.train
    if (
        part is not train
        and (own := evidence.own_fit(part)) is not None
        and own.told.max() < CLASSES
    ):
        witness = own.told
        # What the training part calls a digit is the measure for other parts, whatever they show.
        share, renaming = best_renaming(part.labels, witness)
        plain = float((witness == part.labels).mean())
        if share > 0.5 and share - plain > RENAMED:
            return {label: digit for label, digit in renaming.items() if label != digit}
    if shows is None:
        return {}
    share, renaming = evidence.as_digits(part)
    plain = float((shows == part.labels).mean())
    if share < 0.6 or share - plain < RENAMED:
        return {}
    counts = np.bincount(part.labels, minlength=CLASSES + 1)
    return {
        label: digit for label, digit in renaming.items() if label != digit and counts[label] > 5
    }


def belonging(evidence: Evidence) -> Iterator[Finding]:
    """Labels that contradict their images: shuffled against them, or noise."""
    found: dict[str, tuple[str, float, str]] = {}
    for name, part in evidence.parts.items():
        verdict = _contradicted(evidence, part)
        if verdict is not None:
            found[name] = verdict
    for cause in ("labels_shuffled", "label_noise"):
        parts = {name: (share, why) for name, (c, share, why) in found.items() if c == cause}
        if not parts:
            continue
        shares = ", ".join(f"{share:.0%} of {name}" for name, (share, _) in parts.items())
        first, (share, why) = next(iter(parts.items()))
        if cause == "labels_shuffled":
            text = f"The labels of {shares} belong to other images. {why}"
            fix = (
                "order = np.random.default_rng(0).permutation(len(x))\n"
                "x, y = x[order], y[order]   # one order for both; with pandas, reset_index(drop=True) on both"
            )
        else:
            text = f"About {shares} has a wrong label. {why}"
            fix = (
                "wrong = told != y   # `told` by models that were trained on the other rows (cross-validation)\n"
                "x, y = x[~wrong], y[~wrong]   # or look at these images, and correct what is wrong"
            )
        sure = 0.93 if share > 0.05 else 0.75
        yield Finding(
            cause, sure, text, fix, {f"share_{name}": s for name, (s, _) in parts.items()}
        )


def _contradicted(evidence: Evidence, part: Part) -> tuple[str, float, str] | None:
    """(cause, share of wrong labels, why), or None where labels belong to their images."""
    if part.labels is None or len(part) < 50 or _renaming(evidence, part):
        return None
    fit, shows = evidence.own_fit(part), evidence.shows(part)
    labels = part.labels
    if fit is None or labels.min() < 0:
        return None
    agree = float((fit.told == labels).mean())
    chance = float(((np.bincount(labels) / len(labels)) ** 2).sum())
    digits = shows is not None and evidence.turn(part)[1] < 2.0
    if shows is None or not digits or _other_things(evidence, part):
        return _contradicted_itself(labels, fit.told, fit.margin, agree, chance)
    lost = float((fit.told == shows).mean()) < 0.4
    suspect = (shows != labels) & ((fit.told == shows) | lost)
    share = float(suspect.mean())
    if share < BOTH_WRONG + 3 * np.sqrt(BOTH_WRONG / len(labels)):
        return None
    a = float(np.trace(reference().confusion) / CLASSES)
    told = float((shows == labels).mean())
    wrong = min(1.0, share / a) if not lost else min(1.0, (a - told) / a)
    cause, why = _how(labels, shows, suspect, wrong)
    return cause, (min(1.0, wrong / (1 - chance)) if cause == "labels_shuffled" else wrong), why


def _other_things(evidence: Evidence, part: Part) -> bool:
    """Whether labels belong to pictures that show no digits: then digits are no witness."""
    own = evidence.own_fit(part)
    share, _ = evidence.as_digits(part)
    return own is not None and float((own.told == part.labels).mean()) > share + 0.15


def _contradicted_itself(
    labels: Whole, told: Whole, margin: NDArray[np.float32], agree: float, chance: float
) -> tuple[str, float, str] | None:
    """The same without real digits as a witness: what the probe of the data themselves says."""
    classes = np.unique(labels)
    if agree < chance + 0.1 + 3 * np.sqrt(chance / len(labels)):
        return (
            "labels_shuffled",
            1.0,
            f"A probe tells {agree:.1%} of unseen rows, guessing {chance:.1%}: inputs and labels have nothing to do "
            "with each other.",
        )
    # Classes that look alike are confused with each other alone; wrong labels fall on all pairs.
    strong = (told != labels) & (margin > 10)
    pairs = [
        float((strong & (labels == a) & (told == b)).sum())
        for a in classes
        for b in classes
        if a != b
    ]
    if not pairs:
        return None
    everywhere = float(np.median(pairs)) * len(pairs) / len(labels)
    if everywhere < 0.04 or len(classes) < 4:
        return None
    return (
        "label_noise",
        everywhere,
        f"A probe contradicts labels strongly in every pair of classes, not only in those that look alike; it tells "
        f"{agree:.1%} of unseen rows.",
    )


def _how(labels: Whole, shows: Whole, suspect: NDArray[np.bool_], wrong: float) -> tuple[str, str]:
    """labels_shuffled or label_noise, and why."""
    told = f"{int(suspect.sum()):,} of {len(labels):,} images clearly show another digit than their label"
    if _sorted(labels) > 0.5 > _sorted(shows):
        return "labels_shuffled", f"{told}: labels stand in order, images do not."
    for step in (1, -1, 2, -2, 3, -3):
        shifted = float((np.roll(labels, -step) == shows).mean())
        if shifted > 0.3 and shifted > 3 * float((np.roll(labels, -step - 7) == shows).mean()):
            return (
                "labels_shuffled",
                f"{told}; {shifted:.0%} show the digit whose label stands {abs(step)} row(s) {'further on' if step > 0 else 'before'}.",
            )
    if float((labels[::-1] == shows).mean()) > 0.5:
        return "labels_shuffled", f"{told}: labels stand in reverse."
    if wrong > 0.85:
        return "labels_shuffled", f"{told}: no more than guessing would give."
    if (where := _block(suspect)) is not None:
        return (
            "labels_shuffled",
            f"{told}, nearly all of them in rows {where[0]:,} to {where[1]:,}.",
        )
    pairs = np.bincount(labels[suspect] * CLASSES + shows[suspect], minlength=CLASSES**2)
    if np.sort(pairs)[-10:].sum() > 0.5 * suspect.sum():
        return "label_noise", f"{told}, mostly in the same few pairs."
    lean = _counts_lean_to_shuffling(labels, shows, wrong)
    if lean > 0:
        return (
            "labels_shuffled",
            f"{told}, scattered over all rows and pairs, while each digit has as many labels as images: they were exchanged among images (noise would not keep the counts).",
        )
    return (
        "label_noise",
        f"{told}, scattered over all rows and pairs, and digits have more or fewer labels than images: labels were replaced, not exchanged.",
    )


def _sorted(labels: Whole) -> float:
    """The share of rows with the label of the row before."""
    return float((labels[1:] == labels[:-1]).mean()) if len(labels) > 1 else 0.0


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
    if chi < 60 or len(high) == len(bins):
        return None
    edges = np.concatenate([[0], np.cumsum(sizes)])
    return int(edges[high[0]]), int(edges[high[-1] + 1])


def _counts_lean_to_shuffling(labels: Whole, shows: Whole, wrong: float) -> float:
    """The logarithm of how much likelier the counts of labels are if labels were exchanged than if replaced.

    Exchanging keeps the number of labels of each digit what the number of images is; replacing moves
    it. The number of images of each digit is estimated from what they look like, corrected by how
    often real digits are taken for each other.
    """
    n, table = len(labels), reference().confusion
    given = np.bincount(labels, minlength=CLASSES)[:CLASSES].astype(np.float64)
    seen = np.bincount(shows, minlength=CLASSES)[:CLASSES].astype(np.float64)
    images = np.clip(seen @ np.linalg.inv(table), 1, None)
    spread = table * (1 - table)
    # 500 real digits a class stand behind the table.
    variance = 2 * images @ spread + (images**2) @ spread / 500 + 1
    moved = wrong * ((n - images) / 9 - images)
    moved_variance = variance + wrong * images + wrong * (n - images) / 9
    apart = given - images
    exchanged = -0.5 * (apart**2 / variance + np.log(variance))
    replaced = -0.5 * ((apart - moved) ** 2 / moved_variance + np.log(moved_variance))
    return float((exchanged - replaced).sum())
