"""Causes in how rows were ordered and divided: sorted data, missing classes, too few rows."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.evaluation.diagnosis.answers import Answers, Whole
from tenfold.evaluation.diagnosis.evidence import Evidence, in_order
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.evaluation.diagnosis.inputs import Part
from tenfold.evaluation.diagnosis.outcome import below_reach, told
from tenfold.statistics import Proportion

# Of rows in no order, one in ten has the label of the row before.
IN_ORDER = 0.5
LOOKED_AT = 4_000
# A class with less than this share of what it would have by equal shares is as good as missing.
RARE = 0.1
# Fewer of a class do not show how people write it: at 100 of each, a network tells 88 to 90 %.
FEW_OF_A_CLASS = 150
# No pixel of MNIST is lit in one digit more often than in the others by more than 0.65.
SAYS_ITS_LABEL = 0.96
SHUFFLE = "order = np.random.default_rng(0).permutation(len(x))\nx, y = x[order], y[order]   # then cut validation off"


def sorted_split(evidence: Evidence) -> Iterator[Finding]:
    """A judged part holds classes that training lacks, because it was cut off data in order."""
    train = evidence.train
    if train is None or train.labels is None or not _countable(train.labels) or evidence.unrelated:
        return
    cut_off = [why for part in evidence.others if (why := _cut_off(train.labels, part))]
    if cut_off:
        yield Finding("sorted_split", 0.97, " ".join(cut_off), SHUFFLE)
    validation = evidence.parts.get("validation")
    divided = validation is not None and validation.labels is not None
    # Classifiers of scikit-learn hold nothing back, or what chance takes.
    if cut_off or divided or (evidence.model is not None and evidence.model.estimator is not None):
        return
    if in_order(train.labels) < IN_ORDER or evidence.history is None and evidence.model is None:
        return
    failing = _tail_failing(evidence, train)
    accuracy = _last(evidence.history.validation_accuracy) if evidence.history else None
    shown = accuracy is not None and evidence.history is not None
    trained = _last(evidence.history.accuracy) if evidence.history else None
    low = shown and trained is not None and accuracy is not None and accuracy < trained - 0.3
    if failing is None and not low:
        return
    said = (
        f" The history says {accuracy:.1%} on validation and {trained:.1%} in training."
        if low
        else ""
    )
    seen = ""
    last = _classes_in_order(train.labels)[-1:]
    if failing is not None:
        last = failing.classes
        seen = (
            f" The model tells {failing.share:.0%} of these, {failing.rows:.0%} of all rows, and {failing.others:.0%} of the "
            "others."
        )
    yield Finding(
        "sorted_split",
        0.96 if failing and low else 0.9,
        f"The training data are in order of their labels, and the last rows are all of {_listed(last)}; validation_split "
        "cuts off the last rows without shuffling." + said + seen,
        SHUFFLE,
    )


def _cut_off(labels: Whole, part: Part) -> str:
    """How a part holds few classes, of which training labels (n,) lack some; "" where it does not."""
    if part.labels is None or not _countable(part.labels):
        return ""
    ours, theirs = _counts(labels), _counts(part.labels)
    there = np.flatnonzero(ours + theirs)
    lacking = [int(c) for c in there if c < 100 and ours[c] < RARE * len(labels) / len(there)]
    only = np.flatnonzero(theirs > RARE * len(part) / len(there))
    lost = Proportion(int(theirs[lacking].sum()), len(part))
    if not lacking or len(only) > 0.6 * len(there) or lost.share <= 0.2:
        return ""
    return (
        f"{part.name} holds the classes {_listed(only)} alone, and training next to none of {_listed(lacking)}: "
        f"{lost} of it can never be told."
    )


class Tail(NamedTuple):
    """The `classes` that stand last and are not told: their share of all `rows`, what of them is told, what of `others`."""

    classes: list[int]
    rows: float
    share: float
    others: float


def _tail_failing(evidence: Evidence, train: Part) -> Tail | None:
    """What of rows in order is not told, where that is the last classes and the first ones are."""
    answers = evidence.answers(train)
    if answers is None or answers.labels is None:
        return None
    right = answers.told == answers.labels
    order = _classes_in_order(answers.labels)
    recalls = [float(right[answers.labels == c].mean()) for c in order]
    if recalls[-1] >= 0.2 or np.mean(recalls[: len(order) // 2]) <= 0.6:
        return None
    first = max((i for i, recall in enumerate(recalls) if recall >= 0.2), default=-1) + 1
    lost = np.isin(answers.labels, order[first:])
    return Tail(
        order[first:], float(lost.mean()), float(right[lost].mean()), float(right[~lost].mean())
    )


def sorted_not_shuffled(evidence: Evidence) -> Iterator[Finding]:
    """Training rows in order, and a model that knows the last ones best."""
    train = evidence.train
    if train is None or train.labels is None or not _countable(train.labels) or evidence.unrelated:
        return
    order = in_order(train.labels)
    blocks = _blocks(train.labels) if order < IN_ORDER else []
    if (order < IN_ORDER and len(blocks) < 2) or len(np.unique(train.labels)) < 3:
        return
    answers = evidence.answers(train)
    recency = _recency(answers, blocks) if answers is not None else None
    # Of five classes together a sound network tells as many as of five others; of one it may tell fewer.
    if recency is not None and recency[1] > recency[0] + (0.15 if blocks else 0.3):
        trained = _last(evidence.history.accuracy) if evidence.history else None
        said = (
            f" While it was trained it told {trained:.0%}: each batch held one class."
            if trained is not None and trained > recency[0] + 0.2
            else ""
        )
        yield Finding(
            "sorted_not_shuffled",
            0.95,
            f"{_how_in_order(order, blocks)}, and the model tells {recency[0]:.0%} of the "
            f"classes that come first and {recency[1]:.0%} of the last: it forgot what it saw earlier.{said}",
            "model.fit(x, y, shuffle=True)   # and of a tf.data.Dataset: .shuffle(len(x)) before .batch"
            if evidence.model is None or evidence.model.kind != "callable"
            else SHUFFLE.partition("   #")[0] + "   # before each epoch",
            {"first": recency[0], "last": recency[1]},
        )
    elif blocks or (
        _tail_failing(evidence, train) is not None
        and (evidence.model is None or evidence.model.estimator is None)
    ):
        return  # the last rows were held back: that is the division, not the order of the batches
    elif evidence.model is None or answers is None or below_reach(evidence):
        yield Finding(
            "sorted_not_shuffled",
            0.7 if answers is not None else 0.5,
            f"{order:.0%} of the training rows have the label of the row before: with shuffle=False, or with "
            f"validation_split, nothing good comes of that.{told(answers)}",
            SHUFFLE,
            fault=evidence.model is not None,
        )


def _how_in_order(order: float, blocks: list[list[int]]) -> str:
    if not blocks:
        return f"{order:.0%} of the training rows have the label of the row before"
    return f"The training rows come in {len(blocks)} blocks, of the classes {'; '.join(map(_listed, blocks))}"


def _blocks(labels: Whole) -> list[list[int]]:
    """Classes by the stretches of rows that they stand in alone, in their order; one stretch where rows are in no order."""
    blocks: list[list[int]] = []
    end = -np.inf
    for c in _classes_in_order(labels):
        first, last = np.quantile(np.flatnonzero(labels == c), [0.02, 0.98])
        if first > end:
            blocks.append([])
        blocks[-1].append(c)
        end = max(end, last)
    return blocks


def _recency(answers: Answers, blocks: list[list[int]]) -> tuple[float, float] | None:
    """(mean recall of the classes that stand first, of the last one); or of the first blocks and the last."""
    if answers.labels is None:
        return None
    order = blocks or [[c] for c in _classes_in_order(answers.labels)]
    recalls = [
        float(
            np.mean(
                [
                    (answers.told == c)[answers.labels == c].mean()
                    for c in block
                    if (answers.labels == c).any()
                ]
            )
        )
        for block in order
    ]
    return float(np.mean(recalls[: max(1, len(order) // 2)])), recalls[-1]


def missing_class(evidence: Evidence) -> Iterator[Finding]:
    """A class that other parts or the network's outputs have, and training has not."""
    train = evidence.train
    if (
        train is None
        or train.labels is None
        or not _countable(train.labels)
        or evidence.unrelated
        or len(train) < 100
    ):
        return
    counts = _counts(train.labels)
    elsewhere = np.zeros(100, bool)
    for part in evidence.others:
        if part.labels is not None and _countable(part.labels):
            elsewhere |= _counts(part.labels) > 0
    answers = evidence.answers(train)
    outputs = answers.outputs.shape[1] if answers is not None else 0
    expected = elsewhere | (counts > 0)
    # Ten outputs, or nobody to ask, and labels that are not 1 to 10: then all of 0 to 9 are meant.
    if (outputs == 10 or (outputs == 0 and not elsewhere.any())) and (counts[:10] > 0).sum() >= 5:
        expected[:10] = True
    there = np.flatnonzero(expected)
    typical = np.median(counts[there]) if len(there) else 0
    lacking = [int(c) for c in there if counts[c] < RARE * typical]
    if not lacking or counts[10:].any():
        return
    how_many = ", ".join(f"{int(counts[c]):,} images of {c}" for c in lacking)
    lost = sum(
        int(_counts(p.labels)[lacking].sum())
        for p in evidence.others
        if p.labels is not None and _countable(p.labels)
    )
    other = sum(len(p) for p in evidence.others if p.labels is not None)
    share = (
        f" Other parts hold {Proportion(lost, other)} of such images, which it cannot tell."
        if other
        else ""
    )
    yield Finding(
        "missing_class",
        0.96,
        f"The training data hold {how_many}, where other classes have about {np.median(counts[np.setdiff1d(there, lacking)]):,.0f}.{share}",
        "print(np.bincount(y_train, minlength=10))   # after each step that selects rows: which one loses them?",
        {f"images_of_{c}": int(counts[c]) for c in lacking},
    )


def label_among_pixels(evidence: Evidence) -> Iterator[Finding]:
    """A number of every row that says its label: a column that was not taken out."""
    train = evidence.train
    if train is None or train.labels is None or len(train) < 100:
        return
    rows = train.rows(LOOKED_AT)
    x, labels = train.x[rows].reshape(len(rows), -1), train.labels[rows]
    classes = np.unique(labels)
    if not 2 < len(classes) <= len(rows) // 10:
        return
    of_class = [x[labels == c] for c in classes]
    alike = np.all([one.min(axis=0) == one.max(axis=0) for one in of_class], axis=0)
    for column in np.flatnonzero(alike):
        if len({float(one[0, column]) for one in of_class}) == len(classes):
            yield Finding(
                "label_among_pixels",
                0.97,
                f"Number {column} of every row of x is the same for all rows of a label and another for each label: it says the "
                "label. What is judged on such rows only reads it off.",
                f"x = np.delete(x.reshape(len(x), -1), {column}, axis=1)   # of every part\n"
                "# better where the table is read: pixels = table.drop(columns='label')",
                {"column": int(column)},
            )
            return
    if drawn := _drawn_labels(x, labels, classes):
        yield Finding(
            "label_among_pixels",
            0.97,
            f"Numbers {', '.join(map(str, drawn.values()))} of the rows of x are lit for one label each, and hardly ever for "
            "another: they say the label. What is judged on such rows only reads it off.",
            f"x = x.reshape(len(x), -1).copy()\nx[:, {list(drawn.values())}] = x.min()   # of every part",
            {"columns": len(drawn)},
        )


def _drawn_labels(x: NDArray[Any], labels: Whole, classes: Whole) -> dict[int, int]:
    """class -> a number of every row (n, d) that differs from the usual in that class and in no other; {} where few have one."""
    lit = x != np.median(x, axis=0)
    drawn = {}
    for c in classes:
        own, others = lit[labels == c].mean(axis=0), lit[labels != c].mean(axis=0)
        if (own - others).max() > SAYS_ITS_LABEL:
            drawn[int(c)] = int((own - others).argmax())
    return drawn if len(drawn) > len(classes) / 2 else {}


def too_few_samples(evidence: Evidence) -> Iterator[Finding]:
    """Few rows, and what they lack shows."""
    train = evidence.train
    if train is None or train.labels is None or not _countable(train.labels):
        return
    counts = _counts(train.labels)
    there = counts[counts > 0]
    of_each = float(np.median(there))
    if of_each >= FEW_OF_A_CLASS or len(train) < 2:
        return
    ours = evidence.answers(train)
    judged = [
        a for p in evidence.others if (a := evidence.answers(p)) is not None and a.accuracy.total
    ]
    if ours is not None and judged and ours.accuracy.total:
        best = max((answers.accuracy for answers in judged), key=lambda accuracy: accuracy.share)
        if ours.accuracy.share - best.share < 0.03 or best.share > 0.95:
            return
        seen = f" The model tells {ours.accuracy.share:.1%} of these and {best} of unseen ones."
    else:
        seen = ""
    yield Finding(
        "too_few_samples",
        0.9 if of_each < 120 else 0.7,
        f"{len(train):,} training images, about {of_each:,.0f} of a class; MNIST has 6,000.{seen}",
        "x, y = x_all, y_all   # all 60,000; where there are no more, change each picture a little (augmentation)",
        {"images": len(train), "of_a_class": of_each},
    )


def _countable(labels: Whole) -> bool:
    return bool(len(labels) and labels.min() >= 0 and labels.max() < 100)


def _counts(labels: Whole) -> NDArray[np.int64]:
    return np.bincount(labels, minlength=100)


def _classes_in_order(labels: Whole) -> list[int]:
    """Classes by where they stand in the rows, on average."""
    classes = np.unique(labels)
    places = [float(np.flatnonzero(labels == c).mean()) for c in classes]
    return [int(c) for c in classes[np.argsort(places)]]


def _last(values: NDArray[np.float64] | None) -> float | None:
    return None if values is None or not len(values) else float(values[-1])


def _listed(classes: NDArray[np.int64] | list[int]) -> str:
    return ", ".join(str(int(c)) for c in classes)
