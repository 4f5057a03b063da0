"""How sure a trained model may be: its temperature, and below which confidence a picture shows no digit.

Both are found after training and change no order of answers. Knows nothing about files.
"""

import numpy as np

from tenfold.classifiers import Shifted
from tenfold.digits import Classifier, Digits, Images
from tenfold.engine import Engine, State
from tenfold.evaluation import judge
from tenfold.network import Network
from tenfold.pictures.non_digits import draw_non_digits
from tenfold.randomness import stream
from tenfold.recipe import Recipe
from tenfold.training.loop import EngineClassifier

# 2,000 pictures of no digit: a share of 2 % of them is then known to within 0.6 points.
UNSEEN_NON_DIGITS = 2000


def calibrate(engine: Engine, recipe: Recipe, validation: Digits) -> float:
    """Divide the network's logits by the temperature with the lowest validation log loss -> that temperature.

    It is the loss of the finished model, with its members and test-time shifts. The division is done in the last
    layer's weights, so that every form of the model has it (Guo et al. 2017, temperature scaling).
    """
    from scipy.optimize import minimize_scalar

    state = engine.state()
    finished = Shifted(EngineClassifier(engine), recipe.test_time_shifts)

    def log_loss(log_temperature: float) -> float:
        engine.restore(cooled(state, recipe.network, float(np.exp(log_temperature))))
        return judge(finished, validation).log_loss

    # From 1/8 to 8, to within 1 %: nothing that was trained is further from what it should be.
    bounds = (-np.log(8), np.log(8))
    found = minimize_scalar(log_loss, bounds=bounds, method="bounded", options={"xatol": 0.01})
    temperature = float(np.exp(found.x))
    engine.restore(cooled(state, recipe.network, temperature))
    return temperature


def cooled(state: State, network: Network, temperature: float) -> State:
    """The state of a network, or of several members, with the last layer's weights divided by `temperature`."""
    names = tuple(f"weights/{parameter.name}" for parameter in network.plan[-1].parameters)
    divided = {
        name: array.astype(np.float32) / np.float32(temperature)
        for name, array in state.items()
        if name.endswith(names)
    }
    return state | divided


def rejection_threshold(
    finished: Classifier, digits: Digits, *, accepted: float, seed: int
) -> float:
    """The confidence that the share `accepted` of newly drawn non-digits reaches, 0 <= p < 1."""
    drawn = unseen_non_digits(digits, "threshold", seed=seed)
    confidence = finished.predict_proba(drawn).max(axis=1)
    return float(np.quantile(confidence, 1 - accepted, method="higher"))


def unseen_non_digits(digits: Digits, purpose: str, *, seed: int) -> Images:
    """Pictures of no digit that no training has seen, others for each purpose: uint8 (2000, 28, 28)."""
    return draw_non_digits(UNSEEN_NON_DIGITS, digits, stream(seed, f"non-digits for {purpose}"))
