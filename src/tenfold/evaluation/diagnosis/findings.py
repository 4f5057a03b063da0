"""What a diagnosis consists of: causes under stable names, findings with evidence, and how they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tenfold.errors import lookup


class Cause(NamedTuple):
    """One thing that can be wrong.

    Attributes:
        title: what is wrong, in a few words.
        weight: where its finding stands among others, 0..1. What explains others stands before what it
            explains: what is wrong with the data before what is wrong with the training on them.
    """

    title: str
    weight: float


CAUSES = {
    # The arithmetic and the pictures.
    "backend_computes_wrongly": Cause("the backend computes wrongly", 0.99),
    "missing_values": Cause("the data hold NaN, infinity or nothing", 0.98),
    "labels_are_text": Cause("the labels are text, not numbers", 0.97),
    "one_hot_wrong": Cause("the one-hot labels are wrong", 0.965),
    "labels_out_of_range": Cause("labels lie outside what the network can answer", 0.96),
    "wrong_shape": Cause("the model does not take these arrays", 0.955),
    "other_dataset": Cause("these are not the digits they are said to be", 0.95),
    "pixels_cut_to_whole": Cause("the scaling has cut the pixels to whole numbers", 0.947),
    "scrambled_pictures": Cause("a wrong reshape has mixed up the pictures", 0.945),
    "parts_prepared_differently": Cause("the parts were prepared differently", 0.94),
    "unscaled_pixels": Cause("the pixels are not scaled", 0.93),
    "scaled_twice": Cause("the pixels were scaled twice", 0.93),
    "transposed_pictures": Cause("the pictures are transposed or turned", 0.92),
    "inverted_pixels": Cause("ink and paper are swapped", 0.91),
    # Labels, order and split.
    "labels_differ_between_parts": Cause("a digit has another label in another part", 0.90),
    "labels_shifted": Cause("the labels are shifted", 0.89),
    "sorted_split": Cause("what is judged was cut off sorted data", 0.885),
    "missing_class": Cause("a class is missing from the training data", 0.88),
    "labels_shuffled": Cause("labels do not belong to their images", 0.875),
    "label_noise": Cause("many labels are wrong", 0.87),
    "label_among_pixels": Cause("the label stands among the pixels", 0.865),
    "leak": Cause("judged images are among the training images", 0.86),
    "sorted_not_shuffled": Cause("sorted data were trained on without shuffling", 0.85),
    # The model as it was put together.
    "wrong_output_units": Cause("the network has the wrong number of outputs", 0.84),
    "wrong_metric": Cause("the accuracy that was shown is not the accuracy", 0.835),
    "output_activation": Cause("the last layer has the wrong activation", 0.83),
    "wrong_loss": Cause("the loss does not fit labels or outputs", 0.82),
    "softmax_twice": Cause("softmax is applied twice", 0.81),
    "logits_as_probabilities": Cause("logits are taken for probabilities", 0.81),
    "no_nonlinearity": Cause("the network has no non-linearity", 0.80),
    "frozen_layers": Cause("layers of the network are not trained", 0.795),
    "other_hand": Cause("these digits are written otherwise than the training digits", 0.78),
    # How it was trained.
    "learning_rate_too_high": Cause("the learning rate is too high", 0.70),
    "nan_in_training": Cause("the training ended in NaN", 0.69),
    "dropout_too_strong": Cause("dropout is too strong", 0.66),
    "weight_decay_too_strong": Cause("weight decay is too strong", 0.65),
    "batch_norm_too_slow": Cause("batch normalisation has not settled", 0.64),
    "dead_units": Cause("units of the network never answer", 0.62),
    "learning_rate_too_low": Cause("the learning rate is too low", 0.60),
    "too_few_samples": Cause("there are too few training images", 0.55),
    "overfitting": Cause("the network learnt its training images by heart", 0.50),
    "under_training": Cause("the network was not trained long enough", 0.45),
    "unexplained": Cause("the accuracy is low, and no cause was found", 0.05),
}
"""Every cause a diagnosis can name; names are stable."""


@dataclass(frozen=True)
class Finding:
    """One cause, why it is believed, and what to do.

    Attributes:
        cause: a key of CAUSES.
        certainty: 0..1, how sure it is: from 0.9 on "certain", from 0.6 on "likely", else "possible".
        evidence: what was measured, in a sentence or two.
        fix: Python code, or a sentence as a comment, that mends it.
        numbers: the measured numbers by name.
        fault: False for what is worth knowing and costs nothing as things stand.
    """

    cause: str
    certainty: float
    evidence: str
    fix: str
    numbers: Mapping[str, float | str] = field(default_factory=dict)
    fault: bool = True

    def __post_init__(self) -> None:
        lookup(CAUSES, self.cause, "cause")

    @property
    def title(self) -> str:
        """What is wrong, in a few words."""
        return CAUSES[self.cause].title

    @property
    def weight(self) -> float:
        """Where it stands among others: the cause's weight, halved for a mere remark."""
        return CAUSES[self.cause].weight * (1.0 if self.fault else 0.5)

    @property
    def how_sure(self) -> str:
        """In a word: certain, likely or possible."""
        return (
            "certain"
            if self.certainty >= 0.9
            else "likely"
            if self.certainty >= 0.6
            else "possible"
        )

    def json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "cause": self.cause,
            "title": self.title,
            "fault": self.fault,
            "weight": round(self.weight, 4),
            "certainty": round(self.certainty, 3),
            "how_sure": self.how_sure,
            "evidence": self.evidence,
            "numbers": dict(self.numbers),
            "fix": self.fix,
        }


@dataclass(frozen=True)
class Diagnosis:
    """Findings by weight, heaviest first, and what was looked at.

    Attributes:
        findings: faults before remarks.
        looked_at: what was there to look at, by name; for example "train": "48,000 images, 97.10% told".
        seconds: how long the diagnosis took.
    """

    findings: tuple[Finding, ...]
    looked_at: Mapping[str, str]
    seconds: float

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that cost something."""
        return tuple(finding for finding in self.findings if finding.fault)

    @property
    def cause(self) -> str | None:
        """The name of the heaviest fault, or None where none was found."""
        return self.faults[0].cause if self.faults else None

    def json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "cause": self.cause,
            "findings": [finding.json() for finding in self.findings],
            "looked_at": dict(self.looked_at),
            "seconds": round(self.seconds, 2),
        }

    def __str__(self) -> str:
        lines = [f"{name:<12} {what}" for name, what in self.looked_at.items()]
        lines.append("")
        if not self.faults:
            lines.append("No fault found.")
        for number, finding in enumerate(self.findings, start=1):
            kind = "" if finding.fault else ", a remark"
            lines.append(f"{number}. {finding.title} ({finding.cause}; {finding.how_sure}{kind})")
            lines += [f"   {finding.evidence}"]
            lines += [f"       {line}" for line in finding.fix.splitlines()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from html import escape

        return f"<pre>{escape(str(self))}</pre>"
