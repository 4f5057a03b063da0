"""Frozen dataclasses <-> JSON, and the checks that their fields are what they say.

A value becomes `{"type": "Dense", "units": 64}`. Reading one back looks its type up in a table the
caller gives, so a file can only ever name classes that were expected in that place.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from tenfold.errors import RecipeError, lookup

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """A frozen dataclass, a tuple of them, or a plain JSON value -> plain JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"type": type(value).__name__} | fields
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    return value


def from_json(payload: Any, classes: Mapping[str, type]) -> Any:
    """The inverse of `to_json`; every "type" must be a key of `classes`.

    Raises:
        UnknownName: a "type" that is not in `classes`.
        RecipeError: no "type", an unknown or missing field, or a value its class refuses.
    """
    if isinstance(payload, list):
        return tuple(from_json(item, classes) for item in payload)
    if not isinstance(payload, dict):
        return payload
    kind = payload.get("type")
    if not isinstance(kind, str):
        raise RecipeError(
            f'expected an object with a "type", received the fields {sorted(payload)}.'
        )
    made = lookup(classes, kind, "type")
    known = {f.name for f in dataclasses.fields(made)}
    unknown = payload.keys() - known - {"type"}
    if unknown:
        raise RecipeError(
            f"{kind}: unknown fields {sorted(unknown)}. Known: {', '.join(sorted(known))}."
        )
    fields = {name: from_json(item, classes) for name, item in payload.items() if name != "type"}
    try:
        # Layers are given as arguments, as a person writes them: Network(Dense(10)).
        return made(*fields.pop("layers", ()), **fields)
    except TypeError as error:
        raise RecipeError(f"{kind}: {error}") from error


def check_whole(what: str, value: object, low: int, high: int) -> None:
    """A whole number low..high, or RecipeError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RecipeError(
            f"{what}: expected a whole number from {low} to {high}, received {value!r}."
        )


def check_number(what: str, value: object, low: float, below: float) -> None:
    """A finite number, low <= value < below, or RecipeError."""
    # NaN is not between anything, and infinity is below nothing.
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (number and low <= value < below):  # type: ignore[operator]
        raise RecipeError(
            f"{what}: expected a number from {low} to below {below}, received {value!r}."
        )


def check_choice(what: str, value: object, choices: tuple[str, ...]) -> None:
    """One of `choices`, or RecipeError."""
    if value not in choices:
        raise RecipeError(f"{what}: expected one of {', '.join(choices)}, received {value!r}.")


def check_flag(what: str, value: object) -> None:
    """True or False, or RecipeError."""
    if not isinstance(value, bool):
        raise RecipeError(f"{what}: expected True or False, received {value!r}.")


def check_type(what: str, value: object, *expected: type[T]) -> T:
    """The value, an instance of one of `expected`; otherwise RecipeError."""
    if not isinstance(value, expected):
        wanted = ", ".join("nothing" if t is type(None) else t.__name__ for t in expected)
        raise RecipeError(f"{what}: expected one of {wanted}, received {value!r}.")
    return value
