"""The epoch loop with an engine whose every answer is written down here."""

import math
from itertools import pairwise

import numpy as np
import pytest

from tenfold.digits import Digits
from tenfold.engine import Epoch
from tenfold.errors import TrainingError
from tenfold.layers import Dense
from tenfold.network import Network
from tenfold.recipe import EarlyStopping, Recipe
from tenfold.training.loop import EngineClassifier, Progress, train_epochs

VALIDATION = Digits(np.zeros((4, 28, 28), np.uint8), np.zeros(4, np.uint8), "four noughts")


class ScriptedEngine:
    """Gives every image the logit `script[epoch]` for a nought and 0 for the other nine."""

    backend = "script"

    def __init__(self, script, losses=(3.0, 1.0)):
        self.script, self.losses, self.epoch = script, losses, -1

    def train_epoch(self, epoch):
        self.epoch = epoch
        return Epoch(np.array(self.losses, np.float32), correct=5, images=8)

    def logits(self, images):
        logits = np.zeros((len(images), 10), np.float32)
        logits[:, 0] = self.script[self.epoch]
        return logits

    def state(self):
        return {"step": np.array(self.epoch)}

    def restore(self, state):
        self.epoch = int(state["step"])


def recipe(epochs, early_stopping=None):
    return Recipe(Network(Dense(10)), epochs=epochs, early_stopping=early_stopping)


def loss_of(logit):
    """-log of exp(z) / (exp(z) + 9), what a nought costs a ScriptedEngine."""
    return -np.log(np.exp(logit) / (np.exp(logit) + 9))


def test_an_epoch_is_reported_as_the_mean_of_its_steps_and_the_validation_at_its_end():
    *_, progress = train_epochs(ScriptedEngine([0.0, 2.0]), recipe(2), VALIDATION, Progress())
    second = progress.history[1]
    assert (second.epoch, second.loss, second.accuracy) == (2, 2.0, 5 / 8)
    assert second.validation_accuracy == 1.0
    # float32 logits: the probabilities carry a rounding of 6e-8.
    assert second.validation_loss == pytest.approx(loss_of(2.0), rel=1e-6)


def test_without_validation_there_is_nothing_to_report_of_it():
    *_, progress = train_epochs(ScriptedEngine([0.0]), recipe(1), None, Progress())
    assert progress.history[0].validation_loss is None
    assert progress.history[0].validation_accuracy is None


def test_it_goes_on_from_where_a_progress_stands():
    engine = ScriptedEngine([0.0, 1.0, 2.0])
    first, *_ = train_epochs(engine, recipe(3), VALIDATION, Progress())
    rest = list(train_epochs(engine, recipe(3), VALIDATION, first))
    assert [len(p.history) for p in rest] == [2, 3]
    assert rest[-1].history[0] is first.history[0]


def test_early_stopping_waits_its_patience_and_keeps_the_best_epoch():
    # The nought's logit peaks in the third epoch; two epochs without a lower loss end it.
    engine = ScriptedEngine([0.0, 1.0, 4.0, 3.0, 2.0, 9.0])
    *_, progress = train_epochs(engine, recipe(6, EarlyStopping(2)), VALIDATION, Progress())
    assert len(progress.history) == 5
    assert int(progress.chosen["step"]) == 2
    assert int(progress.state["step"]) == 4


def test_a_resumed_training_that_had_already_stopped_stays_stopped():
    engine = ScriptedEngine([0.0, 4.0, 3.0, 2.0, 9.0])
    *_, progress = train_epochs(engine, recipe(5, EarlyStopping(2)), VALIDATION, Progress())
    assert list(train_epochs(engine, recipe(5, EarlyStopping(2)), VALIDATION, progress)) == []


def test_without_early_stopping_the_last_weights_are_the_result():
    *_, progress = train_epochs(ScriptedEngine([4.0, 0.0]), recipe(2), VALIDATION, Progress())
    assert progress.best is None
    assert int(progress.chosen["step"]) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_no_number_names_its_epoch_and_step(bad):
    engine = ScriptedEngine([0.0], losses=(1.0, bad))
    with pytest.raises(TrainingError, match="epoch 1, step 2: .* learning rate"):
        list(train_epochs(engine, recipe(1), VALIDATION, Progress()))


def test_an_engine_seen_as_a_classifier_gives_the_softmax_of_its_logits():
    class Ladder:
        def logits(self, images):
            return np.tile(np.arange(10, dtype=np.float32), (len(images), 1))

    rows = EngineClassifier(Ladder()).predict_proba(np.zeros((2, 28, 28), np.uint8))
    # One logit more is e times the probability.
    assert all(b / a == pytest.approx(math.e, rel=1e-5) for row in rows for a, b in pairwise(row))
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-6)
