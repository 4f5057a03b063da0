"""A Model -> a folder with a static page that runs it in the browser, without a server: open index.html.

    index.html, style.css, page.js    a sheet to draw one digit on
    canonical.js                      a drawing -> its canonical form, to the pixel as `tenfold.pictures`
    form.js                           the numbers of that form, as they stand in `tenfold.pictures`
    network.js                        runs the steps that `flat` describes
    model.js                          these steps and the arrays, in base64

A page that was opened from a disk may not fetch files, and may not import modules: so the model is a script too.
"""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.modelfile import flat
from tenfold.modelfile.native import Model
from tenfold.pictures import cleaning, framing, ink

PAGE = Path(__file__).with_name("web_page")
MODEL = "model.js"
_BEFORE, _AFTER = '"use strict";\nconst MODEL = ', ";\n"
# What canonical.js knows by name.
_NUMBERS = {
    framing: (
        "SIDE", "BOX_PIXELS", "CENTRE", "FINE", "FINE_BOX", "ROOM", "STEEPEST", "FULL", "SHARPENED",
        "USUAL_STROKES",
    ),
    ink: ("LEAST_CONTRAST", "GRAIN_TIMES", "FULL_DEPTH"),
    cleaning: (
        "INKED", "SPECK_SHARE", "DUST_SHARE", "NEAR", "OTHERS_SHARE", "FLAT", "WIDE", "FRAME_STRIP", "FRAME_INSIDE",
        "DIRECTIONS_HELD", "FRAMED_INK", "FRAMED_SIDE",
    ),
}  # fmt: skip


def to_web(model: Model) -> dict[str, bytes]:
    """A model -> the files of the folder, by name."""
    description, arrays = flat.flatten(model)
    written = {
        "description": description,
        "arrays": {
            name: {"shape": array.shape, "base64": base64.b64encode(array.tobytes()).decode()}
            for name, array in arrays.items()
        },
    }
    numbers = {name: getattr(home, name) for home, names in _NUMBERS.items() for name in names}
    form = f'"use strict";\nconst FORM = {json.dumps(numbers, indent=2)};\n'
    files = {path.name: path.read_bytes() for path in sorted(PAGE.iterdir()) if path.is_file()}
    model_js = f"{_BEFORE}{json.dumps(written)}{_AFTER}"
    return files | {"form.js": form.encode(), MODEL: model_js.encode()}


def read_model(content: bytes) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
    """What `to_web` wrote as model.js -> what `run_npz` runs: the description, every array by its name."""
    written = json.loads(content.decode().removeprefix(_BEFORE).removesuffix(_AFTER))
    arrays = {
        name: np.frombuffer(base64.b64decode(each["base64"]), "<f4").reshape(each["shape"])
        for name, each in written["arrays"].items()
    }
    return written["description"], arrays
