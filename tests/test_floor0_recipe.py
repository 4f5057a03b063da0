"""Recipes survive JSON unchanged, hostile JSON ends in a sentence, schedules are what their law says."""

import contextlib
import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tenfold.augmentation import Cutout, Elastic, Rotate, Scale, Shear, Shift
from tenfold.errors import RecipeError, UsageError
from tenfold.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Residual,
)
from tenfold.network import Network, network_from_json
from tenfold.recipe import (
    SGD,
    Adam,
    AdamW,
    Averaging,
    Constant,
    Distillation,
    EarlyStopping,
    NonDigits,
    OneCycle,
    Recipe,
    recipe_from_json,
)

RECIPE = Recipe(
    Network(Conv2D(4, stride=2), Residual(Conv2D(4), BatchNorm(), ReLU()), Dropout(0.3), Dense(10)),
    optimizer=AdamW(),
    schedule=OneCycle(),
    early_stopping=EarlyStopping(),
    augmentation=(Shift(), Cutout()),
    distillation=Distillation(Recipe(Network(Dense(10)), averaging=Averaging())),
)

share = st.floats(0, 1, exclude_max=True)
same_shape = st.one_of(
    st.just(ReLU()),
    st.builds(Dropout, share),
    st.builds(BatchNorm, share, st.floats(1e-12, 1, exclude_max=True)),
)
residual = st.recursive(
    same_shape, lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda ls: Residual(*ls))
)
on_pictures = st.one_of(
    residual,
    st.builds(MaxPool, st.integers(1, 3)),
    st.builds(
        Conv2D,
        st.integers(1, 4),
        st.integers(1, 5),
        st.integers(1, 3),
        st.sampled_from(["same", "valid"]),
        st.booleans(),
    ),
)
on_features = st.one_of(same_shape, st.builds(Dense, st.integers(1, 50), st.booleans()))


@st.composite
def networks(draw: st.DrawFn) -> Network:
    layers = draw(st.lists(on_pictures, max_size=5))
    layers += draw(st.sampled_from([[], [GlobalAveragePool()], [Dense(5)]]))
    layers += draw(st.lists(on_features, max_size=3)) if layers else []
    try:
        return Network(*layers, Dense(10))
    except RecipeError:
        assume(False)
        raise


def recipes_with(**more: st.SearchStrategy) -> st.SearchStrategy[Recipe]:
    return st.builds(
        Recipe,
        network=networks(),
        engine=st.sampled_from(["keras", "numpy"]),
        optimizer=st.one_of(
            st.builds(SGD, share, st.floats(0.1, 0.9), st.booleans()),
            st.builds(Adam, share, share, share),
            st.builds(AdamW, share, weight_decay=share),
        ),
        schedule=st.one_of(st.just(Constant()), st.builds(OneCycle, share, share, share)),
        batch_size=st.integers(1, 65_536),
        precision=st.sampled_from(("float32", "mixed")),
        members=st.integers(1, 100),
        epochs=st.integers(1, 100_000),
        validation_share=st.floats(0.01, 0.9),
        augmentation=st.sampled_from([(), (Shear(), Elastic(0.5)), (Rotate(7), Scale(), Shift(1))]),
        label_smoothing=share,
        test_time_shifts=st.integers(0, 4),
        written_digits=share,
        non_digits=st.one_of(st.none(), st.builds(NonDigits, st.floats(0.1, 0.9))),
        **more,
    )


students = st.builds(
    Distillation,
    recipes_with(averaging=st.builds(Averaging, share)),
    st.floats(0, 1),
    st.floats(0.1, 99),
)
recipes = st.one_of(
    recipes_with(early_stopping=st.builds(EarlyStopping, st.integers(1, 9))),
    recipes_with(distillation=st.one_of(st.none(), students)),
)


@given(recipes)
def test_every_recipe_survives_json(recipe):
    restored = recipe_from_json(json.loads(json.dumps(recipe.to_json(), allow_nan=False)))
    assert restored == recipe
    assert restored.network.parameters == recipe.network.parameters


def test_the_json_of_a_network_is_this():
    """As a constant: model folders carry it."""
    layers = Network(Conv2D(4), Residual(ReLU()), Dense(10)).to_json()
    assert layers == {
        "type": "Network",
        "layers": [
            {
                "type": "Conv2D",
                "filters": 4,
                "kernel": 3,
                "stride": 1,
                "padding": "same",
                "bias": True,
            },
            {"type": "Residual", "layers": [{"type": "ReLU"}]},
            {"type": "Dense", "units": 10, "bias": True},
        ],
    }


any_json = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just(10**400)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["type", "layers", "units", "x"]), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(any_json)
def test_any_other_json_is_no_recipe_and_no_network(payload):
    for read in (recipe_from_json, network_from_json):
        with pytest.raises(UsageError):
            read(payload)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of every part of a JSON value, the whole included."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


@given(data=st.data())
def test_a_recipe_with_one_part_exchanged_is_a_recipe_or_a_sentence(data):
    payload = {"whole": RECIPE.to_json()}
    *path, last = data.draw(st.sampled_from([p for p in places(payload) if len(p) > 1]))
    target: Any = payload
    for key in path:
        target = target[key]
    target[last] = data.draw(any_json)
    with contextlib.suppress(UsageError):
        assert isinstance(recipe_from_json(payload["whole"]), Recipe)


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (None, "expected one of Network, received None"),
        ([], "expected one of Network"),
        ({"layers": []}, r'an object with a "type", received the fields \[\'layers\'\]'),
        ({"type": "Recipe"}, "No type named 'Recipe'"),
        ({"type": "os.system", "command": "true"}, "No type named 'os.system'"),
        ({"type": ["Network"]}, 'object with a "type"'),
        ({"type": "Dense", "units": 10}, "expected one of Network, received Dense"),
        ({"type": "Network", "layers": 5}, "Network: "),
        ({"type": "Network", "layers": "Dense"}, "a layer of Network"),
        ({"type": "Network", "layers": [{"type": "Dense"}]}, "Dense: .*units"),
        (
            {"type": "Network", "layers": [{"type": "Dense", "unit": 10}]},
            r"unknown fields \['unit'\]. Known: bias, units",
        ),
        ({"type": "Network", "layers": [{"type": "ReLU", "layers": [1]}]}, "unknown fields"),
        ({"type": "Network", "layers": [{"type": "Dense", "units": 10**9}]}, "to 1000000"),
    ],
)
def test_hostile_json_is_answered_with_what_is_wrong_with_it(payload, sentence):
    with pytest.raises(UsageError, match=sentence):
        network_from_json(payload)


def test_json_nested_a_hundred_thousand_deep_is_answered_with_a_sentence():
    payload: dict[str, Any] = {"type": "ReLU"}
    for _ in range(100_000):
        payload = {"type": "Residual", "layers": [payload]}
    for read in (network_from_json, recipe_from_json):
        with pytest.raises(RecipeError, match="nested too deeply"):
            read({"type": "Network", "layers": [payload]})
    while "layers" in payload:  # freed from outside in; the interpreter would recurse to do it
        payload = payload["layers"].pop()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"network": Dense(10)}, "Recipe.network: expected one of Network"),
        ({"engine": "torch"}, "expected one of keras, numpy, received 'torch'"),
        ({"optimizer": "adam"}, "expected one of SGD, Adam, received 'adam'"),
        ({"schedule": None}, "expected one of Constant, OneCycle"),
        (
            {"batch_size": 0},
            "Recipe.batch_size: expected a whole number from 1 to 65536, received 0",
        ),
        ({"epochs": 0}, "Recipe.epochs"),
        ({"epochs": 1.5}, "Recipe.epochs"),
        ({"validation_share": 1.0}, "Recipe.validation_share"),
        ({"validation_share": -0.1}, "Recipe.validation_share"),
        ({"early_stopping": 5}, "expected one of EarlyStopping, nothing, received 5"),
        ({"validation_share": 0.0}, "early_stopping watches the validation loss"),
        ({"augmentation": "Shift"}, "Recipe.augmentation: expected one of tuple"),
        (
            {"label_smoothing": 1.0},
            "Recipe.label_smoothing: expected a number from 0.0 to below 1.0",
        ),
        ({"label_smoothing": -0.1}, "Recipe.label_smoothing"),
        ({"members": 0}, "Recipe.members: expected a whole number from 1 to 100"),
        (
            {"network": Network(Dense(60_000), Dense(10)), "members": 2},
            "expected at most 50,000,000 parameters in all members, received 95,400,020",
        ),
        ({"precision": "bfloat16"}, "expected one of float32, mixed, received 'bfloat16'"),
        ({"non_digits": 0.1}, "expected one of NonDigits, nothing, received 0.1"),
        ({"calibrated": True, "validation_share": 0.0}, "calibrated looks at the validation part"),
        (
            {"calibrated": True, "network": Network(Dense(10), ReLU())},
            "calibrated divides the last layer's weights",
        ),
        ({"averaging": 0.99}, "expected one of Averaging, nothing, received 0.99"),
        (
            {"averaging": Averaging()},
            "early_stopping keeps the best epoch's weights, and averaging",
        ),
        ({"distillation": "cnn"}, "expected one of Distillation, nothing, received 'cnn'"),
        ({"test_time_shifts": 5}, "Recipe.test_time_shifts: expected a whole number from 0 to 4"),
        ({"test_time_shifts": True}, "Recipe.test_time_shifts"),
    ],
)
def test_a_recipe_that_contradicts_itself_is_refused(fields, sentence):
    with pytest.raises(RecipeError, match=sentence):
        replace(RECIPE, **fields)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SGD(nesterov=True),
        lambda: SGD(learning_rate=-1),
        lambda: SGD(learning_rate=math.inf),
        lambda: SGD(momentum=1.0),
        lambda: Adam(beta_1=1.0),
        lambda: Adam(epsilon=0),
        lambda: AdamW(weight_decay=math.nan),
        lambda: AdamW(beta_2=1.0),
        lambda: OneCycle(warmup=1.0),
        lambda: OneCycle(end=-0.1),
        lambda: EarlyStopping(0),
        lambda: Averaging(1.0),
        lambda: Averaging(-0.1),
        lambda: Distillation("cnn"),
        lambda: Distillation(RECIPE, share=1.1),
        lambda: Distillation(RECIPE, share=-0.1),
        lambda: Distillation(RECIPE, temperature=0),
    ],
)
def test_a_part_that_cannot_be_is_refused(make):
    with pytest.raises(RecipeError, match="expected|needs"):
        make()


def rates(
    schedule: Constant | OneCycle, *, epochs: int, steps: int, peak: float = 0.1
) -> np.ndarray:
    """The learning rate of every step of a whole training."""
    recipe = replace(RECIPE, optimizer=SGD(peak), schedule=schedule, epochs=epochs)
    return np.concatenate([recipe.learning_rates(epoch, steps=steps) for epoch in range(epochs)])


def test_a_constant_rate_stays():
    assert rates(Constant(), epochs=2, steps=3).tolist() == [np.float32(0.1)] * 6


def test_one_cycle_is_at_the_heights_worked_out_by_hand():
    """Nine steps, progress k/8: warm-up over the first two eighths, then half a cosine over six.

    Up: 0.04 at 0 and, half way, (0.04 + 1) / 2. Down from 1: a cosine half way is at the mean of its
    ends, (1 + 0.001) / 2, and a third of the way at 3/4 of the fall.
    """
    got = rates(OneCycle(), epochs=3, steps=3)
    by_hand = {0: 0.04, 1: 0.52, 2: 1.0, 4: 0.001 + 0.999 * 0.75, 5: 0.5005, 6: 0.25075, 8: 0.001}
    for step, height in by_hand.items():
        assert got[step] == pytest.approx(0.1 * height, rel=1e-6)  # float32 has 24 bits: 6e-8


@given(
    warmup=st.floats(0.0, 0.9),
    start=share,
    end=share,
    steps=st.integers(1, 50),
    epochs=st.integers(1, 5),
)
def test_one_cycle_rises_then_falls_and_stays_within_its_ends(warmup, start, end, steps, epochs):
    heights = rates(OneCycle(warmup, start, end), epochs=epochs, steps=steps, peak=1.0).astype(
        float
    )
    top = int(heights.argmax())
    # One part in 10^6 is the room that rounding to float32 needs.
    assert np.all(np.diff(heights[: top + 1]) > -1e-6)
    assert np.all(np.diff(heights[top:]) < 1e-6)
    assert min(start, end) - 1e-6 < heights.min() <= heights.max() < 1 + 1e-6


def test_a_training_of_one_step_has_a_rate():
    assert rates(OneCycle(), epochs=1, steps=1).tolist() == [np.float32(0.1 * 0.04)]


def test_averages_forget_faster_in_the_beginning():
    """t / (t + 9) for t = 0, 1, 2, ...: 0, 1/10, 2/11, 3/12; 27/36 is 3/4, and there the decay takes over."""
    averaging = Averaging(0.75)
    assert averaging.decays(0, steps=4) == pytest.approx([0, 0.1, 2 / 11, 0.25], rel=1e-6)
    assert averaging.decays(1, steps=2) == pytest.approx([2 / 11, 0.25], rel=1e-6)
    late = averaging.decays(13, steps=2)
    assert late == pytest.approx([26 / 35, 0.75], rel=1e-6)
    assert averaging.decays(14, steps=2).tolist() == [0.75, 0.75]
    assert late.dtype == np.float32
