"""MNIST over the network from copies other than OpenML's, every file pinned by its sha256.

Knows the addresses and the files; which one is asked, and when, is decided in `mnist`.
Nothing stays on the disk: files are downloaded to a folder that is deleted, and decoded.
Source of the sha256: the four files as Yann LeCun published them (their md5 are the ones that
torchvision lists), and keras/src/datasets/mnist.py for the archive.
"""

import http.client
import socket
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tenfold.data import idx, npz
from tenfold.digits import Parts
from tenfold.errors import DownloadError

PYTORCH = "https://ossci-datasets.s3.amazonaws.com/mnist"
GOOGLE = "https://storage.googleapis.com/cvdf-datasets/mnist"
KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"

IDX_SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
KERAS_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"

# The largest file has 11.5 MB; at 20 kB a second, a poor line, it takes ten minutes.
MAX_DOWNLOAD_BYTES = 2**24
DOWNLOAD_SECONDS = 600.0
SILENCE_SECONDS = 10.0
# A name server and a host that are there answer in well under a second, and these hosts have up to
# 16 addresses, each of which a connection would wait for in turn.
ANSWER_SECONDS = 4.0
CHUNK_BYTES = 2**16


def fetch_idx(address: str) -> Parts:
    """The four files from the folder at `address`, or DownloadError."""
    return _fetch({f"{address}/{name}": sha for name, sha in IDX_SHA256.items()}, idx.read_folder)


def fetch_keras(address: str) -> Parts:
    """Keras' mnist.npz, which is at `address`, or DownloadError."""
    return _fetch({address: KERAS_SHA256}, lambda folder: npz.read_npz(folder / "mnist.npz"))


def _fetch(sha256_of_address: dict[str, str], read: Callable[[Path], Parts]) -> Parts:
    import pooch

    pooch.get_logger().setLevel("WARNING")
    address = next(iter(sha256_of_address))
    try:
        _check_answers(address)
        with tempfile.TemporaryDirectory(prefix="tenfold-") as folder:
            for address, sha256 in sha256_of_address.items():
                pooch.retrieve(
                    address,
                    known_hash=f"sha256:{sha256}",
                    fname=address.rpartition("/")[2],
                    path=folder,
                    downloader=_download,
                )
            return read(Path(folder))
    # OSError: no route, refused, timed out, 404, disk full. ValueError: pooch on a wrong sha256.
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DownloadError(f"{address}: {error}") from error


def _download(url: str, output_file: str, _: Any) -> None:
    """What pooch asks of a downloader; never more than the limits above in bytes, silence or time."""
    deadline = time.monotonic() + DOWNLOAD_SECONDS
    received = 0
    with (
        urllib.request.urlopen(url, timeout=SILENCE_SECONDS) as response,
        open(output_file, "wb") as file,
    ):
        # read1 returns what has arrived: a server that drips cannot hold us past the deadline.
        while chunk := response.read1(CHUNK_BYTES):
            received += len(chunk)
            if received > MAX_DOWNLOAD_BYTES or time.monotonic() > deadline:
                raise DownloadError(
                    f"expected at most {MAX_DOWNLOAD_BYTES:,} bytes in {DOWNLOAD_SECONDS:.0f} s, "
                    f"received {received:,} bytes and no end"
                )
            file.write(chunk)


def _check_answers(address: str) -> None:
    """OSError unless the host takes a connection within ANSWER_SECONDS, name look-up included.

    A look-up has no timeout of its own, hence the thread. Behind a proxy it is the proxy that
    connects, so there is nothing to find out from here.
    """
    parts = urlsplit(address)
    if parts.scheme in urllib.request.getproxies():
        return
    host, port = parts.hostname or "", parts.port or 443
    failures: list[OSError] = []

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=ANSWER_SECONDS).close()
        except OSError as error:
            failures.append(error)

    attempt = threading.Thread(target=connect, daemon=True)
    attempt.start()
    attempt.join(ANSWER_SECONDS)
    if attempt.is_alive():
        raise TimeoutError(f"{host} did not answer within {ANSWER_SECONDS:.0f} s")
    if failures:
        raise failures[0]
