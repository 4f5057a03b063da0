"""Causes in the labels: their form, and what they call a digit."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import CLASSES
from tenfold.evaluation.diagnosis import fixes
from tenfold.evaluation.diagnosis.evidence import Evidence, best_renaming
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.evaluation.diagnosis.inputs import Part

# Labels from here on are no classes.
MOST = 100
# A renaming that explains this many more labels than none is no accident of the probe.
RENAMED = 0.08


def form(evidence: Evidence) -> Iterator[Finding]:
    """Labels that are text, fractions, or one-hot in the wrong way."""
    text = [p for p in evidence.parts.values() if p.form == "text" and _text_hurts(evidence, p)]
    if text:
        yield Finding(
            "labels_are_text",
            0.98,
            f"{text[0].name}: {text[0].odd}. No text equals a number, so a comparison with what the model tells is never true.",
            "\n".join(_as_numbers(evidence, part) for part in text),
        )
    for part in evidence.parts.values():
        if part.form == "bad one-hot" and not _are_targets(evidence, part):
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


def _are_targets(evidence: Evidence, part: Part) -> bool:
    """Whether rows hold one high and else low numbers, as some losses want them: 1 and -1 for hinges, 0.99 and 0.01 for
    sigmoids of a function that takes them so."""
    model, y = evidence.model, part.y
    if model is None or y is None or y.ndim != 2 or ((y == y.max()).sum(axis=1) != 1).any():
        return False
    two = len(np.unique(y)) == 2
    if "hinge" in model.loss:
        return two and y.max() == 1 and y.min() == -1
    return two and model.kind == "callable" and y.max() <= 1 and 0 < y.min() <= 0.1


def _as_numbers(evidence: Evidence, part: Part) -> str:
    """Code that makes numbers of labels of text; of words, the digits that their pictures show."""
    y = f"y_{part.name}"
    if not part.words:
        return f"{y} = {y}.astype(float).astype('int64')"
    share, shown = evidence.as_digits(part)
    digits = {word: shown.get(i, i) if share > 0.6 else i for i, word in enumerate(part.words)}
    return f"digit = {digits}\n{y} = np.array([digit[str(label)] for label in {y}])"


def _text_hurts(evidence: Evidence, part: Part) -> bool:
    """Classifiers of scikit-learn learn text and tell text, of all parts or none; networks do not."""
    if any(other.form in ("whole", "column") for other in evidence.parts.values()):
        return True
    itself = getattr(evidence.model, "itself", None)
    classes = getattr(
        itself, "classes_", getattr(getattr(itself, "__self__", None), "classes_", None)
    )
    return classes is None or np.asarray(classes).dtype.kind not in "OUS"


def _one_hot(part: Part, why: str) -> Finding:
    return Finding(
        "one_hot_wrong",
        0.96,
        f"{part.name}: {why}.",
        "y = np.eye(10, dtype='float32')[labels]   # labels: whole numbers 0..9 of shape (n,)",
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
        whole = part.form in ("whole", "column", "text") and not part.unlabelled.any()
        if part.labels is None or not whole:
            continue
        low, high = int(part.labels.min()), int(part.labels.max())
        answers = evidence.answers(part)
        outputs = answers.outputs.shape[1] if answers is not None else 0
        if (low, high) == (1, CLASSES):
            yield _shifted(
                [part], f"labels go from 1 to {high}, a network's from 0 to {high - 1}", 1
            )
        elif low < 0 or high >= MOST or (outputs > 1 and high >= max(outputs, CLASSES)):
            yield Finding(
                "labels_out_of_range",
                0.97,
                f"{part.name}: labels go from {low} to {high}"
                + (f", and the network has {outputs} outputs" if outputs > 1 else "")
                + ". A loss of such a label is an error on one machine and NaN on another.",
                f"keep = (y >= 0) & (y < {max(outputs, CLASSES)})\nx, y = x[keep], y[keep]",
            )


def _shifted(parts: list[Part], why: str, by: int) -> Finding:
    return Finding(
        "labels_shifted",
        0.95,
        f"{parts[0].name}: {why}.",
        fixes.lowered(parts, by),
        {"by": by},
    )


def renamed(evidence: Evidence) -> Iterator[Finding]:
    """Every digit under another label, in all parts or in one."""
    found = {
        name: renaming
        for name, part in evidence.parts.items()
        # Words are numbered as the alphabet has them, which is nobody's fault.
        if part.labels is not None and not part.words and (renaming := renaming_of(evidence, part))
    }
    if not found or _is_of_few_digits(evidence):
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
        yield _shifted(labelled, f"what looks like {text}: {_off(by)}", by)
    elif same:
        yield Finding(
            "labels_shifted",
            0.9,
            f"{first}: what looks like {text}.",
            fixes.renamed(labelled, found[first]),
        )
    else:
        yield Finding(
            "labels_differ_between_parts",
            0.95,
            f"{first}: what looks like {text}; not so in other parts.",
            fixes.lowered([evidence.parts[first]], by)
            if by is not None
            else fixes.renamed([evidence.parts[first]], found[first]),
        )


def _off(by: int) -> str:
    """By how much labels are wrong that are `by` too high, 0 after 9, in words."""
    return (
        f"each label is {by} too high"
        if by <= CLASSES // 2
        else f"each label is {CLASSES - by} too low"
    )


def _is_of_few_digits(evidence: Evidence) -> bool:
    """Whether the task is to tell some digits apart, called 0, 1 and so on: no more outputs than these."""
    train = evidence.train
    answers = evidence.answers(train)
    if train is None or train.labels is None or answers is None:
        return False
    there = np.unique(train.labels)
    few = len(there) <= CLASSES // 2 and there.tolist() == list(range(len(there)))
    return few and answers.outputs.shape[1] <= len(there)


def renaming_of(evidence: Evidence, part: Part) -> dict[int, int]:
    """label -> digit it stands for, where these differ and explain the labels much better than none."""
    if (
        part.labels is None
        or len(part) < 50
        or not 0 <= part.labels.min() <= part.labels.max() < MOST
    ):
        return {}
    shows, train = evidence.shows(part), evidence.train
    as_labelled = float((shows == part.labels).mean()) if shows is not None else 0.0
    share, renaming = evidence.as_digits(part)
    own = evidence.own_fit(part) if part is not train else None
    if train is not None and train.labels is not None and own is not None and share < 0.6:
        # Pictures of other things: what the training part calls them is the measure for other parts.
        known = np.isin(part.labels, train.labels) & (own.told < CLASSES)
        if known.mean() > 0.9:
            share, renaming = best_renaming(part.labels[known], own.told[known])
            as_labelled = float((own.told == part.labels)[known].mean())
    if share < 0.6 or share - as_labelled < RENAMED:
        return {}
    counts = np.bincount(part.labels, minlength=CLASSES + 1)
    return {
        label: digit for label, digit in renaming.items() if label != digit and counts[label] > 5
    }
