"""Faults planted in arrays, each under the cause that a diagnosis must name first, at several strengths."""

from typing import Any

import numpy as np
from planting import Given, planting
from scipy.ndimage import rotate, zoom
from scripts import Array, Arrays, dense, fitted, flat, pictures, small_cnn
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from tenfold.pictures import canonical


def on_train(arrays: Arrays, x: Any = None, y: Any = None) -> Arrays:
    a, b = arrays.train
    return arrays._replace(train=(x(a) if x else a, y(b) if y else b))


# Pixels


@planting("unscaled_pixels", "dense", "cnn", "centred", "wide")
def unscaled(arrays: Arrays, rng: Any, how: str) -> Given:
    if how == "cnn":
        return fitted(arrays.map(lambda x: x[..., None].astype("float32")), small_cnn(), epochs=3)
    raw = arrays.map(
        lambda x: x.reshape(len(x), -1).astype("float32") - (127 if how == "centred" else 0)
    )
    return fitted(raw, dense(64, 32) if how == "dense" else dense(256, 128))


@planting("scaled_twice", 255, 1000, 65025)
def scaled_twice(arrays: Arrays, rng: Any, again: float) -> Given:
    return fitted(arrays.map(lambda x: flat(x) / again), dense(64, 32))


@planting(
    "parts_prepared_differently",
    "test raw", "train raw", "test inverted", "test l2", "test transposed", "test standardised", "test moved", "test turned",
    "each standardised", "some of test transposed", "train inverted", "some rows raw",
)  # fmt: skip
def parts(arrays: Arrays, rng: Any, how: str) -> Given:
    good = arrays.scaled()
    x, y = arrays.test
    changed = {
        "test raw": lambda x: flat(x) * 255,
        "test inverted": lambda x: 1 - flat(x),
        "test l2": lambda x: flat(x) / np.linalg.norm(flat(x), axis=1, keepdims=True),
        "test transposed": lambda x: flat(x.transpose(0, 2, 1)),
        "some of test transposed": lambda x: flat(
            np.where(rng.random((len(x), 1, 1)) < 0.4, x.swapaxes(1, 2), x)
        ),
        "test moved": lambda x: flat(np.roll(x, 2, 2)),
        "test turned": lambda x: flat(rotate(x, 35, (1, 2), reshape=False, order=1)),
        "test standardised": lambda x: (flat(x) - 0.1307) / 0.3081,
    }
    if how == "each standardised":
        sevens = np.flatnonzero((y == 7) | (np.arange(len(y)) % 10 == 0))[:150]
        good = good._replace(test=(flat(x[sevens]), y[sevens]))
        return fitted(good.map(lambda x: StandardScaler().fit_transform(x)), dense(64, 32))
    if how == "train inverted":
        return fitted(on_train(good, lambda x: 1 - x), dense(64, 32))
    if how == "train raw":
        return fitted(on_train(good, lambda x: x * 255), dense(64, 32))
    if how == "some rows raw":
        return fitted(
            on_train(good, lambda x: np.where(rng.random((len(x), 1)) < 0.3, x * 255, x)),
            dense(64, 32),
        )
    return fitted(good._replace(test=(changed[how](x), y)), dense(64, 32))


@planting("other_hand", 0, 1, 3)
def other_writers(arrays: Arrays, rng: Any, order: int) -> Given:
    """Digits of 43 Turkish writers (Alpaydin & Kaynak 1998) from 8x8, enlarged by splines of this order, in MNIST's form."""
    theirs = load_digits()
    large = np.clip(zoom(theirs.images, (1, 5, 5), order=order) * 16, 0, 255).astype("uint8")
    x = np.stack([canonical(np.pad(one, 8)) for one in large])
    return fitted(arrays._replace(test=(x, theirs.target)).scaled(), dense(64, 32))


@planting("pixels_cut_to_whole", "both", "with //", "train alone")
def cut(arrays: Arrays, rng: Any, how: str) -> Given:
    def whole(x: Array) -> Array:
        return flat(x // 255 * 255) if how == "with //" else flat(x).astype("int64")

    cut_up = arrays.map(whole)
    parts = arrays.scaled()._replace(train=cut_up.train) if how == "train alone" else cut_up
    return fitted(parts, dense(64, 32))


@planting("label_among_pixels", "raw", "scaled", "last", "drawn")
def label_left_in(arrays: Arrays, rng: Any, how: str) -> Given:
    def with_label(pair: Any) -> Any:
        x, y = pair
        if how == "drawn":  # As for the forward-forward algorithm (Hinton 2022).
            return np.concatenate([np.eye(10, dtype="float32")[y], flat(x)[:, 10:]], axis=1), y
        column = (y if how == "raw" else y / 9)[:, None].astype("float32")
        joined = [flat(x), column] if how == "last" else [column, flat(x)[:, :-1]]
        return np.concatenate(joined, axis=1), y

    return fitted(Arrays(*map(with_label, arrays)), dense(64, 32))


@planting("inverted_pixels", "all", "0..255 first", "a third", "cnn")
def inverted(arrays: Arrays, rng: Any, how: str) -> Given:
    if how == "cnn":
        return fitted(arrays.map(lambda x: 1 - pictures(x)), small_cnn(), epochs=3)
    if how == "a third":
        return fitted(
            arrays.map(lambda x: np.where(rng.random((len(x), 1)) < 0.33, 1 - flat(x), flat(x))),
            dense(64, 32),
        )
    return fitted(
        arrays.map(lambda x: 1 - flat(x) if how == "all" else flat(255 - x)), dense(64, 32)
    )


@planting("transposed_pictures", "transposed", "turned", "mirrored", "fortran")
def transposed(arrays: Arrays, rng: Any, how: str) -> Given:
    turn = {
        "transposed": lambda x: flat(x.transpose(0, 2, 1)),
        "turned": lambda x: flat(np.rot90(x, 1, (1, 2))),
        "mirrored": lambda x: flat(x[:, :, ::-1]),
        "fortran": lambda x: flat(x.reshape(len(x), 784).reshape(len(x), 28, 28, order="F")),
    }[how]
    return fitted(arrays.map(turn), dense(64, 32))


@planting(
    "transposed_pictures",
    (0.15, "transposed"),
    (0.5, "transposed"),
    (0.3, "turned"),
    (0.7, "turned"),
    (0.4, "mirrored"),
    (0.1, "upside down"),
)
def some_transposed(arrays: Arrays, rng: Any, how: tuple[float, str]) -> Given:
    turn = {
        "transposed": lambda x: x.swapaxes(1, 2),
        "turned": lambda x: np.rot90(x, 1, (1, 2)),
        "mirrored": lambda x: x[:, :, ::-1],
        "upside down": lambda x: x[:, ::-1, ::-1],
    }[how[1]]

    def some(x: Array) -> Array:
        return np.where(rng.random((len(x), 1, 1)) < how[0], turn(x), x)

    return fitted(on_train(arrays, some).scaled(), dense(64, 32))


@planting("scrambled_pictures", "columns", "axes", "pixels", "across")
def scrambled(arrays: Arrays, rng: Any, how: str) -> Given:
    order = rng.permutation(784)
    mix = {
        "columns": lambda x: flat(x).reshape(784, len(x)).T,
        "axes": lambda x: flat(x.reshape(28, 28, len(x)).transpose(2, 0, 1)),
        "pixels": lambda x: flat(x)[:, order],
        "across": lambda x: flat(x).T.reshape(len(x), 784),
    }[how]
    return fitted(arrays.map(mix), dense(64, 32))


@planting("other_dataset", "garments", "digits 8x8", "noise")
def other(arrays: Arrays, rng: Any, how: str) -> Given:
    if how == "digits 8x8":
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        x = (x / 16).astype("float32")
        return fitted(
            Arrays((x[:1200], y[:1200]), (x[1200:1500], y[1200:1500]), (x[1500:], y[1500:])),
            dense(64, 32),
        )
    from scipy.ndimage import gaussian_filter

    shapes = gaussian_filter(rng.normal(size=(10, 28, 28)), (0, 3, 3))

    def make(x: Array, y: Array) -> tuple[Array, Array]:
        own = gaussian_filter(rng.normal(size=(len(x), 28, 28)), (0, 1.5, 1.5))
        z = shapes[y] / shapes.std() + (
            0.5 * own / own.std() if how == "garments" else 3 * rng.normal(size=own.shape)
        )
        return np.clip((z + 0.1) / 2.5, 0, 1).reshape(len(x), -1).astype("float32"), y

    return fitted(Arrays(*(make(*part) for part in arrays)), dense(64, 32))


@planting("missing_values", "one", "columns", "infinity", "empty pictures")
def missing(arrays: Arrays, rng: Any, how: str) -> Given:
    def spoil(x: Array) -> Array:
        x = x.copy()
        if how == "empty pictures":
            x[: len(x) // 5] = 0
            return x
        if how == "columns":
            with np.errstate(all="ignore"):
                return (x - x.mean(axis=0)) / x.std(axis=0)
        x[rng.integers(len(x)), 300] = np.nan if how == "one" else np.inf
        return x

    return fitted(on_train(arrays.scaled(), spoil), dense(64, 32), epochs=2)


# Labels


WORDS = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])


@planting("labels_are_text", "object", "unicode", "bytes", "words")
def text(arrays: Arrays, rng: Any, how: str) -> Given:
    given = fitted(arrays.scaled(), dense(64, 32), epochs=3)
    as_text = {
        "object": lambda y: y.astype(str).astype(object),
        "unicode": lambda y: y.astype("U1"),
        "bytes": lambda y: y.astype("S1"),
        "words": lambda y: WORDS[y],
    }[how]
    return given | {
        name: (given[name][0], as_text(given[name][1])) for name in ("train", "validation", "test")
    }


@planting("one_hot_wrong", "from one", "same row", "shifted off the end", "swapped")
def one_hot(arrays: Arrays, rng: Any, how: str) -> Given:
    import keras

    good = arrays.scaled()
    if how == "from one":
        hot = good.map(y=lambda y: keras.utils.to_categorical(y + 1, 11))
        return fitted(
            hot,
            [*dense(64, 32)[:-1], keras.layers.Dense(11, activation="softmax")],
            loss="categorical_crossentropy",
        )
    if how == "same row":
        hot = good.map(y=lambda y: np.repeat(np.eye(10, dtype="float32")[:1], len(y), axis=0))
        return fitted(hot, dense(64, 32), loss="categorical_crossentropy", epochs=2)
    if how == "swapped":
        given = fitted(good, dense(64, 32), epochs=2)
        return given | {"train": (given["train"][0], np.eye(10)[good.train[1]].T)}
    hot = good.map(y=lambda y: np.eye(11, dtype="float32")[y + 1][:, :10])
    return fitted(hot, dense(64, 32), loss="categorical_crossentropy")


@planting("labels_shifted", 1, 3, 9)
def shifted(arrays: Arrays, rng: Any, by: int) -> Given:
    return fitted(arrays.scaled().map(y=lambda y: (y + by) % 10), dense(64, 32))


@planting("labels_differ_between_parts", 1, 5, "swap")
def differing(arrays: Arrays, rng: Any, by: Any) -> Given:
    good = arrays.scaled()
    x, y = good.test
    other = np.where(y == 4, 9, np.where(y == 9, 4, y)) if by == "swap" else (y + by) % 10
    return fitted(good._replace(test=(x, other)), dense(64, 32))


@planting("labels_shuffled", 1.0, 0.5, 0.18, 0.1)
def shuffled(arrays: Arrays, rng: Any, share: float) -> Given:
    def shuffle(y: Array) -> Array:
        y = y.copy()
        rows = rng.choice(len(y), int(share * len(y)), replace=False)
        y[rows] = y[rng.permutation(rows)]
        return y

    return fitted(arrays.scaled().map(y=shuffle), dense(64, 32))


@planting("labels_shuffled", "rolled", "half rolled", "sorted labels")
def misaligned(arrays: Arrays, rng: Any, how: str) -> Given:
    def move(y: Array) -> Array:
        half = len(y) // 2
        return {
            "rolled": np.roll(y, 1),
            "half rolled": np.concatenate([y[:half], np.roll(y[half:], 5)]),
            "sorted labels": np.sort(y),
        }[how]

    return fitted(on_train(arrays.scaled(), y=move), dense(64, 32))


@planting("labels_shuffled", (0.1, "by hand"), (0.3, "by hand"), (0.2, "validation_split"))
def sorted_apart(arrays: Arrays, rng: Any, how: tuple[float, str]) -> Given:
    """y = np.sort(y), and images as they were; then a validation part is cut off."""
    x, y = arrays.scaled().train
    y, cut = np.sort(y), int((1 - how[0]) * len(x))
    good = arrays.scaled()._replace(train=(x, y))
    if how[1] == "validation_split":
        return fitted(good, dense(64, 32), validation_split=how[0])
    parted = good._replace(train=(x[:cut], y[:cut]), validation=(x[cut:], y[cut:]))
    return fitted(parted, dense(64, 32))


@planting("label_noise", "pairs", 0.08, 0.2, 0.4, "a stretch")
def noise(arrays: Arrays, rng: Any, rate: Any) -> Given:
    def spoil(y: Array) -> Array:
        if rate == "a stretch":
            first = len(y) // 3
            drawn = rng.integers(0, 10, len(y) // 5)
            return np.concatenate([y[:first], drawn, y[first + len(drawn) :]])
        if rate == "pairs":
            return np.where((rng.random(len(y)) < 0.3) & (y == 7), 1, y)
        return np.where(rng.random(len(y)) < rate, rng.integers(0, 10, len(y)), y)

    return fitted(arrays.scaled().map(y=spoil), dense(64, 32))


# Order and division


def in_order(pair: tuple[Array, Array]) -> tuple[Array, Array]:
    order = np.argsort(pair[1], kind="stable")
    return pair[0][order], pair[1][order]


@planting("sorted_split", 0.2, 0.1, 0.33, "by hand", "descending")
def split(arrays: Arrays, rng: Any, share: Any) -> Given:
    good = arrays.scaled()
    x, y = in_order(good.train)
    if share == "by hand":
        cut = int(0.8 * len(x))
        return fitted(
            good._replace(train=(x[:cut], y[:cut]), validation=(x[cut:], y[cut:])), dense(64, 32)
        )
    if share == "descending":
        x, y, share = x[::-1], y[::-1], 0.2
    return fitted(good._replace(train=(x, y)), dense(64, 32), validation_split=share)


@planting("sorted_not_shuffled", 1, 5, 10)
def unshuffled(arrays: Arrays, rng: Any, epochs: int) -> Given:
    good = arrays.scaled()
    return fitted(
        good._replace(train=in_order(good.train)), dense(64, 32), shuffle=False, epochs=epochs
    )


@planting("sorted_not_shuffled", ("sgd", 4), ("adam", 3), ("adam", 8))
def two_blocks(arrays: Arrays, rng: Any, how: tuple[str, int]) -> Given:
    """Even digits, by chance among themselves, and then odd ones."""
    x, y = arrays.scaled().train
    order = np.argsort(y % 2, kind="stable")
    parted = arrays.scaled()._replace(train=(x[order], y[order]))
    return fitted(parted, dense(64, 32), optimizer=how[0], epochs=how[1], shuffle=False)


@planting("leak", 0.5, 0.7, 0.85)
def darker_copies(arrays: Arrays, rng: Any, times: float) -> Given:
    """Darker copies of all images, and then a part cut off by chance."""
    x, y = arrays.scaled().train
    order = rng.permutation(len(x))
    x, y = np.concatenate([x[::2], times * x[::2]])[order], np.concatenate([y[::2], y[::2]])[order]
    cut = int(0.75 * len(x))
    parted = arrays.scaled()._replace(train=(x[:cut], y[:cut]), validation=(x[cut:], y[cut:]))
    return fitted(parted, dense(64, 32))


@planting("leak", 0.02, 0.2, 1.0, "noisy copies", "dark copies", "test")
def leak(arrays: Arrays, rng: Any, share: Any) -> Given:
    good = arrays.scaled()
    (x, y), (xv, yv) = good.train, good.test if share == "test" else good.validation
    count = int((0.3 if isinstance(share, str) else share) * len(xv))
    copies = xv[:count]
    if share == "noisy copies":
        copies = np.clip(copies + rng.normal(0, 0.02, copies.shape), 0, 1).astype("float32")
    elif share == "dark copies":
        copies = np.float32(0.3) * copies
    return fitted(
        good._replace(train=(np.concatenate([x, copies]), np.concatenate([y, yv[:count]]))),
        dense(64, 32),
    )


@planting("too_few_samples", 60, 200, 500, 1000)
def few(arrays: Arrays, rng: Any, count: int) -> Given:
    good = arrays.scaled()
    x, y = good.train
    return fitted(good._replace(train=(x[:count], y[:count])), dense(64, 32), epochs=30)


@planting("missing_class", "8", "0 and 5", "few 3")
def lacking(arrays: Arrays, rng: Any, which: str) -> Given:
    good = arrays.scaled()
    x, y = good.train
    keep = ~np.isin(y, [int(c) for c in which if c.isdigit()])
    if which == "few 3":
        keep[np.flatnonzero(y == 3)[:8]] = True
    return fitted(good._replace(train=(x[keep], y[keep])), dense(64, 32))
