"""Digits written out by code, in forms that MNIST's writers seldom used and many people do.

MNIST was written in the United States. Elsewhere a 1 has an up-stroke, a 7 a bar, a 9 a hook, a 4 stays open; a
network that has never seen them takes them for other digits. Knows nothing about what learns from them.
"""

import numpy as np

from tenfold.digits import SIDE, Digits
from tenfold.pictures.pen import strokes_of, written

# As `pen.strokes_of` reads them. A form that stands twice is written twice as often.
_FORMS: dict[int, tuple[str, ...]] = {
    0: (
        "~ .5,0 .1,.3 .1,.7 .5,1 .9,.7 .9,.3 .5,0; .9,.05 .1,.95",
        "~ .6,.05 .1,.3 .1,.7 .5,1 .9,.6 .8,.2 .4,0",
        "~ .4,.1 .1,.4 .2,.85 .6,1 .9,.6 .8,.15 .45,0 .25,.2",
    ),
    1: (
        "0,.35 .5,0 .5,1",
        "0,.5 .55,0 .55,1",
        "0,.5 .55,0 .7,1",
        "0,.4 .6,0 .75,1",
        "0,.25 .4,0 .45,1",
        "0,.7 .6,0 .6,1",
        "~ 0,.45 .3,.25 .55,0; .55,0 .6,1",
        "~ 0,.35 .4,.1 .55,0 .6,.4 .6,1",
        ".1,.25 .5,0 .5,1; .1,1 .9,1",
        "0,.35 .5,0 .5,1; .15,1 .85,1",
    ),
    2: (
        "~ .1,.2 .5,0 .9,.25 .5,.6 .1,.9 .2,1 .3,.8 .1,.95 1,.95",
        "~ .05,.2 .5,0 .9,.25 .4,.65 0,1; 0,1 1,1",
        "~ .1,.25 .45,0 .85,.25 .45,.65 .05,1; ~ .05,1 .5,.9 1,1",
    ),
    3: (
        "0,0 .9,0 .4,.4; ~ .4,.4 .9,.55 .8,.9 .4,1 0,.9",
        "~ .05,.1 .5,0 .85,.2 .4,.45; ~ .4,.45 .95,.65 .6,1 0,.9",
    ),
    4: (
        "~ .3,0 .15,.3 0,.6 .2,.65 .95,.55; .75,.3 .65,1",
        ".35,0 0,.6 1,.6; .7,.3 .7,1",
        "~ .5,0 .15,.35 .1,.55 .4,.6 .8,.5; ~ .85,.2 .8,.6 .7,1",
        "~ .6,0 .1,.45 .3,.55 .85,.4; ~ .9,.25 .85,.6 .7,1",
        "0,0 0,.5 .9,.5; .75,.1 .75,1",
        ".65,1 .65,0 0,.65 1,.65",
    ),
    5: (
        ".2,.05 .95,0; .2,.05 .15,.45; ~ .15,.45 .7,.4 .9,.7 .5,1 .05,.9",
        "~ .95,0 .25,.05 .15,.4 .65,.4 .9,.7 .5,1 .05,.9",
    ),
    6: (
        "~ .8,0 .3,.3 .1,.7 .4,1 .85,.8 .6,.5 .15,.65",
        "~ .5,0 .2,.4 .1,.75 .45,1 .8,.8 .55,.6 .2,.7",
    ),
    7: (
        "0,.05 1,0 .4,1; .2,.5 .85,.45",
        "~ 0,.1 .5,.05 1,0; 1,0 .35,1; .1,.5 .85,.5",
        "0,.15 .05,0 1,0 .45,1; .2,.5 .95,.5",
        "0,0 1,0 .6,.4 .4,1; .15,.55 .95,.5",
        "0,.05 .9,0 .3,1; 0,.6 .8,.55",
        "0,0 1,0 .4,1",
        "0,.2 .05,0 1,0 .5,1",
    ),
    8: (
        "~ .8,.15 .5,0 .15,.2 .5,.45 .9,.75 .5,1 .1,.75 .5,.45 .85,.2 .8,.1",
        "~ .5,0 .15,.2 .5,.45 .85,.2 .5,0; ~ .5,.45 .1,.75 .5,1 .9,.75 .5,.45",
        "~ .9,.05 .45,0 .15,.2 .55,.5 .8,.8 .4,1 .1,.8 .4,.5 .9,.1",
    ),
    9: (
        "~ .9,.15 .5,0 .1,.25 .4,.5 .85,.3 .9,.1; ~ .9,.1 .9,.6 .7,.95 .3,1 .05,.85",
        "~ .9,.1 .45,0 .1,.25 .35,.5 .8,.4; ~ .9,0 .9,.6 .6,1 .1,.9",
        "~ .95,.05 .5,0 .1,.2 .3,.45 .8,.4 .9,.2 .9,.6 .6,1 .05,.9",
        "~ .85,.15 .45,0 .1,.2 .4,.45 .85,.25 .9,.55 .75,.9 .4,1 0,.95",
        "~ .9,.1 .5,0 .15,.2 .45,.4 .9,.15 .85,.6 .5,1 .1,.95 .05,.85",
        "~ .85,.2 .5,0 .1,.2 .35,.5 .8,.3 .85,.2 .75,.6 .6,1",
        ".85,.1 .9,1; ~ .85,.1 .4,0 .1,.25 .4,.5 .85,.35",
    ),
}  # fmt: skip

# So much more often are the digits written whose forms differ most between countries.
_WEIGHTS = np.array([1, 5, 1, 1, 4, 1, 1, 4, 1.5, 5])


def write_digits(count: int, chance: np.random.Generator) -> Digits:
    """`count` >= 1 digits in canonical form, most of them 1, 4, 7 and 9; `chance` decides all."""
    labels = chance.choice(10, size=count, p=_WEIGHTS / _WEIGHTS.sum()).astype(np.uint8)
    images = np.empty((count, SIDE, SIDE), np.uint8)
    for row, label in enumerate(labels):
        forms = _FORMS[int(label)]
        images[row] = written(strokes_of(forms[chance.integers(len(forms))], chance), chance)
    return Digits(images, labels, "written by code")
