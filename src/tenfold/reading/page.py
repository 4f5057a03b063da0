"""What was read on a photo: digits in lines, as values that can be kept and written as JSON.

Knows nothing about how they were found.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

UNSURE = "?"


class Box(NamedTuple):
    """A rectangle in the photo's own pixels, from its left upper corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Digit:
    """A digit on a photo.

    Attributes:
        digit: 0..9, the most probable.
        confidence: its probability, 0..1, as the model tells this piece of ink alone.
        box: where it is.
        image: uint8 (28, 28), what the model saw of it; read-only.
        rejected: whether this is no digit, by what the model says of it and of its line.
    """

    digit: int
    confidence: float
    box: Box
    image: NDArray[np.uint8] = field(repr=False)
    rejected: bool = False

    def __post_init__(self) -> None:
        view = self.image.view()
        view.flags.writeable = False
        object.__setattr__(self, "image", view)


@dataclass(frozen=True)
class Line:
    """A line of digits, from left to right; at least one."""

    digits: tuple[Digit, ...]

    @property
    def text(self) -> str:
        """The digits as they follow each other: "0123"."""
        return "".join(str(d.digit) for d in self.digits)

    @property
    def sure_text(self) -> str:
        """The same with `?` for what is no digit: "01?3"."""
        return "".join(UNSURE if d.rejected else str(d.digit) for d in self.digits)


@dataclass(frozen=True)
class Page:
    """What was read on a photo.

    Attributes:
        photo: its path as it was given, or None where it was given as pixels.
        lines: from the top; empty where no digits were found.
    """

    photo: str | None
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The lines, with line ends between them."""
        return "\n".join(line.text for line in self.lines)

    def to_json(self, *, reject: bool = False) -> dict[str, Any]:
        """The page as plain JSON values; with `reject`, what is no digit is `?` in texts, and null."""
        return {
            "photo": self.photo,
            "lines": [
                {
                    "text": line.sure_text if reject else line.text,
                    "digits": [
                        {
                            "digit": None if reject and d.rejected else d.digit,
                            "confidence": d.confidence,
                            "box": list(d.box),
                        }
                        for d in line.digits
                    ],
                }
                for line in self.lines
            ],
        }
