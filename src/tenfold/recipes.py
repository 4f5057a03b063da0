"""The named recipes: one table. A variant is `dataclasses.replace` of one that is there."""

from dataclasses import replace
from typing import NamedTuple

from tenfold.errors import lookup
from tenfold.layers import BatchNorm, Conv2D, Dense, Dropout, MaxPool, ReLU
from tenfold.network import Network
from tenfold.recipe import AdamW, OneCycle, Recipe

SEED = Recipe(
    network=Network(Dense(64), ReLU(), Dense(32), ReLU(), Dense(10)),
    epochs=100,
)

MLP = Recipe(
    network=Network(
        Dense(256, bias=False), BatchNorm(), ReLU(), Dropout(0.3),
        Dense(128, bias=False), BatchNorm(), ReLU(), Dropout(0.3),
        Dense(10),
    ),
    optimizer=AdamW(learning_rate=0.003, weight_decay=0.01),
    schedule=OneCycle(),
    batch_size=128,
    epochs=20,
    validation_share=0.1,
)  # fmt: skip

# Pooling comes before normalisation: it leaves a quarter of the values to normalise, and the largest
# of four is the same one before and after (for a positive gain).
CNN = Recipe(
    network=Network(
        Conv2D(16, bias=False), MaxPool(), BatchNorm(), ReLU(),
        Conv2D(32, bias=False), MaxPool(), BatchNorm(), ReLU(),
        Conv2D(64, bias=False), MaxPool(), BatchNorm(), ReLU(),
        Dropout(0.3),
        Dense(10),
    ),
    optimizer=AdamW(learning_rate=0.008, weight_decay=0.01),
    schedule=OneCycle(),
    batch_size=128,
    epochs=5,
    validation_share=0.1,
)  # fmt: skip


class Named(NamedTuple):
    """A recipe and, in a sentence, what it is for."""

    recipe: Recipe
    purpose: str


RECIPES = {
    "seed": Named(SEED, "the classic first network (64-32-10), as a Keras user writes it"),
    "seed-numpy": Named(
        replace(SEED, engine="numpy"), "the same network and training, written out by hand in NumPy"
    ),
    "mlp": Named(MLP, "fully connected, with batch normalisation and dropout"),
    "cnn": Named(CNN, "a small convolutional network: the default"),
}
DEFAULT = "cnn"


def named_recipe(name: str) -> Recipe:
    """The recipe called `name`; UnknownName with the nearest name otherwise."""
    return lookup(RECIPES, name, "recipe").recipe
