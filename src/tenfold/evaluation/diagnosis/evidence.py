"""All that a diagnosis looks at, each thing measured once and only when a rule asks for it."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import CLASSES, Images
from tenfold.evaluation.diagnosis import probe
from tenfold.evaluation.diagnosis.answers import Answers, Whole, answers_of
from tenfold.evaluation.diagnosis.foreign import as_array
from tenfold.evaluation.diagnosis.histories import History
from tenfold.evaluation.diagnosis.inputs import Part
from tenfold.evaluation.diagnosis.models import Model
from tenfold.evaluation.diagnosis.pictures import in_the_middle, levelled
from tenfold.evaluation.diagnosis.reference import AS_THEY_ARE, TURNS, reference

T = TypeVar("T")

# 2,000 images tell an accuracy of 97 % to within 0.8 points, and a large network in some seconds.
ASKED = 2_000
LOOKED_AT = 1_000
# Of digits as they are, 0.4 % at most are likelier by 15 nats after one certain turn; of those turned by chance, up to 45
# degrees, 3 %, and half as many after most other turns; of transposed ones 77 %, of those turned by 180 degrees 30 %.
SURELY, SOME, STANDS_OUT, FEWEST = 15.0, 0.02, 4.0, 200


class Fit(NamedTuple):
    """What a probe says of labelled rows: `told` (n,), and by how many nats it contradicts each label (n,)."""

    told: Whole
    margin: NDArray[np.float32]


class Evidence:
    """Parts, model and history; everything derived from them is measured at first use and kept."""

    def __init__(
        self, parts: dict[str, Part], model: Model | None, history: History | None
    ) -> None:
        self.parts = parts
        self.model = model
        self.history = history
        self._kept: dict[Any, Any] = {}

    @property
    def train(self) -> Part | None:
        """The training part."""
        return self.parts.get("train")

    @property
    def foremost(self) -> Part | None:
        """The training part; where it is not given, another."""
        return next(iter(self.parts.values()), None)

    @property
    def others(self) -> list[Part]:
        """Validation and test, where they are given."""
        return [part for name, part in self.parts.items() if name != "train"]

    def once(self, key: Any, make: Callable[[], T]) -> T:
        """What `make` gives, kept under `key`."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]  # type: ignore[no-any-return]

    # What the model answers

    def answers(self, part: Part | None) -> Answers | None:
        """What the model says of a part; None where there is no model, or it does not take the part."""
        if part is None or self.model is None or self.model.answer is None:
            return None
        answers = self.once(("answers", part.name), lambda: self._ask(part))
        return answers if isinstance(answers, Answers) else None

    def refusal(self, part: Part) -> str:
        """Why the model does not take a part, in its words; "" where it does."""
        self.answers(part)
        kept = self._kept.get(("answers", part.name))
        return kept if isinstance(kept, str) else ""

    def _ask(self, part: Part) -> Answers | str:
        rows = part.rows(ASKED)
        labels = None if part.labels is None else part.labels[rows]
        try:
            outputs = self.ask(part.x[rows])
            if outputs.ndim == 0 or len(outputs) != len(rows):
                return f"it answered an array of shape {outputs.shape} to {len(rows)} rows"
            return answers_of(rows, outputs, labels)
        except Exception as error:  # a stranger's model may raise anything, and answer anything
            return f"{type(error).__name__}: {str(error).strip() or 'no message'}"

    def ask(self, x: NDArray[Any]) -> NDArray[Any]:
        """The model's outputs."""
        if self.model is None or self.model.answer is None:
            raise TypeError("no model")
        with np.errstate(all="ignore"):
            return as_array(self.model.answer(x))

    # What simple probes say of inputs and labels

    @cached_property
    def classes(self) -> int:
        """How many classes there are: ten, or as many as labels of all parts say."""
        highest = max(
            (
                int(p.labels.max())
                for p in self.parts.values()
                if p.labels is not None and len(p.labels)
            ),
            default=0,
        )
        return max(2, highest + 1)

    @cached_property
    def _components(self) -> probe.Components | None:
        if self.train is None:
            return None
        with np.errstate(all="ignore"):
            return probe.components(self.train.features)

    def z(self, part: Part) -> probe.Floats | None:
        """A part (n, ...) in the training part's components (n, k); None where it has another shape."""
        if self._components is None or self.train is None:
            return None
        if part.features.shape[1:] != self.train.features.shape[1:]:
            return None
        components = self._components
        z: probe.Floats = self.once(("z", part.name), lambda: components(part.features))
        return z

    def own_fit(self, part: Part | None) -> Fit | None:
        """What Gaussians of the training part say of a part's labels; of the training part, each
        quarter of it by the others. None where there are no labels, or too few rows."""
        if part is None or part.labels is None or self.train is None or self.train.labels is None:
            return None
        if self.train.labels.min() < 0 or self.train.labels.max() > 99 or part.labels.min() < 0:
            return None
        return self.once(("own", part.name), lambda: self._fit(part))

    def _fit(self, part: Part) -> Fit | None:
        z = self.z(part)
        train = self.train
        if z is None or part.labels is None or train is None or train.labels is None:
            return None
        with np.errstate(all="ignore"):
            if part is train:
                told, margin = probe.told_by_others(z, part.labels)
                return None if (told < 0).all() else Fit(told, margin)
            own = self.z(train)
            gaussians = None if own is None else probe.fit(own, train.labels)
            if gaussians is None:
                return None
            return Fit(*probe.told_and_margin(gaussians, z, part.labels))

    @cached_property
    def unrelated(self) -> bool:
        """Whether training labels have next to nothing to do with their rows: then their order is not that of the rows."""
        fit, train = self.own_fit(self.train), self.train
        if fit is None or train is None or train.labels is None or len(train) < FEWEST:
            return False
        guessing = float(((np.bincount(train.labels) / len(train)) ** 2).sum())
        return float((fit.told == train.labels).mean()) < guessing + 0.1

    @cached_property
    def within_reach(self) -> float | None:
        """The accuracy that Gaussians reach on training rows they have not seen: what any network should.

        Where the network is a plane a class, that of Gaussians that share their spread.
        """
        train = self.train
        if train is None or train.labels is None or (fit := self.own_fit(train)) is None:
            return None
        if self.model is not None and len(self.model.weighted) == 1 and self.model.ordered:
            z = self.z(train)
            if z is None:
                return None
            told, _ = probe.told_by_others(z, train.labels, shared=True)
            return float((told == train.labels).mean())
        return float((fit.told == train.labels).mean())

    # Pictures, and what real digits say of them

    def pictures(self, part: Part | None, most: int = LOOKED_AT) -> Images | None:
        """At most `most` pictures of a part, as they stand."""
        if part is None or part.pictures is None:
            return None
        return part.pictures[part.rows(most)]

    def inverted(self, part: Part) -> float:
        """The share of a part's pictures that are brighter than half, at the rim and in all.

        Pixels that never change say nothing: standardising has made them 0, whatever they were.
        """
        pictures = self.pictures(part)
        if pictures is None:
            return 0.0
        flat = pictures.reshape(len(pictures), -1)
        moving = flat.min(axis=0) < flat.max(axis=0)
        rim = np.ones(pictures.shape[1:], bool)
        rim[4:-4, 4:-4] = False
        at_rim = moving & rim.reshape(-1) if (moving & rim.reshape(-1)).any() else moving
        if not moving.any():
            return 0.0
        bright = (flat[:, moving].mean(axis=1) > 127.5) & (flat[:, at_rim].mean(axis=1) > 127.5)
        return float(bright.mean())

    def bright_ink(self, part: Part, pictures: Images) -> Images:
        """Pictures of a part with bright ink on dark."""
        if self.inverted(part) > 0.5:
            return np.asarray(255 - pictures)
        return pictures

    def turn(self, part: Part) -> tuple[str, float, float]:
        """(after which turn pictures are least strange, how strange then, how strange as they are).

        Where some lie otherwise than others, each is turned for itself.
        """

        def find() -> tuple[str, float, float]:
            pictures = self.pictures(part)
            if pictures is None:
                return AS_THEY_ARE, np.inf, np.inf
            if self.lying(part):
                strangeness = reference().strangeness
                as_they_are = strangeness(self.bright_ink(part, pictures))
                return AS_THEY_ARE, strangeness(self.upright(part, pictures)), as_they_are
            return reference().best_turn(self.bright_ink(part, pictures))

        return self.once(("turn", part.name), find)

    def lying(self, part: Part) -> dict[str, float]:
        """turn -> the share of a part's pictures that are like digits only after it; {} where all lie alike."""

        def find() -> dict[str, float]:
            pictures = self.pictures(part, ASKED)
            if pictures is None or len(pictures) < FEWEST or 0.05 < self.inverted(part) < 0.95:
                return {}
            inked = self.bright_ink(part, pictures)
            likeness = _likeness(inked, TURNS)
            best = likeness.argmax(axis=0)
            surely = likeness.max(axis=0) > likeness[0] + SURELY
            shares = {t: float((surely & (best == i)).mean()) for i, t in enumerate(TURNS) if i}
            enough = max(SOME, STANDS_OUT * float(np.median(list(shares.values()))))
            some = {turn: share for turn, share in shares.items() if share > enough}
            there = [likeness[i] for i, turn in enumerate(TURNS) if turn in some]
            upright = float((likeness[0] > np.max(there, axis=0) + SURELY).mean()) if some else 0.0
            if upright < SOME:
                return {}
            if part.labels is not None:
                labels = part.labels[part.rows(ASKED)]
                some = {
                    turn: share
                    for turn, share in some.items()
                    if not _contradicted(inked, labels, turn, surely, best)
                }
            # Those that are like a digit either way are counted as the others are.
            return {turn: share / (sum(some.values()) + upright) for turn, share in some.items()}

        return self.once(("lying", part.name), find)

    def shows(self, part: Part | None) -> Whole | None:
        """The digit each row looks most like, polarity, turn, place and brightness mended (n,); None without pictures."""
        if part is None or part.pictures is None:
            return None
        pictures = part.pictures
        return self.once(
            ("shows", part.name),
            lambda: reference().told(levelled(in_the_middle(self.upright(part, pictures)))),
        )

    def upright(self, part: Part, pictures: Images) -> Images:
        """The pictures of a part, laid as digits stand: all in one way, or each in the likeliest."""
        inked = self.bright_ink(part, pictures)
        if lying := self.lying(part):
            ways = {
                name: turn for name, turn in TURNS.items() if name == AS_THEY_ARE or name in lying
            }
            best = _likeness(inked, ways).argmax(axis=0)
            turned = np.stack([turn(inked) for turn in ways.values()])
            return np.asarray(turned[best, np.arange(len(inked))])
        best_turn, mended, strange = self.turn(part)
        return TURNS[best_turn if mended < 0.8 * strange else AS_THEY_ARE](inked)

    def as_digits(self, part: Part) -> tuple[float, dict[int, int]]:
        """(share, renaming): how many rows look like the digit they are labelled as, once labels are
        renamed in the way that suits best; 0 without pictures or labels."""
        shows = self.shows(part)
        if shows is None or part.labels is None:
            return 0.0, {}
        return best_renaming(part.labels, shows)


def _likeness(
    pictures: Images, turns: Mapping[str, Callable[[Images], Images]]
) -> NDArray[np.float32]:
    """(turns, n): how much like a digit each picture (n, 28, 28) looks after each turn, in nats."""
    return np.stack(
        [reference().likeness(in_the_middle(turn(pictures))) for turn in turns.values()]
    )


def _contradicted(
    inked: Images, labels: Whole, turn: str, surely: NDArray[np.bool_], best: NDArray[np.intp]
) -> bool:
    """Whether labels that belong to the other pictures say that those like digits after a turn are none then either.

    So are some ways to write a digit, as a 1 with a long up-stroke. Of pictures that were turned, 93 % and more show their label.
    """
    told = reference().told
    others = told(inked[~surely]) == labels[~surely]
    so = surely & (best == list(TURNS).index(turn))
    turned = told(in_the_middle(TURNS[turn](inked[so]))) == labels[so]
    return bool(others.mean() > 0.5 > turned.mean())


def best_renaming(labels: Whole, shows: Whole) -> tuple[float, dict[int, int]]:
    """labels (n,), digits shown (n,) -> (share that agrees, label -> digit) under the best one-to-one
    renaming of labels."""
    from scipy.optimize import linear_sum_assignment

    names, place = np.unique(labels, return_inverse=True)
    table = np.zeros((len(names), CLASSES), np.int64)
    np.add.at(table, (place, shows), 1)
    rows, columns = linear_sum_assignment(-table)
    renaming = {int(names[r]): int(c) for r, c in zip(rows, columns, strict=True)}
    return float(table[rows, columns].sum() / len(labels)), renaming


def in_order(labels: Whole) -> float:
    """The share of rows with the label of the row before."""
    return float((labels[1:] == labels[:-1]).mean()) if len(labels) > 1 else 0.0
