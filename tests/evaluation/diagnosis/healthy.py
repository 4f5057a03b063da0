"""Scripts in which nothing is wrong, as different as scripts are."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scripts import Array, Arrays, dense, fitted, flat, pictures, small_cnn

Given = dict[str, Any]
Script = Callable[[Arrays], Given]


def one_hot(y: Array) -> Array:
    return np.eye(10, dtype="float32")[y]


def plain(a: Arrays) -> Given:
    return fitted(a.scaled(), dense(64, 32), epochs=10)


def classic_with_split(a: Arrays) -> Given:
    hot = a.scaled().map(y=one_hot)
    return fitted(
        hot, dense(64, 32), loss="categorical_crossentropy", epochs=10, validation_split=0.2
    )


def logits_rightly(a: Arrays) -> Given:
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return fitted(a.scaled(), dense(128, last=None), loss=loss, epochs=8)


def cnn(a: Arrays) -> Given:
    return fitted(a.map(pictures), small_cnn(), epochs=5)


def cnn_with_batch_norm_and_dropout(a: Arrays) -> Given:
    from keras import layers as k

    net = [
        k.Conv2D(16, 3, use_bias=False),
        k.BatchNormalization(momentum=0.9),
        k.ReLU(),
        k.MaxPooling2D(),
    ]
    net += [
        k.Conv2D(32, 3, activation="relu"),
        k.MaxPooling2D(),
        k.Flatten(),
        k.Dropout(0.5),
        k.Dense(10, activation="softmax"),
    ]
    return fitted(a.map(pictures), net, epochs=6)


def rescaling_inside(a: Arrays) -> Given:
    from keras import layers as k

    return fitted(
        a.map(lambda x: x.astype("float32")),
        [k.Rescaling(1 / 255), k.Flatten(), *dense(64)],
        epochs=8,
    )


def normalization_inside(a: Arrays) -> Given:
    from keras import layers as k

    raw = a.map(lambda x: x.reshape(len(x), -1).astype("float32"))
    layer = k.Normalization(axis=None)
    layer.adapt(raw.train[0])
    return fitted(raw, [layer, *dense(64, 32)], epochs=6)


def standardised_by_scikit_learn(a: Arrays) -> Given:
    from sklearn.preprocessing import StandardScaler

    rows = a.map(lambda x: x.reshape(len(x), -1).astype("float64"))
    scaler = StandardScaler().fit(rows.train[0])
    return fitted(rows.map(lambda x: scaler.transform(x).astype("float32")), dense(128), epochs=5)


def mean_and_sd(a: Arrays) -> Given:
    return fitted(
        a.map(lambda x: (flat(x) - 0.1307) / 0.3081), dense(64, 32, activation="tanh"), epochs=6
    )


def minus_one_to_one(a: Arrays) -> Given:
    return fitted(a.map(lambda x: pictures(x) * 2 - 1), small_cnn(), optimizer="nadam", epochs=5)


def sgd_with_momentum(a: Arrays) -> Given:
    import keras

    return fitted(
        a.scaled(), dense(100), optimizer=keras.optimizers.SGD(0.05, momentum=0.9), epochs=8
    )


def rmsprop_with_wide_dropout(a: Arrays) -> Given:
    from keras import layers as k

    return fitted(
        a.scaled(),
        dense(512, 512, between=lambda: k.Dropout(0.2)),
        optimizer="rmsprop",
        batch_size=128,
        epochs=10,
    )


def adamw_with_schedule(a: Arrays) -> Given:
    import keras

    rate = keras.optimizers.schedules.CosineDecay(3e-3, 900)
    return fitted(
        a.scaled(), dense(256), optimizer=keras.optimizers.AdamW(rate, weight_decay=0.01), epochs=8
    )


def little_l2(a: Arrays) -> Given:
    import keras

    return fitted(a.scaled(), dense(128, kernel_regularizer=keras.regularizers.L2(1e-4)), epochs=10)


def sorted_but_shuffled_by_fit(a: Arrays) -> Given:
    x, y = a.scaled().train
    order = np.argsort(y, kind="stable")
    return fitted(a.scaled()._replace(train=(x[order], y[order])), dense(64, 32), epochs=8)


def softmax_regression(a: Arrays) -> Given:
    return fitted(a.scaled(), dense(), epochs=15)


def elu_and_swish(a: Arrays) -> Given:
    return fitted(
        a.scaled(), [*dense(96, activation="elu")[:-1], *dense(48, activation="swish")], epochs=8
    )


def padded_to_32_in_three_channels(a: Arrays) -> Given:
    from keras import layers as k

    wide = a.map(
        lambda x: np.repeat(np.pad(pictures(x), ((0, 0), (2, 2), (2, 2), (0, 0))), 3, axis=3)
    )
    return fitted(wide, [k.Conv2D(12, 5, strides=2, activation="relu"), *small_cnn()[2:]], epochs=6)


def rows_as_a_sequence(a: Arrays) -> Given:
    from keras import layers as k

    return fitted(
        a.map(lambda x: x.astype("float32") / 255),
        [k.GRU(48), k.Dense(10, activation="softmax")],
        epochs=10,
    )


def scikit_learn(a: Arrays) -> Given:
    from sklearn.neighbors import KNeighborsClassifier

    raw = a.map(lambda x: x.reshape(len(x), -1), lambda y: y.astype(str))
    model = KNeighborsClassifier(3).fit(*raw.train)
    return {"model": model, "train": raw.train, "validation": raw.validation, "test": raw.test}


def subclassed(a: Arrays) -> Given:
    import keras

    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.first = keras.layers.Dense(64)
            self.last = keras.layers.Dense(10)

        def call(self, x: Any) -> Any:
            return keras.ops.softmax(self.last(keras.ops.relu(self.first(x))))

    model = Net()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    good = a.scaled()
    history = model.fit(
        *good.train, epochs=8, batch_size=32, verbose=0, validation_data=good.validation
    )
    return {
        "model": model,
        "train": good.train,
        "validation": good.validation,
        "test": good.test,
        "history": history,
    }


def scaled_in_its_own_call(a: Arrays) -> Given:
    """A subclassed model that divides by 255 itself, and raw pixels."""
    import keras

    class Net(keras.Model):  # type: ignore[misc]  # keras has no types
        def __init__(self) -> None:
            super().__init__()
            self.flat = keras.layers.Flatten()
            self.first = keras.layers.Dense(64, activation="relu")
            self.last = keras.layers.Dense(10)

        def call(self, x: Any) -> Any:
            return self.last(self.first(self.flat(keras.ops.cast(x, "float32") / 255)))

    model = Net()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    history = model.fit(*a.train, epochs=8, batch_size=32, verbose=0, validation_data=a.validation)
    return {"model": model, "history": history} | a._asdict()


def augmented_inside(a: Arrays) -> Given:
    from keras import layers as k

    return fitted(a.map(pictures), [k.RandomTranslation(0.07, 0.07), *small_cnn()], epochs=8)


def divided_without_a_layer(a: Arrays) -> Given:
    import keras
    from keras import layers as k

    inputs = keras.Input((28, 28), dtype="uint8")
    scaled = keras.ops.cast(inputs, "float32") / 255
    model = keras.Model(inputs, dense(64)[1](dense(64)[0](k.Flatten()(scaled))))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(*a.train, epochs=8, batch_size=32, verbose=0)
    return {"model": model, "history": history} | a._asdict()


def scaled_by_a_layer_of_its_own(a: Arrays) -> Given:
    import keras

    class Scale(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
        def call(self, x: Any) -> Any:
            return keras.ops.cast(x, "float32") / 255

    return fitted(a, [Scale(), keras.layers.Flatten(), *dense(64)], epochs=8)


def mixed_up(a: Arrays) -> Given:
    """Each training picture mixed with another, and its label likewise (Zhang et al. 2018)."""
    hot = a.scaled().map(y=one_hot)
    x, y = hot.train
    rng = np.random.default_rng(0)
    others, share = rng.permutation(len(x)), rng.beta(0.2, 0.2, (len(x), 1)).astype("float32")
    mixed = tuple(share * part + (1 - share) * part[others] for part in (x, y))
    return fitted(hot._replace(train=mixed), dense(64), loss="categorical_crossentropy", epochs=10)


def augmented_beforehand(a: Arrays) -> Given:
    """Every training picture moved and turned by chance, in the arrays."""
    from scipy.ndimage import rotate

    rng = np.random.default_rng(0)
    moved = [
        np.roll(
            rotate(one, rng.uniform(-12, 12), reshape=False, order=1),
            rng.integers(-2, 3, 2),
            (0, 1),
        )
        for one in a.train[0]
    ]
    return fitted(
        a._replace(train=(np.stack(moved), a.train[1])).map(pictures), small_cnn(), epochs=8
    )


def on_train(a: Arrays, change: Callable[[Array], Array]) -> Arrays:
    x, y = a.train
    return a._replace(train=(change(x), y))


def squares_cut_out(a: Arrays) -> Given:
    """A square of 8x8 made black in every training picture (random erasing, Zhong et al. 2017)."""
    rng = np.random.default_rng(0)

    def erased(x: Array) -> Array:
        x = x.copy()
        for one, (row, column) in zip(x, rng.integers(0, 20, (len(x), 2)), strict=True):
            one[row : row + 8, column : column + 8] = 0
        return x

    return fitted(on_train(a, erased).scaled(), dense(128), epochs=8)


def noise_on_the_training_part(a: Arrays) -> Given:
    rng = np.random.default_rng(0)
    noisy = on_train(a.scaled(), lambda x: (x + rng.normal(0, 0.15, x.shape)).astype("float32"))
    return fitted(noisy, dense(128), epochs=8)


def made_darker_by_chance(a: Arrays) -> Given:
    rng = np.random.default_rng(0)
    darker = on_train(a.scaled(), lambda x: x * rng.uniform(0.6, 1, (len(x), 1)).astype("float32"))
    return fitted(darker, dense(128), epochs=8)


def sigmoids_with_squared_error(a: Arrays) -> Given:
    import keras

    rate = keras.optimizers.Adam(2e-3)
    hot = a.scaled().map(y=one_hot)
    return fitted(hot, dense(128, last="sigmoid"), optimizer=rate, loss="mse", epochs=8)


def ten_questions_of_yes_or_no(a: Arrays) -> Given:
    hot = a.scaled().map(y=one_hot)
    loss, metrics = "binary_crossentropy", ["categorical_accuracy"]
    return fitted(hot, dense(128, last="sigmoid"), loss=loss, metrics=metrics, epochs=8)


def weights_within_bounds(a: Arrays) -> Given:
    import keras

    return fitted(
        a.scaled(), dense(128, kernel_constraint=keras.constraints.MaxNorm(1.0)), epochs=8
    )


def a_loss_of_its_own(a: Arrays) -> Given:
    import keras

    def focal(y: Any, z: Any) -> Any:
        cost = keras.losses.sparse_categorical_crossentropy(y, z, from_logits=True)
        return (1 - keras.ops.exp(-cost)) * cost

    return fitted(a.scaled(), dense(128, last=None), loss=focal, epochs=8)


def a_rate_that_ends_at_nothing(a: Arrays) -> Given:
    import keras

    rate = keras.optimizers.schedules.PolynomialDecay(3e-3, 800, 0.0)
    return fitted(a.scaled(), dense(128), optimizer=keras.optimizers.Adam(rate), epochs=8)


def two_blocks_shuffled_by_fit(a: Arrays) -> Given:
    x, y = a.scaled().train
    order = np.argsort(y >= 5, kind="stable")
    return fitted(a.scaled()._replace(train=(x[order], y[order])), dense(64, 32), epochs=8)


def channels_first_and_permuted(a: Arrays) -> Given:
    from keras import layers as k

    as_torch_has_them = a.map(lambda x: ((x / 255 - 0.1307) / 0.3081)[:, None].astype("float32"))
    return fitted(as_torch_has_them, [k.Permute((2, 3, 1)), *small_cnn()], epochs=5)


HEALTHY: tuple[Script, ...] = (
    plain, classic_with_split, logits_rightly, cnn, cnn_with_batch_norm_and_dropout, rescaling_inside,
    normalization_inside, standardised_by_scikit_learn, mean_and_sd, minus_one_to_one, sgd_with_momentum,
    rmsprop_with_wide_dropout, adamw_with_schedule, little_l2, sorted_but_shuffled_by_fit, softmax_regression,
    elu_and_swish, padded_to_32_in_three_channels, rows_as_a_sequence, scikit_learn, subclassed, augmented_inside,
    scaled_in_its_own_call, divided_without_a_layer, scaled_by_a_layer_of_its_own, mixed_up, augmented_beforehand, channels_first_and_permuted, squares_cut_out,
    noise_on_the_training_part, made_darker_by_chance, sigmoids_with_squared_error, ten_questions_of_yes_or_no,
    weights_within_bounds, a_loss_of_its_own, a_rate_that_ends_at_nothing, two_blocks_shuffled_by_fit,
)  # fmt: skip
