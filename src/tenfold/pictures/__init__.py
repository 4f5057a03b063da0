"""Any picture of one digit -> its canonical form, the 28x28 picture MNIST would have made of it.

    pixels = decode(path.read_bytes(), where=str(path))
    digit = canonical(pixels)  # uint8 (28, 28), ink bright on 0

Nothing else in tenfold crops, scales or inverts a picture. Knows nothing about models.
"""

from tenfold.pictures.decoding import MAX_PICTURE_BYTES, MAX_PIXELS, decode
from tenfold.pictures.form import canonical
from tenfold.pictures.framing import frame
from tenfold.pictures.ink import ink_of

__all__ = ["MAX_PICTURE_BYTES", "MAX_PIXELS", "canonical", "decode", "frame", "ink_of"]
