"""Pixels -> a picture that stands in a page itself."""

import base64
import io

import numpy as np
from numpy.typing import NDArray


def picture_uri(pixels: NDArray[np.uint8]) -> str:
    """uint8 (h, w) or (h, w, 3) as a PNG in a data URI."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
