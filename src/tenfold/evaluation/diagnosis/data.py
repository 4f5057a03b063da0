"""Causes in the pixels: what is missing, how they are scaled, which way up they are, whether they are digits."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import SIDE
from tenfold.evaluation.diagnosis import fixes
from tenfold.evaluation.diagnosis.evidence import Evidence
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.evaluation.diagnosis.inputs import Part
from tenfold.evaluation.diagnosis.models import BEFORE_WEIGHTS, SCALING, Model, numpy_of
from tenfold.evaluation.diagnosis.pictures import finite, gap_in_size, side_of

ROWS = 500

# Ink of 0..1 on a dark ground has a root mean square of a third, standardised pixels of 1, raw ones of 85.
LARGEST_RMS = 5.0
# Pixels of 0..1 vary by 0.3, rows brought to length 1 by 0.03, pixels divided by 255 twice by 0.001.
SMALLEST_SD = 0.01
# A likeness of exp(-20) is none; with gamma="scale" neighbours are at 2.
FARTHEST = 20.0
# MNIST has no empty picture.
MANY_EMPTY = 0.003
# Layers that hand a picture on in the shape it came in.
KEEP_SHAPE = (
    "InputLayer",
    "Rescaling",
    "Normalization",
    "BatchNormalization",
    "Dropout",
    "GaussianNoise",
)
# MNIST's pixels are at their greatest in 0.5 to 1 of 100, and ink of black and white pictures in 13.
LEAST_INK = 0.05
# The mean of real digits varies from pixel to pixel by 40 of 255.
FLAT_MEAN = 10.0


def missing_values(evidence: Evidence) -> Iterator[Finding]:
    """NaN, infinity, or nothing but one number; or labels that are none."""
    for part in evidence.parts.values():
        if part.unlabelled.any():
            rows = int(part.unlabelled.sum())
            yield Finding(
                "missing_values",
                0.97,
                f"{part.name}: {rows:,} of {len(part):,} labels are NaN, or the number that NaN becomes where it is made whole.",
                f"keep = np.asarray(y_{part.name}) >= 0   # which rows have a label?\n"
                f"x_{part.name}, y_{part.name} = x_{part.name}[keep], y_{part.name}[keep]",
                {"rows": rows},
            )
        bad = int((~np.isfinite(part.x)).sum()) if part.x.dtype.kind == "f" else 0
        if bad:
            rows = int((~np.isfinite(part.x.reshape(len(part), -1))).any(axis=1).sum())
            yield Finding(
                "missing_values",
                0.99,
                f"{part.name}: {bad:,} values in {rows:,} of {len(part):,} rows are NaN or infinite. One of "
                "them in a batch makes every weight NaN.",
                fixes.prepared(evidence.parts, "np.nan_to_num(x, posinf=0, neginf=0)")
                + "   # and look where they come from: 0/0 in a standardisation, a damaged file",
                {"values": bad, "rows": rows},
            )
        elif len(part) > 1 and part.x.min() == part.x.max():
            yield Finding(
                "missing_values",
                0.99,
                f"{part.name}: every value is {float(part.x.flat[0]):g}. There is nothing to learn from.",
                "print(x.min(), x.max())   # after each step of the preparation: which one loses the pictures?",
            )
        elif part.pictures is not None:
            yield from _empty_pictures(evidence, part)


def _empty_pictures(evidence: Evidence, part: Part) -> Iterator[Finding]:
    # Cut to whole numbers or mixed across each other, many are empty too.
    if cut_to_whole(part) or (len(part) >= 30 and _is_scrambled(evidence, part)):
        return
    rows = part.x.reshape(len(part), -1)
    empty = int((rows.min(axis=1) == rows.max(axis=1)).sum())
    if empty > MANY_EMPTY * len(part):
        yield Finding(
            "missing_values",
            0.95,
            f"{part.name}: {empty:,} of {len(part):,} pictures are empty: all their values are alike.",
            f"flat = np.asarray(x_{part.name}).reshape(len(x_{part.name}), -1)\n"
            f"keep = flat.min(axis=1) < flat.max(axis=1)\n"
            f"x_{part.name}, y_{part.name} = x_{part.name}[keep], y_{part.name}[keep]   # and look where they were lost",
            {"empty": empty},
        )


def cut_to_whole(part: Part) -> bool:
    """Whether nothing but 0 and 1 is left, and of the ink next to nothing."""
    values = sample(part.x)
    ones = values == 1
    return bool(0 < ones.mean() < LEAST_INK and (ones | (values == 0)).all())


def wrong_shape(evidence: Evidence) -> Iterator[Finding]:
    """The model raises when it is given the arrays, or sees channels where there are none."""
    for part in evidence.parts.values():
        why = evidence.refusal(part)
        if why:
            yield Finding(
                "wrong_shape",
                0.95,
                f"{part.name}: the {_called(evidence.model)} did not take x of shape {part.x.shape}: "
                f"{why.splitlines()[0][:300]}",
                _reshape_for(evidence.model, part),
            )
            return
    train = evidence.train
    if train is not None and _sees_rows_as_channels(evidence.model, train):
        yield Finding(
            "scrambled_pictures",
            0.9,
            f"A convolution is given x of shape {train.x.shape}: it takes the last axis, of {train.x.shape[-1]}, "
            "for channels, and the picture for a single row.",
            "x = x.reshape(-1, 28, 28, 1)",
        )


def _called(model: Model | None) -> str:
    return "function" if model is not None and model.kind == "callable" else "model"


def _reshape_for(model: Model | None, part: Part) -> str:
    if model is not None and model.kind == "callable":
        return f"model(x_{part.name}[:1])   # raises the same, and says where"
    kinds = {layer.kind for layer in model.layers} if model else set()
    if kinds & {"Conv2D", "SeparableConv2D"}:
        return "x = x.reshape(-1, 28, 28, 1)"
    return "x = x.reshape(len(x), *model.input_shape[1:])"


def _sees_rows_as_channels(model: Model | None, train: Part) -> bool:
    if model is None or not model.ordered or train.x.ndim != 4 or train.x.shape[1] != 1:
        return False
    kinds = [layer.kind for layer in model.layers]
    if "Conv2D" not in kinds:
        return False
    first = kinds.index("Conv2D")
    # Anything else may move the axes before the convolution sees them.
    as_it_came = all(kind in KEEP_SHAPE for kind in kinds[:first])
    return as_it_came and model.layers[first].settings.get("data_format") == "channels_last"


def scaling(evidence: Evidence) -> Iterator[Finding]:
    """Pixels that reach the first weights in hundreds, or as next to nothing."""
    train, model = evidence.train, evidence.model
    if train is None or (model is not None and model.kind == "recipe"):
        return
    seen = seen_by_weights(model, sample(train.x))
    if seen is None:
        return
    rms, sd = float(np.sqrt((seen.astype(np.float64) ** 2).mean())), float(seen.std())
    certainty, does_well = 0.97, False
    if model is None or not model.ordered or model.operations:
        told = evidence.answers(train)
        reach = evidence.within_reach
        # What is no network may scale for itself, or not care; and so may a network whose steps are not known.
        near = 0.1 if model is None or model.kind == "callable" else 0.02
        does_well = told is not None and reach is not None and told.accuracy.share > reach - near
        certainty = 0.6 if near > 0.02 else 0.8
    if does_well and not _beyond_its_kernel(model, seen):
        return
    mixed = _share_scaled(train)
    if rms > LARGEST_RMS:
        part = f" in {mixed:.0%} of the pictures" if 0 < mixed < 1 else ""
        yield Finding(
            "unscaled_pixels",
            certainty,
            f"What reaches the first weights goes from {seen.min():.4g} to {seen.max():.4g}{part}, with a root mean "
            f"square of {rms:.3g}: weights start for inputs of about 1.",
            fixes.prepared(evidence.parts, "np.asarray(x).astype('float32') / 255")
            + "   # and for every picture that is told later",
            {"rms": rms, "max": float(seen.max())},
        )
    elif 0 < sd < SMALLEST_SD:
        twice = (
            " There is a layer that scales, and the arrays were scaled already."
            if _has(model, SCALING)
            else ""
        )
        yield Finding(
            "scaled_twice",
            certainty,
            f"What reaches the first weights goes from {seen.min():.4g} to {seen.max():.4g} and varies by {sd:.2g}, "
            f"where 0.3 is usual: next to nothing.{twice}",
            "print(x.max())   # 1.0 after one division by 255; leave the other one out",
            {"sd": sd, "max": float(seen.max())},
        )


def _beyond_its_kernel(model: Model | None, x: NDArray[np.float32]) -> bool:
    """Whether pictures are so far apart for a support vector machine that each is like itself alone."""
    # Behind other steps of a pipeline the pictures have another size: of that nothing is known.
    machine: Any = model.estimator if model is not None else None
    gamma = getattr(machine, "_gamma", None)
    if gamma is None or machine.kernel != "rbf" or len(x) < 2:
        return False
    rows = x.reshape(len(x), -1).astype(np.float64)
    return bool(gamma * np.median(((rows[1:] - rows[:-1]) ** 2).sum(axis=1)) > FARTHEST)


def seen_by_weights(model: Model | None, x: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """What of x (n, ...) arrives at the first layer with weights; None where a layer normalises it."""
    if model is None or model.kind != "keras":
        return x
    for layer in model.layers:
        if layer.kind in ("BatchNormalization", "LayerNormalization"):
            return None
        passes = layer.kind.startswith("Random") or layer.kind in ("Dropout", "GaussianNoise")
        if passes or layer.kind == "InputLayer":
            continue
        own = model.ordered and not layer.itself.__class__.__module__.startswith("keras.")
        if layer.kind not in BEFORE_WEIGHTS and (layer.itself.weights or not own):
            return x
        # A Lambda, or a layer of the user's own without weights, may scale.
        if own or layer.kind == "Lambda" or (layer.kind in SCALING and model.ordered):
            try:
                x = finite(np.asarray(numpy_of(layer.itself(x))))
            except Exception:  # a stranger's layer; what it does to the scale cannot be known
                return None
        elif layer.kind == "Rescaling":
            x = x * float(layer.settings.get("scale", 1)) + float(layer.settings.get("offset", 0))
        elif layer.kind == "Normalization":
            return None
    return x


def _has(model: Model | None, kinds: tuple[str, ...]) -> bool:
    return model is not None and any(layer.kind in kinds for layer in model.layers)


def _share_scaled(part: Part) -> float:
    """The share of rows on the upper side of a gap in size that no digits have; 1 without such a gap."""
    rows = sample(part.x).reshape(min(len(part), ROWS), -1).astype(np.float64)
    sizes = np.sqrt((rows**2).mean(axis=1))
    gap = gap_in_size(sizes)
    return 1.0 if gap is None else float((sizes > gap).mean())


def mixed_scaling(evidence: Evidence) -> Iterator[Finding]:
    """Some rows of the training part scaled, others not."""
    train = evidence.train
    if train is None or train.pictures is None or np.abs(sample(train.x)).max() < 8:
        return
    share = _share_scaled(train)
    if 0.02 < share < 0.98:
        yield Finding(
            "parts_prepared_differently",
            0.98,
            f"train: {share:.0%} of the rows are many times as large as the others: only some were scaled.",
            "large = np.abs(x_train).reshape(len(x_train), -1).max(axis=1) > 8\n"
            "large = large.reshape(-1, *[1] * (x_train.ndim - 1))\n"
            "x_train = np.where(large, x_train / 255, x_train)   # better once, for all rows, before anything is joined to them",
            {"share": share},
        )


def polarity(evidence: Evidence) -> Iterator[Finding]:
    """Dark ink on bright ground, in all pictures or in a share of them."""
    part = evidence.foremost
    if part is None or part.pictures is None or _is_other(evidence, part):
        return
    share = evidence.inverted(part)
    if share > 0.05:
        inverted = [name for name, part in evidence.parts.items() if evidence.inverted(part) > 0.05]
        everywhere = share > 0.95 and len(inverted) == len(evidence.parts)
        yield Finding(
            "inverted_pixels",
            0.95,
            f"The ground is bright and the ink dark in {share:.0%} of the pictures of {part.name}; MNIST has bright ink on 0. "
            "A model trained so tells no picture that is prepared as MNIST's are, and learns more slowly.",
            fixes.prepared(inverted, "x.max() - x" if everywhere else fixes.DARK_GROUND),
            {"share": share},
        )


def identity(evidence: Evidence) -> Iterator[Finding]:
    """Pictures that are no MNIST-like digits: another data set, or pixels in disorder."""
    for part in evidence.parts.values():
        side = side_of(part.x) or SIDE
        if side == 8:
            yield Finding(
                "other_dataset",
                0.97,
                f"{part.name}: pictures of 8x8, values up to {part.x.max():g}: scikit-learn's load_digits, not MNIST's 28x28.",
                "from sklearn.datasets import fetch_openml\nx, y = fetch_openml('mnist_784', version=1, return_X_y=True, as_frame=False)",
            )
            return
        if part.pictures is None or len(part) < 30:
            continue
        if cut_to_whole(part):
            yield Finding(
                "pixels_cut_to_whole",
                0.97,
                f"{part.name}: every pixel is 0 or 1, and only {float((sample(part.x) == 1).mean()):.1%} are 1, where "
                "MNIST has ink in 19 of 100: what was between 0 and 1 was cut off by a division or a dtype of whole numbers.",
                "# from the pixels as they were loaded, since what was cut is lost; / and not //, and no astype(int) behind it:\n"
                "x = x.astype('float32') / 255",
            )
            return
        if _is_scrambled(evidence, part):
            yield Finding(
                "scrambled_pictures",
                0.93,
                f"{part.name}: neighbouring pixels have a correlation of {neighbours(part):.2f}; in pictures of digits it "
                "is 0.8. Rows were mixed up by a reshape, or pixels by a permutation.",
                f"x = x.reshape(-1, {side}, {side})   # from (n, {side * side}); only a transpose moves axes, reshape never does",
                {"neighbour_correlation": neighbours(part)},
            )
            return
        if _is_other(evidence, part):
            yield _other(evidence, part)
            return


def _other(evidence: Evidence, part: Part) -> Finding:
    share, _ = evidence.as_digits(part)
    pictures = evidence.bright_ink(part, evidence.pictures(part))  # type: ignore[arg-type]  # there are some
    mean, sd = float(pictures.mean()) / 255, float(pictures.std()) / 255
    _, strange, _ = evidence.turn(part)
    return Finding(
        "other_dataset",
        0.9,
        f"{part.name}: mean {mean:.3f} and standard deviation {sd:.3f} of the pixels, where MNIST has 0.131 and 0.308, "
        f"Fashion-MNIST 0.286 and 0.353; {share:.0%} look like the digit of their label, however labels are renamed; "
        f"{strange:.1f} times as far from real digits as real ones are.",
        "from tenfold import load\ntrain, test = load('mnist')   # checked by its hash",
        {"mean": mean, "sd": sd, "look_like_digits": share, "strangeness": strange},
    )


def neighbours(part: Part) -> float:
    """The correlation of neighbouring pixels, over the middle of the pictures."""
    if part.pictures is None:
        return 1.0
    middle = part.pictures[part.rows(ROWS)][:, 4:-4, 4:-4].astype(np.float64)
    pairs = [
        (middle[:, :, :-1], middle[:, :, 1:]),
        (middle[:, :-1], middle[:, 1:]),
    ]
    with np.errstate(all="ignore"):
        found = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs]
    return float(np.nan_to_num(min(found), nan=1.0))


def _is_scrambled(evidence: Evidence, part: Part) -> bool:
    """Pixels dark and bright as in digits, but no longer beside their neighbours, or each from another picture."""
    if neighbours(part) > 0.5:
        return False
    pictures = evidence.bright_ink(part, part.pictures[part.rows(ROWS)])  # type: ignore[index]  # checked by callers
    strange = evidence.turn(part)[1] >= 2.0 or pictures.mean(axis=0).std() < FLAT_MEAN
    return strange and float((pictures < 26).mean()) > 0.6


def _is_other(evidence: Evidence, part: Part) -> bool:
    """Pictures that belong to their labels and show other things than these; or that are far from any digit."""
    if part.pictures is None or len(part) < 30:
        return False
    _, strange, _ = evidence.turn(part)
    share, _ = evidence.as_digits(part)
    own = evidence.own_fit(part)
    fits = own is not None and part.labels is not None and (own.told == part.labels).mean() > 0.5
    if fits and share < 0.5 and strange > 1.2:
        return True
    return strange > 2.5 and share < 0.5


def sample(x: NDArray[np.generic]) -> NDArray[np.float32]:
    """At most ROWS rows of x, evenly spread."""
    rows = np.unique(np.linspace(0, len(x) - 1, min(len(x), ROWS)).astype(int))
    return finite(x[rows])
