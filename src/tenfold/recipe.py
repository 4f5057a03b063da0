"""A recipe is a frozen, JSON-safe value: everything that decides how a network is trained but the seed.

A variant is `dataclasses.replace(recipe, epochs=5)`, never a copy. Contradictions are rejected on
construction. Knows nothing about engines, files or data; the named recipes stand in `recipes`.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tenfold.augmentation import AUGMENTATIONS, Augmentation, check_augmentation
from tenfold.classifiers import MAX_SHIFT
from tenfold.errors import RecipeError
from tenfold.layers import LAYERS, Dense
from tenfold.network import MAX_PARAMETERS, Network
from tenfold.values import (
    check_choice,
    check_flag,
    check_number,
    check_type,
    check_whole,
    from_json,
    to_json,
)

MAX_LEARNING_RATE = 1_000.0
MAX_EPOCHS = 100_000
MAX_BATCH = 65_536
MAX_MEMBERS = 100


@dataclass(frozen=True)
class SGD:
    """w -= rate * g, with momentum v = momentum * v - rate * g and w += v.

    With nesterov the step is w += momentum * v - rate * g, taken with the new v (Sutskever et al. 2013).
    """

    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        check_number("SGD.learning_rate", self.learning_rate, 0.0, MAX_LEARNING_RATE)
        check_number("SGD.momentum", self.momentum, 0.0, 1.0)
        check_flag("SGD.nesterov", self.nesterov)
        if self.nesterov and self.momentum == 0:
            raise RecipeError(
                "SGD: nesterov needs a momentum above 0, received 0. Try momentum=0.9."
            )


@dataclass(frozen=True)
class Adam:
    """Kingma & Ba 2015 in Keras's form: m += (g - m)(1 - beta_1), v += (g^2 - v)(1 - beta_2),
    w -= rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)."""

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        check_number("Adam.learning_rate", self.learning_rate, 0.0, MAX_LEARNING_RATE)
        check_number("Adam.beta_1", self.beta_1, 0.0, 1.0)
        check_number("Adam.beta_2", self.beta_2, 0.0, 1.0)
        check_number("Adam.epsilon", self.epsilon, 1e-30, 1.0)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam that first shrinks every trained array: w -= rate * weight_decay * w (Loshchilov & Hutter 2019)."""

    weight_decay: float = 0.004

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("AdamW.weight_decay", self.weight_decay, 0.0, MAX_LEARNING_RATE)


@dataclass(frozen=True)
class Constant:
    """The optimizer's learning rate throughout."""

    def factors(self, progress: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ones_like(progress)


@dataclass(frozen=True)
class OneCycle:
    """From `start` times the learning rate up to 1 over the first `warmup` of training, then along half
    a cosine down to `end` times it (Smith & Topin 2018)."""

    warmup: float = 0.25
    start: float = 0.04
    end: float = 0.001

    def __post_init__(self) -> None:
        check_number("OneCycle.warmup", self.warmup, 0.0, 1.0)
        check_number("OneCycle.start", self.start, 0.0, 1.0)
        check_number("OneCycle.end", self.end, 0.0, 1.0)

    def factors(self, progress: NDArray[np.float64]) -> NDArray[np.float64]:
        up = self.start + (1 - self.start) * progress / max(self.warmup, 1e-12)
        fallen = (1 + np.cos(math.pi * (progress - self.warmup) / (1 - self.warmup))) / 2
        down = self.end + (1 - self.end) * fallen
        return np.where(progress < self.warmup, up, down)


@dataclass(frozen=True)
class EarlyStopping:
    """Stop after `patience` epochs without a lower validation loss, and keep the best epoch's weights."""

    patience: int = 5

    def __post_init__(self) -> None:
        check_whole("EarlyStopping.patience", self.patience, 1, MAX_EPOCHS)


@dataclass(frozen=True)
class Averaging:
    """The result is a moving average of the weights: average += (1 - d)(weights - average) after step t
    (0, 1, ...), with d = min(decay, t / (t + 9)), so that what it began with is forgotten at once.

    BatchNorm's statistics are then taken anew, with the averaged weights, dropout off, from images that are
    changed as in training: those it kept in training belong to other weights (Izmailov et al. 2018, section 3.2).
    """

    decay: float = 0.999

    def __post_init__(self) -> None:
        check_number("Averaging.decay", self.decay, 0.0, 1.0)

    def decays(self, epoch: int, *, steps: int) -> NDArray[np.float32]:
        """d after each step of an epoch (0, 1, ...) of `steps` steps: float32 (steps,)."""
        t = epoch * steps + np.arange(steps)
        return np.minimum(self.decay, t / (t + 9)).astype(np.float32)


@dataclass(frozen=True)
class Distillation:
    """A teacher is trained first, on the same images; `share` (0 <= share < 1) of each target is what it says of it.

    Its probabilities are softened by a temperature T: p^(1/T), scaled to sum to 1 (Hinton et al. 2015).
    """

    teacher: "Recipe"
    share: float = 0.9
    temperature: float = 2.0

    def __post_init__(self) -> None:
        check_type("Distillation.teacher", self.teacher, Recipe)
        check_number("Distillation.share", self.share, 0.0, 1.0)
        check_number("Distillation.temperature", self.temperature, 0.1, 100.0)


@dataclass(frozen=True)
class NonDigits:
    """Pictures that show no digit are drawn and learnt from too, each digit's target being 1/10; and the finished
    model says below which confidence it takes a picture for one of them (Hendrycks et al. 2019).

    Attributes:
        share: so many are drawn, as a share of the training images, 0 < share < 1.
        accepted: of newly drawn ones, the finished model may take this share for digits, 0 < accepted < 1.
    """

    share: float = 0.1
    accepted: float = 0.02

    def __post_init__(self) -> None:
        check_number("NonDigits.share", self.share, 0.001, 1.0)
        check_number("NonDigits.accepted", self.accepted, 0.001, 1.0)


Optimizer = SGD | Adam | AdamW
Schedule = Constant | OneCycle

_PARTS: tuple[type, ...] = (
    Network, SGD, Adam, AdamW, Constant, OneCycle, EarlyStopping, Averaging, Distillation, NonDigits, *AUGMENTATIONS
)  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How to train a network.

    Attributes:
        network: what is trained.
        engine: what trains it: "keras", or "numpy" (the network written out by hand).
        optimizer: SGD, Adam or AdamW; holds the (highest) learning rate.
        schedule: how the learning rate moves over the whole training.
        batch_size: images per step.
        precision: "float32"; or "mixed", which allows an engine to multiply bfloat16 numbers in convolutions and
            Dense layers where what computes has them. Parameters, statistics, the last layer and the finished model
            are float32 either way (Micikevicius et al. 2018; Kalamkar et al. 2019).
        epochs: passes over the training images.
        validation_share: the share of the training part that choices look at, 0 <= share < 1.
        early_stopping: EarlyStopping, or None to train all epochs and keep the last weights.
        augmentation: what happens to each image anew in every epoch, each kind once.
        label_smoothing: the share of each target that is spread evenly over the ten digits, 0 <= share < 1.
        averaging: Averaging, or None to keep the weights as they are.
        distillation: Distillation, or None to learn from the labels alone.
        test_time_shifts: the finished model takes the mean over the picture and its copies moved by so many
            pixels up, down, left and right; 0 for the picture alone. See `classifiers.Shifted`.
        members: so many networks are trained, each from a seed of its own, and the finished model takes the mean
            of their probabilities.
        written_digits: so many digits are written by code in forms that MNIST's writers seldom used, and learnt from
            too, as a share of the training images, 0 <= share < 1.
        non_digits: NonDigits, or None for a model that takes every picture for a digit.
        calibrated: whether the finished model's confidence is made to agree with how often it is right on the
            validation part, by one number that its last layer is divided by (Guo et al. 2017).

    Raises:
        RecipeError: a field is not what it says, or two contradict each other.
    """

    network: Network
    engine: Literal["keras", "numpy"] = "keras"
    optimizer: Optimizer = Adam()
    schedule: Schedule = Constant()
    batch_size: int = 32
    precision: Literal["float32", "mixed"] = "float32"
    epochs: int = 10
    validation_share: float = 0.2
    early_stopping: EarlyStopping | None = None
    augmentation: tuple[Augmentation, ...] = ()
    label_smoothing: float = 0.0
    averaging: Averaging | None = None
    distillation: Distillation | None = None
    test_time_shifts: int = 0
    members: int = 1
    written_digits: float = 0.0
    non_digits: NonDigits | None = None
    calibrated: bool = False

    def __post_init__(self) -> None:
        check_type("Recipe.network", self.network, Network)
        check_choice("Recipe.engine", self.engine, ("keras", "numpy"))
        check_type("Recipe.optimizer", self.optimizer, SGD, Adam)
        check_type("Recipe.schedule", self.schedule, Constant, OneCycle)
        check_whole("Recipe.batch_size", self.batch_size, 1, MAX_BATCH)
        check_choice("Recipe.precision", self.precision, ("float32", "mixed"))
        check_whole("Recipe.epochs", self.epochs, 1, MAX_EPOCHS)
        check_number("Recipe.validation_share", self.validation_share, 0.0, 1.0)
        check_type("Recipe.early_stopping", self.early_stopping, EarlyStopping, type(None))
        check_augmentation("Recipe.augmentation", self.augmentation)
        check_number("Recipe.label_smoothing", self.label_smoothing, 0.0, 1.0)
        check_type("Recipe.averaging", self.averaging, Averaging, type(None))
        check_type("Recipe.distillation", self.distillation, Distillation, type(None))
        check_whole("Recipe.test_time_shifts", self.test_time_shifts, 0, MAX_SHIFT)
        check_whole("Recipe.members", self.members, 1, MAX_MEMBERS)
        check_number("Recipe.written_digits", self.written_digits, 0.0, 1.0)
        check_type("Recipe.non_digits", self.non_digits, NonDigits, type(None))
        check_flag("Recipe.calibrated", self.calibrated)
        if self.calibrated and self.validation_share == 0:
            raise RecipeError(
                "Recipe: calibrated looks at the validation part, and validation_share is 0. "
                "Give validation_share=0.1, or leave calibrated out."
            )
        if self.calibrated and not isinstance(self.network.plan[-1].layer, Dense):
            raise RecipeError(
                f"Recipe: calibrated divides the last layer's weights, and {self.network.plan[-1].layer} is no Dense "
                "layer. End the network with Dense(10), or leave calibrated out."
            )
        if self.parameter_count > MAX_PARAMETERS:
            raise RecipeError(
                f"Recipe: expected at most {MAX_PARAMETERS:,} parameters in all members, received "
                f"{self.parameter_count:,}. Take fewer members, or a smaller network."
            )
        if self.early_stopping and self.averaging:
            raise RecipeError(
                "Recipe: early_stopping keeps the best epoch's weights, and averaging those of many epochs. "
                "Leave one of them out."
            )
        if self.early_stopping and self.validation_share == 0:
            raise RecipeError(
                "Recipe: early_stopping watches the validation loss, and validation_share is 0. "
                "Give validation_share=0.1, or leave early_stopping out."
            )

    @property
    def parameter_count(self) -> int:
        """Numbers in the finished model: those of each member's network."""
        return self.members * self.network.parameter_count

    @property
    def flops(self) -> int:
        """Floating-point operations of the finished model for a picture in one place; see `Network.flops`."""
        return self.members * self.network.flops

    def learning_rates(self, epoch: int, *, steps: int) -> NDArray[np.float32]:
        """The learning rate of each step of an epoch (0, 1, ...) of `steps` steps: float32 (steps,)."""
        step = epoch * steps + np.arange(steps, dtype=np.float64)
        progress = step / max(self.epochs * steps - 1, 1)
        return (self.optimizer.learning_rate * self.schedule.factors(progress)).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `recipe_from_json` is the inverse."""
        return dict(to_json(self))


def recipe_from_json(payload: object) -> Recipe:
    """The inverse of `Recipe.to_json`; UsageError where it does not describe a Recipe."""
    classes = {part.__name__: part for part in (Recipe, *_PARTS)} | LAYERS
    try:
        return check_type("recipe", from_json(payload, classes), Recipe)
    except RecursionError as error:
        raise RecipeError("Recipe: the description is nested too deeply to be one.") from error
