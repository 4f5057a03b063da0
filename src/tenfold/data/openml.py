"""OpenML's mnist_784 -> Digits: 70,000 rows, the 60,000 of the training part first.

`fetch` asks scikit-learn, which asks its cache and then the network; `read_cache` reads the file
in that cache by itself, so that looking there never opens a connection and never deletes anything.
Source of the cache's layout and of the call: scikit-learn 1.9.1, datasets/_openml.py.
"""

import contextlib
import os
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tenfold.data.raw import gunzip, read_file, user_path
from tenfold.data.rows import parse_rows
from tenfold.digits import SIDE, Digits
from tenfold.errors import DataError, DownloadError

ADDRESS = "https://www.openml.org/d/554"

# scikit-learn waits for ever. Its least number of retries is 1, so a silent server costs two of these.
TIMEOUT_SECONDS = 8.0
RETRIES = 1
RETRY_DELAY_SECONDS = 0.5

COLUMNS = (*(f"pixel{i}" for i in range(1, SIDE * SIDE + 1)), "class")
# The table has 122 MB of text, 55 million cells of 1 to 3 digits; its header a line a column.
MAX_ARFF_BYTES, MAX_HEADER_BYTES = 2**28, 2**16
# The second path is that of scikit-learn before 1.7.
CACHE_NAMES = (
    "openml/openml.org/data/v1/download/52667/mnist_784.arff.gz",
    "openml/openml.org/data/v1/download/52667.gz",
)


def fetch() -> Digits:
    """All rows of mnist_784, as `fetch_openml` gives them; labels are uint8 with every pandas.

    Raises:
        DownloadError: the network, the server or what it sent is not in order.
    """
    from sklearn.datasets import fetch_openml

    try:
        with _impatient_sockets(), warnings.catch_warnings():
            # Its remarks on retries and on files it deletes end in our own message.
            warnings.filterwarnings("ignore", module="sklearn")
            # The dtype makes it work at all: scikit-learn 1.9.1 cannot read a column of categories
            # with pandas 3.1. It also takes 55 MB where int64 takes 439 MB.
            table = fetch_openml(
                "mnist_784",
                version=1,
                as_frame=False,
                parser="pandas",
                read_csv_kwargs={"dtype": "uint8"},
                n_retries=RETRIES,
                delay=RETRY_DELAY_SECONDS,
            )
        return Digits(
            np.ascontiguousarray(table.data).reshape(-1, SIDE, SIDE), table.target, ADDRESS
        )
    # fetch_openml raises whatever a wrong answer provokes: KeyError, EOFError, ParserError, ...
    except Exception as error:
        raise DownloadError(
            f"{ADDRESS}: expected mnist_784, received {type(error).__name__}: {error}"
        ) from error


def cache_path() -> Path:
    """Where scikit-learn keeps, or would keep, the table: under SCIKIT_LEARN_DATA or the home folder."""
    home = user_path(os.environ.get("SCIKIT_LEARN_DATA") or "~/scikit_learn_data")
    paths = [home / name for name in CACHE_NAMES]
    return next((path for path in paths if path.is_file()), paths[0])


def read_cache(path: Path) -> Digits:
    """All rows of a gzipped ARFF file in scikit-learn's cache, or DataError."""
    where = str(path)
    return parse_arff(gunzip(read_file(path), at_most=MAX_ARFF_BYTES, where=where), where=where)


def parse_arff(content: bytes, *, where: str) -> Digits:
    """The text of mnist_784.arff -> Digits: what follows the line @DATA is rows with the label last."""
    marker = content[:MAX_HEADER_BYTES].lower().find(b"\n@data")
    line_end = content.find(b"\n", marker + 1)
    if marker < 0 or line_end < 0:
        raise DataError(f"{where}: expected an ARFF table with a line @DATA, received none.")
    rows = parse_rows(content, start=line_end + 1, columns=COLUMNS, where=where)
    images = np.ascontiguousarray(rows[:, :-1]).reshape(-1, SIDE, SIDE)
    return Digits(images, rows[:, -1], where)


@contextlib.contextmanager
def _impatient_sockets() -> Iterator[None]:
    """Sockets made inside give up after TIMEOUT_SECONDS of silence; a limit set by others is put back."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
