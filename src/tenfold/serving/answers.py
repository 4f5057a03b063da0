"""What the service answers, as the values that its OpenAPI document describes, and as JSON."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, Field

from tenfold.digits import Images, Probabilities

# A float32 between 0 and 1 has no more digits than these.
DECIMALS = 8


class Told(BaseModel):
    """What one picture shows."""

    digit: int | None = Field(ge=0, le=9, description="The digit; null where it is not a digit.")
    confidence: float = Field(ge=0, le=1, description="The largest of the ten probabilities.")
    probabilities: list[float] = Field(
        min_length=10, max_length=10, description="Of the digits 0 to 9; they sum to 1."
    )
    seen: list[list[int]] | None = Field(
        default=None,
        description="The 28x28 picture the model saw, row by row; 0 is paper, 255 is ink.",
    )


class ToldBatch(BaseModel):
    """What several pictures show, in the order in which they were sent."""

    answers: list[Told]


class ReadDigit(BaseModel):
    """A digit that was read on a photo."""

    digit: int | None = Field(description="The digit; null where it is not a digit.")
    confidence: float
    box: list[int] = Field(description="x, y, width and height in pixels of the upright photo.")


class ReadLine(BaseModel):
    """A line of digits that was read on a photo."""

    text: str = Field(description="The digits as they follow each other, ? for what is not one.")
    digits: list[ReadDigit]


class ReadPage(BaseModel):
    """What is written on a photo, from top to bottom."""

    width: int = Field(description="Of the photo, upright, in pixels.")
    height: int
    lines: list[ReadLine]


class Health(BaseModel):
    """Whether the service lives, or takes requests."""

    status: str


class ProblemDetails(BaseModel):
    """Why there is no answer (RFC 9457)."""

    title: str
    status: int
    detail: str


def told(
    probabilities: Probabilities, *, reject_below: float, seen: Images | None = None
) -> list[dict[str, Any]]:
    """probabilities float32 (n, 10), seen uint8 (n, 28, 28) or None -> n values of Told."""
    largest = probabilities.max(axis=1)
    rounded = np.round(probabilities.astype(np.float64), DECIMALS).tolist()
    digits: Sequence[int] = probabilities.argmax(axis=1).tolist()
    answers: list[dict[str, Any]] = [
        {
            "digit": digit if confidence >= reject_below else None,
            "confidence": row[digit],
            "probabilities": row,
        }
        for digit, confidence, row in zip(digits, largest.tolist(), rounded, strict=True)
    ]
    if seen is not None:
        for answer, image in zip(answers, seen.tolist(), strict=True):
            answer["seen"] = image
    return answers
