"""Code that mends a cause, for arrays of the form they were given in, called x_train, y_train, x_test and so on."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tenfold.digits import SIDE
from tenfold.evaluation.diagnosis.inputs import Part
from tenfold.evaluation.diagnosis.models import Model
from tenfold.evaluation.diagnosis.pictures import side_of

DARK_GROUND = "np.where((np.median(x.reshape(len(x), -1), axis=1) > x.max() / 2).reshape(-1, *[1] * (x.ndim - 1)), x.max() - x, x)"
"""An expression of x: pictures whose ground is bright, turned to dark."""

# What lays pictures (n, side, side) so that they look like digits; the names are those of reference.TURNS.
_TURNING = {
    "transposed": "{}.swapaxes(1, 2)",
    "turned by 90 degrees": "np.rot90({}, 1, (1, 2))",
    "turned by 180 degrees": "{}[:, ::-1, ::-1]",
    "turned by 270 degrees": "np.rot90({}, 3, (1, 2))",
    "mirrored left to right": "{}[:, :, ::-1]",
    "mirrored top to bottom": "{}[:, ::-1]",
    "transposed across the other diagonal": "{}[:, ::-1, ::-1].swapaxes(1, 2)",
}


def prepared(parts: Iterable[str], expression: str) -> str:
    """The same done to the pictures of some parts; `expression` is of x."""
    names = [f"x_{name}" for name in parts]
    calls = ", ".join(f"prepare({name})" for name in names)
    return f"def prepare(x):\n    return {expression}\n\n{', '.join(names)} = {calls}"


def turned(part: Part, turn: str) -> str:
    """An expression of x: the pictures of a part, laid as digits stand."""
    if part.x.ndim > 2:
        return _TURNING[turn].format("x")
    side = side_of(part.x)
    return _TURNING[turn].format(f"x.reshape(-1, {side}, {side})") + ".reshape(x.shape)"


def stood(parts: Sequence[Part], turns: Iterable[str]) -> str:
    """Each picture laid as it is nearest to real digits, where only some of them were turned."""
    if any(side_of(part.x) != SIDE or part.x[0].size != SIDE**2 for part in parts):
        return "# load the pictures anew, and look for the step that turns some of them"
    ways = ", ".join(_TURNING[turn].format("x") for turn in turns)
    calls = "\n".join(f"x_{part.name} = stand(x_{part.name})" for part in parts)
    return (
        "# better without the step that turned some of them; after the fact, each as it is nearest to real digits:\n"
        "from sklearn.neighbors import NearestNeighbors\n"
        "from tenfold import load\n\n"
        "real = NearestNeighbors(n_neighbors=1).fit(load('mnist5k').train.images.reshape(-1, 784) / 255)\n\n"
        "def away(x):\n"
        "    return real.kneighbors((x.reshape(-1, 784) - x.min()) / np.ptp(x))[0].ravel()\n\n"
        "def stand(given):\n"
        "    x = np.asarray(given).reshape(-1, 28, 28)\n"
        f"    ways = np.stack([x, {ways}])\n"
        "    best = np.argmin([away(way) for way in ways], axis=0)\n"
        "    return ways[best, np.arange(len(x))].reshape(np.shape(given))\n\n" + calls
    )


def last_layer(model: Model | None) -> str:
    """Ten outputs that compete, of a network or of a function."""
    if model is not None and model.kind == "callable":
        return (
            "e = np.exp(z - z.max(axis=1, keepdims=True))   # of z (n, 10), what the function gave before\n"
            "outputs = e / e.sum(axis=1, keepdims=True)   # softmax, once"
        )
    return "keras.layers.Dense(10, activation='softmax')   # in place of the last layer"


def compiled(model: Model | None, form: str) -> str:
    """Compiling for labels of this form (see `inputs.Form`)."""
    if model is not None and model.kind == "callable":
        return "# train it with the cross-entropy of what it gives: of probabilities, or of logits"
    sparse = "" if form in ("one-hot", "bad one-hot") else "sparse_"
    return f"model.compile('adam', '{sparse}categorical_crossentropy', metrics=['accuracy'])"


def trained_longer(model: Model | None) -> str:
    """More steps, in the words of what was given."""
    if model is not None and model.kind == "recipe":
        return _with("epochs=4 * recipe.epochs") + "   # tenfold train --epochs"
    if model is None or model.kind != "callable":
        return f"model.fit(x, y, epochs=20, {_STOPPING})"
    for _, value in _settings(model, "max_iter"):
        taken = getattr(model.last_estimator, "n_iter_", value)
        if isinstance(value, int) and 0 < value <= max(np.ravel(taken)):
            return set_to(model, "max_iter", 5 * value)
    if model.estimator is not None:
        return (
            "# more steps do not help it; what tells more of pixels:\nfrom sklearn.svm import SVC\n"
            "clf = SVC(C=10).fit(x_train.reshape(len(x_train), -1), y_train)"
        )
    return "# train what stands behind the function for longer, or take a larger network"


def at_rate(model: Model | None, optimizer: str, rate: float) -> str:
    """The same optimizer at another learning rate, likewise."""
    if model is not None and model.kind == "recipe":
        return _with(f"optimizer=dataclasses.replace(recipe.optimizer, learning_rate={rate:g})")
    if model is not None and any(_settings(model, "learning_rate_init")):
        return set_to(model, "learning_rate_init", rate)
    return (
        f"model.compile(keras.optimizers.{optimizer}({rate:g}), model.loss, metrics=['accuracy'])"
    )


def less_by_heart(model: Model | None) -> str:
    """A training that keeps to what holds for unseen images too, likewise."""
    if model is not None and model.kind == "recipe":
        return _with("augmentation=tenfold.RECIPES['standard'].recipe.augmentation")
    more = "# and more images, or each moved and turned a little"
    if model is None or model.kind != "callable":
        return f"model.fit(..., {_STOPPING})\n{more}, or dropout of 0.2 to 0.5 in wide layers"
    if any(isinstance(value, (int, float)) for _, value in _settings(model, "gamma")):
        return f"{set_to(model, 'gamma', 'scale')}\n{more}"
    for name, value in _settings(
        model, "C", "alpha", "max_depth", "n_neighbors", "min_samples_leaf"
    ):
        stricter = {
            "C": value and value / 10,
            "alpha": value and 10 * value,
            "max_depth": min(value or 12, 12),
            "n_neighbors": max(value or 0, 5),
            "min_samples_leaf": max(value or 0, 5),
        }[name.rpartition("__")[2]]
        return f"clf.set_params({name}={stricter}).fit(x_train, y_train)\n{more}"
    return more.replace("and more", "more")


def _with(change: str) -> str:
    """The recipe of a run with a change."""
    return f"recipe = dataclasses.replace(recipe, {change})"


_STOPPING = "callbacks=[keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)]"


def set_to(model: Model, name: str, value: object) -> str:
    """A classifier of scikit-learn, or the last of a pipeline, with a setting changed."""
    where = next((key for key, _ in _settings(model, name)), name)
    return f"clf.set_params({where}={value!r}).fit(x_train, y_train)"


def _settings(model: Model, *names: str) -> Iterator[tuple[str, Any]]:
    """What a classifier of scikit-learn, or the last of a pipeline, is set to, in the order of `names`."""
    given = model.estimator.get_params() if model.estimator is not None else {}
    for name in names:
        found = [key for key in given if key.rpartition("__")[2] == name]
        yield from ((key, given[key]) for key in found[-1:])


def lowered(parts: Iterable[Part], by: int) -> str:
    """Labels `by` less, 0 after 9."""

    def of(part: Part) -> str:
        y = f"y_{part.name}"
        if part.form == "one-hot":
            return f"{y} = np.roll({y}, -{by}, axis=1)"
        return f"{y} = (np.asarray({y}).astype(int) - {by}) % 10"

    return "\n".join(of(part) for part in parts)


def renamed(parts: Iterable[Part], renaming: dict[int, int]) -> str:
    """Labels renamed, those that are not named left as they are."""

    def of(part: Part) -> str:
        back = f"digit = np.arange(10)\ndigit[{list(renaming)}] = {list(renaming.values())}\n"
        y = f"y_{part.name}"
        if part.form == "one-hot":
            return back + f"{y} = {y}[:, np.argsort(digit)]"
        return back + f"{y} = digit[np.asarray({y}).astype(int)]"

    return "\n".join(of(part) for part in parts)


def without_doubtful(parts: Sequence[Part]) -> str:
    """Rows left out that other rows contradict."""
    hot = parts[0].form == "one-hot"
    calls = (f"x_{p.name}, y_{p.name} = clean(x_{p.name}, y_{p.name})" for p in parts)
    return (
        "from sklearn.model_selection import cross_val_predict\n"
        "from sklearn.neighbors import KNeighborsClassifier\n\n"
        "def clean(x, y):   # or look at the others, and correct what is wrong\n"
        f"    labels = {'y.argmax(axis=1)' if hot else 'np.asarray(y).ravel()'}\n"
        "    rows = np.asarray(x).reshape(len(x), -1)\n"
        "    told = cross_val_predict(KNeighborsClassifier(10), rows, labels, cv=3)\n"
        "    return x[told == labels], y[told == labels]\n\n" + "\n".join(calls)
    )


def without_seen(part: Part, *, exact: bool) -> str:
    """Rows left out that were trained on; where they were changed, splitting before that."""
    x, y = f"x_{part.name}", f"y_{part.name}"
    if not exact:
        return (
            "from sklearn.model_selection import train_test_split\n\n"
            f"x_train, {x}, y_train, {y} = train_test_split(x, y)   # first; then copy, turn or shift those of training alone"
        )
    return (
        "seen = {row.tobytes() for row in np.asarray(x_train)}\n"
        f"new = np.array([row.tobytes() not in seen for row in np.asarray({x})])\n"
        f"{x}, {y} = {x}[new], {y}[new]   # if hardly any are left, split anew, before anything is copied"
    )


def moved(part: Part, step: int) -> str:
    """Images that belong to the label `step` rows after them (before, below 0), brought together."""
    x, y = f"x_{part.name}", f"y_{part.name}"
    rows = (f"[:-{step}]", f"[{step}:]") if step > 0 else (f"[{-step}:]", f"[:{step}]")
    return f"{x}, {y} = {x}{rows[0]}, {y}{rows[1]}"


def loaded_anew(part: Part) -> str:
    """One order for both: after the fact nothing tells which label is whose."""
    x, y = f"x_{part.name}", f"y_{part.name}"
    return (
        "# load x and y anew: once apart, they cannot be put together again\n"
        f"order = np.random.default_rng(0).permutation(len({x}))\n"
        f"{x}, {y} = {x}[order], {y}[order]   # one order for both; of pandas, .iloc[order]"
    )
