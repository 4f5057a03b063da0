"""A Recipe's optimizer as Keras's, and what it keeps under the names that a State has for it.

Knows nothing about schedules: the epoch sets the learning rate of every step.
"""

from dataclasses import asdict

import keras

from tenfold.keras_engine.model import variables
from tenfold.recipe import SGD, Adam, AdamW, Optimizer

_KERAS = {SGD: keras.optimizers.SGD, Adam: keras.optimizers.Adam, AdamW: keras.optimizers.AdamW}


def build_optimizer(described: Optimizer, model: keras.Model) -> keras.optimizers.Optimizer:
    """Keras's optimizer for the arrays the model trains, with all that it keeps made and 0."""
    # The fields of ours have the names of Keras's arguments, and their meaning.
    optimizer = _KERAS[type(described)](**asdict(described))
    optimizer.build(model.trainable_variables)
    return optimizer


def kept_variables(
    optimizer: keras.optimizers.Optimizer, described: Optimizer, model: keras.Model
) -> dict[str, keras.Variable]:
    """What `build_optimizer` made, as a State names it: "step", and "first_moment/dense_1/kernel"."""
    named = {id(variable): name for name, variable in variables(model).items()}
    trained = [named[id(variable)] for variable in model.trainable_variables]
    names = [f"{slot}/{name}" for name in trained for slot in _slots(described)]
    step, _learning_rate, *slots = optimizer.variables
    return {"step": step} | dict(zip(names, slots, strict=True))


def _slots(described: Optimizer) -> tuple[str, ...]:
    """What Keras makes for each trained array, in the order in which it makes it."""
    if isinstance(described, SGD):
        return ("momentum",) if described.momentum else ()
    return ("first_moment", "second_moment")
