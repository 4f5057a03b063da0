"""What a Keras model was compiled with: its loss and its metrics, each under one name however it was given."""

from collections.abc import Iterator
from typing import Any

EXACT_ACCURACY, TOP_ACCURACY = "exact_accuracy", "top_accuracy"
"""Metrics called an accuracy: keras.metrics.Accuracy() itself, and the label among the first few."""


def settings_of(thing: Any) -> dict[str, Any]:
    """What a layer, a loss or an optimizer says it was made with; {} where it does not."""
    try:
        return dict(thing.get_config())
    except Exception:  # whatever a stranger's class does when asked: then nothing is known of it
        return {}


def loss_of(model: Any) -> tuple[str, bool | None]:
    """The loss by its name in snake case, and from_logits where that is known."""
    loss = getattr(model, "loss", None)
    if isinstance(loss, (list, tuple)) and len(loss) == 1:
        loss = loss[0]
    if loss is None:
        return "", None
    if isinstance(loss, str):
        return snake(loss), False
    given = getattr(loss, "from_logits", None)
    if given is None:
        given = (getattr(loss, "_fn_kwargs", None) or settings_of(loss)).get("from_logits")
    if given is None:
        given = (getattr(loss, "keywords", None) or {}).get("from_logits")
    name = getattr(loss, "__name__", None)
    if name is None and hasattr(loss, "func"):
        name = getattr(loss.func, "__name__", None)
    known = name is None or name.endswith("crossentropy")
    return snake(name or type(loss).__name__), (
        bool(given) if given is not None else False
    ) if known else None


def snake(name: str) -> str:
    """SparseCategoricalCrossentropy -> sparse_categorical_crossentropy; "mse" in full."""
    out = "".join("_" + c.lower() if c.isupper() and i else c.lower() for i, c in enumerate(name))
    short = {
        "mse": "mean_squared_error",
        "mae": "mean_absolute_error",
        "m_s_e": "mean_squared_error",
    }
    return short.get(out, out)


def metrics_of(model: Any) -> Iterator[str]:
    """Names of the metrics' classes and of the metrics, those inside of others too."""
    try:
        compiled = model.get_compile_config() or {}
    except Exception:  # as above
        compiled = {}
    stack = [compiled.get("metrics"), compiled.get("weighted_metrics")]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield snake(item)
        elif isinstance(item, dict):
            if "class_name" in item:
                yield _metric(snake(str(item["class_name"])), item.get("config"))
            else:
                stack.extend(item.values())
        elif isinstance(item, (list, tuple)):
            stack.extend(item)


def _metric(kind: str, config: Any) -> str:
    """A metric by its class, but for those that a history shows as an accuracy and that are none."""
    shown_as = config.get("name") if isinstance(config, dict) else None
    if kind == "accuracy":
        return EXACT_ACCURACY
    return TOP_ACCURACY if "top_k" in kind and shown_as in ("accuracy", "acc") else kind
