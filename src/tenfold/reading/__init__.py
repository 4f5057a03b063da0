"""A photo or scan with lines of digits -> the digits, line by line, each with its confidence and place.

    page = read("meter.jpg")
    print(page.text)

    page       what was read, as values
    reader     the steps in their order
    close_up   what few digits fill gets paper around it
    view       the photo at the scale and turn at which it is read
    ink        where the paper is, and how much ink is on it
    rulings    what is straight and no digit is taken out
    pieces     connected ink
    lines      which pieces stand in a line
    cuts       where digits that touch may be cut apart
    lattice    which parts belong together: the classifier decides
    doubt      which of them are none, by themselves and by their line
    overlay    a photo with what was read on it

Signs that are no digits (points, commas, dashes) are left out. Writing runs from left to right, within 20 degrees
of level; nothing is printed, and nothing is learnt here.
"""

from tenfold.reading.overlay import overlay
from tenfold.reading.page import Box, Digit, Line, Page
from tenfold.reading.reader import read

__all__ = ["Box", "Digit", "Line", "Page", "overlay", "read"]
