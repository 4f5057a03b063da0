"""Faults planted in networks and their training, each at several strengths."""

from typing import Any

import numpy as np
from planting import Given, planting
from scripts import Arrays, dense, fitted, pictures, small_cnn


@planting("output_activation", "relu", "sigmoid", "tanh", "relu on logits", "relu layer")
def last_activation(arrays: Arrays, rng: Any, how: str) -> Given:
    import keras

    if how == "relu on logits":
        return fitted(
            arrays.scaled(),
            dense(64, 32, last="relu"),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
    if how == "relu layer":
        return fitted(arrays.scaled(), [*dense(64, 32, last=None), keras.layers.ReLU()])
    return fitted(arrays.scaled(), dense(64, 32, last=how))


@planting("output_activation", "in a Lambda", "in a layer of its own", "as an activation")
def over_the_batch(arrays: Arrays, rng: Any, how: str) -> Given:
    """Softmax over axis 0: each picture's answer depends on the others of its batch."""
    import keras

    def softmax(z: Any) -> Any:
        return keras.ops.softmax(z, axis=0)

    class Softmax(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
        def call(self, z: Any) -> Any:
            return softmax(z)

    last = {
        "in a Lambda": [keras.layers.Dense(10), keras.layers.Lambda(softmax)],
        "in a layer of its own": [keras.layers.Dense(10), Softmax()],
        "as an activation": [keras.layers.Dense(10, activation=softmax)],
    }[how]
    return fitted(arrays.scaled(), [*dense(64, 32)[:-1], *last], epochs=3)


@planting("softmax_twice", "in the loss", "two layers", "cnn", "categorical")
def twice(arrays: Arrays, rng: Any, how: str) -> Given:
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if how == "two layers":
        return fitted(arrays.scaled(), [*dense(64, 32), keras.layers.Softmax()])
    if how == "cnn":
        return fitted(arrays.map(pictures), small_cnn(), loss=loss, epochs=3)
    if how == "categorical":
        hot = arrays.scaled().map(y=lambda y: np.eye(10, dtype="float32")[y])
        return fitted(
            hot, dense(64, 32), loss=keras.losses.CategoricalCrossentropy(from_logits=True)
        )
    return fitted(arrays.scaled(), dense(64, 32), loss=loss)


@planting("logits_as_probabilities", "dense", "cnn", "object")
def logits(arrays: Arrays, rng: Any, how: str) -> Given:
    import keras

    if how == "cnn":
        return fitted(arrays.map(pictures), small_cnn(last=None), epochs=2)
    loss = (
        keras.losses.SparseCategoricalCrossentropy()
        if how == "object"
        else "sparse_categorical_crossentropy"
    )
    return fitted(arrays.scaled(), dense(64, 32, last=None), loss=loss)


@planting("wrong_loss", "mse of one-hot", "binary", "mae", "mse of whole")
def loss(arrays: Arrays, rng: Any, how: str) -> Given:
    hot = arrays.scaled().map(y=lambda y: np.eye(10, dtype="float32")[y])
    if how == "mse of whole":
        return fitted(
            arrays.scaled().map(y=lambda y: y[:, None].astype("float32")), dense(64, 32), loss="mse"
        )
    name = {"mse of one-hot": "mse", "binary": "binary_crossentropy", "mae": "mae"}[how]
    return fitted(hot, dense(64, 32), loss=name)


@planting("wrong_loss", "ignores labels", "ignores whole labels", "reversed")
def own_loss(arrays: Arrays, rng: Any, how: str) -> Given:
    import keras

    ops = keras.ops
    own = {
        "ignores labels": lambda y, p: -ops.mean(p, axis=-1) + 0 * ops.sum(y * p, axis=-1),
        "ignores whole labels": lambda y, p: -ops.sum(p * ops.log(p + 1e-7), axis=-1),
        "reversed": lambda y, p: ops.sum(y * ops.log(p + 1e-7), axis=-1),
    }[how]
    whole = how == "ignores whole labels"
    good = arrays.scaled().map(y=lambda y: y if whole else np.eye(10, dtype="float32")[y])
    return fitted(good, dense(64, 32), loss=own, epochs=4)


@planting("wrong_metric", "name", "object", "with binary loss", "exact", "first five")
def metric(arrays: Arrays, rng: Any, how: str) -> Given:
    import keras

    hot = arrays.scaled().map(y=lambda y: np.eye(10, dtype="float32")[y])
    metrics = {
        "name": lambda: ["binary_accuracy"],
        "exact": lambda: [keras.metrics.Accuracy()],
        "first five": lambda: [keras.metrics.TopKCategoricalAccuracy(k=5, name="accuracy")],
    }.get(how, lambda: [keras.metrics.BinaryAccuracy(name="accuracy")])()
    if how == "with binary loss":
        return fitted(
            hot, dense(64, 32, last="sigmoid"), loss="binary_crossentropy", metrics=metrics
        )
    return fitted(hot, dense(64, 32), loss="categorical_crossentropy", metrics=metrics)


@planting("wrong_output_units", "one", "one sigmoid", "too many")
def units(arrays: Arrays, rng: Any, how: str) -> Given:
    import keras

    count = 1000 if how == "too many" else 1
    last = keras.layers.Dense(
        count, activation="softmax" if count > 1 else "sigmoid" if how == "one sigmoid" else None
    )
    loss = (
        "sparse_categorical_crossentropy"
        if count > 1
        else "binary_crossentropy"
        if how == "one sigmoid"
        else "mse"
    )
    return fitted(arrays.scaled(), [*dense(64, 32)[:-1], last], loss=loss, epochs=2)


@planting("frozen_layers", "first", "hidden", "all", "no gradient")
def frozen(arrays: Arrays, rng: Any, how: str) -> Given:
    layers = dense(64, 32)
    if how == "no gradient":
        import keras

        # Three epochs: more of them, and what is left learns enough.
        return fitted(
            arrays.scaled(),
            [layers[0], keras.layers.Lambda(keras.ops.stop_gradient), *layers[1:]],
            epochs=3,
        )
    for layer in {"first": layers[:1], "hidden": layers[:2], "all": layers}[how]:
        layer.trainable = False
    return fitted(arrays.scaled(), layers)


@planting("no_nonlinearity", "two", "three", "conv", "dropout between")
def linear(arrays: Arrays, rng: Any, how: str) -> Given:
    from keras import layers

    if how == "conv":
        net = [
            layers.Conv2D(8, 3),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(64),
            layers.Dense(10, activation="softmax"),
        ]
        return fitted(arrays.map(pictures), net, epochs=3)
    if how == "dropout between":
        return fitted(
            arrays.scaled(), dense(128, activation=None, between=lambda: layers.Dropout(0.2))
        )
    return fitted(arrays.scaled(), dense(*((64,) if how == "two" else (64, 32)), activation=None))


# The training


@planting(
    "learning_rate_too_high",
    ("Adam", 0.1),
    ("Adam", 0.5),
    ("RMSprop", 0.1),
    ("SGD", 5.0),
    ("SGD", 1e4),
    ("Adam", 0.03),
)
def high(arrays: Arrays, rng: Any, what: tuple[str, float]) -> Given:
    import keras

    return fitted(
        arrays.scaled(), dense(64, 32), optimizer=getattr(keras.optimizers, what[0])(what[1])
    )


@planting(
    "learning_rate_too_low",
    ("Adam", 1e-5),
    ("Adam", 1e-6),
    ("SGD", 1e-3),
    ("RMSprop", 2e-5),
    ("Adam", 3e-5, "cnn"),
)
def low(arrays: Arrays, rng: Any, what: tuple[Any, ...]) -> Given:
    import keras

    if what[2:]:
        rate = keras.optimizers.Adam(what[1])
        return fitted(arrays.map(pictures), small_cnn(), optimizer=rate, epochs=3)
    return fitted(
        arrays.scaled(), dense(64, 32), optimizer=getattr(keras.optimizers, what[0])(what[1])
    )


@planting("learning_rate_too_low", "halved", "to 0 early", "steps", "by a callback")
def decaying_rate(arrays: Arrays, rng: Any, how: str) -> Given:
    """A rate that is right at first, and next to nothing for most of the training."""
    import keras

    optimizers, schedules = keras.optimizers, keras.optimizers.schedules
    if how == "by a callback":
        falling = keras.callbacks.LearningRateScheduler(lambda epoch: 0.05 * 1e-3**epoch)
        sgd = optimizers.SGD(0.05)
        return fitted(arrays.scaled(), dense(64, 32), optimizer=sgd, callbacks=[falling])
    optimizer = {
        "halved": lambda: optimizers.SGD(schedules.ExponentialDecay(0.05, 5, 0.5)),
        "to 0 early": lambda: optimizers.Adam(schedules.CosineDecay(1e-3, 50)),
        "steps": lambda: optimizers.Adam(schedules.PiecewiseConstantDecay([30], [1e-3, 1e-9])),
    }[how]()
    return fitted(arrays.scaled(), dense(64, 32), optimizer=optimizer)


@planting("dropout_too_strong", 0.7, 0.8, 0.9, 0.95)
def dropping(arrays: Arrays, rng: Any, rate: float) -> Given:
    from keras import layers

    return fitted(arrays.scaled(), dense(64, 32, between=lambda: layers.Dropout(rate)), epochs=8)


@planting("weight_decay_too_strong", "l2 0.05", "l2 0.5", "l1 0.005", "l1 0.01", "adamw")
def decaying(arrays: Arrays, rng: Any, how: str) -> Given:
    import keras

    if how == "adamw":
        return fitted(
            arrays.scaled(), dense(64, 32), optimizer=keras.optimizers.AdamW(1e-3, weight_decay=5.0)
        )
    kind, strength = how.split()
    penalty = getattr(keras.regularizers, kind.upper())(float(strength))
    return fitted(arrays.scaled(), dense(64, 32, kernel_regularizer=penalty))


@planting("weight_decay_too_strong", 0.02, 0.05, 0.1)
def bounded(arrays: Arrays, rng: Any, most: float) -> Given:
    import keras

    bound = keras.constraints.MaxNorm(most)
    return fitted(arrays.scaled(), dense(64, 32, kernel_constraint=bound))


@planting("batch_norm_too_slow", 0.99, 0.999, 0.9999)
def settling(arrays: Arrays, rng: Any, momentum: float) -> Given:
    from keras import layers

    few = {0.99: (512, 4), 0.999: (128, 3), 0.9999: (64, 4)}[momentum]
    return fitted(
        arrays.scaled(),
        dense(64, 32, between=lambda: layers.BatchNormalization(momentum=momentum)),
        batch_size=few[0],
        epochs=few[1],
    )


@planting("nan_in_training", "loss", "weights", "history")
def nans(arrays: Arrays, rng: Any, how: str) -> Given:
    import keras

    if how == "loss":

        def bad(y: Any, p: Any) -> Any:
            return keras.ops.log(keras.ops.min(p, axis=-1) - 1.0)

        return fitted(arrays.scaled(), dense(64, 32), loss=bad, epochs=2)
    given = fitted(arrays.scaled(), dense(64, 32), epochs=2)
    if how == "weights":
        weights = given["model"].get_weights()
        weights[0][3] = np.nan
        given["model"].set_weights(weights)
        return given
    return given | {
        "model": None,
        "history": {"loss": [0.5, np.nan, np.nan], "accuracy": [0.8, 0.1, 0.1]},
    }


@planting("overfitting", (256, 40, 32), (128, 80, 32), (512, 40, 64))
def by_heart(arrays: Arrays, rng: Any, how: tuple[int, int, int]) -> Given:
    units, epochs, batch_size = how
    good = arrays.scaled()
    x, y = good.train
    few = good._replace(train=(x[:2500], y[:2500]))
    net = dense(512, 512) if units == 512 else dense(units)
    return fitted(few, net, epochs=epochs, batch_size=batch_size)


@planting("under_training", 1, "a few steps", "sgd", "none")
def short(arrays: Arrays, rng: Any, how: Any) -> Given:
    if how == "sgd":
        return fitted(arrays.scaled(), dense(64, 32), optimizer="sgd", epochs=2)
    if how == "none":
        return fitted(arrays.scaled(), dense(64, 32), epochs=1, steps_per_epoch=1)
    if how == "a few steps":
        return fitted(arrays.scaled(), dense(64, 32), epochs=1, batch_size=512)
    return fitted(arrays.scaled(), dense(64, 32), epochs=1)
