"""A classifier whose answers name the picture they belong to, and the service around it."""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tenfold.digits import Images, Probabilities
from tenfold.serving.api import make_app
from tenfold.serving.guards import Access
from tenfold.serving.server import Server

PORT = 8410


class Signing:
    """Signs each picture: its answer is a function of all its pixels, so that no two answers are alike.

    Attributes:
        hold: while it is not set, no answer is given.
        batches: how many pictures were asked about at once, each time.
        fault: raised instead of an answer.
    """

    reject_below = 0.0

    def __init__(self) -> None:
        self.hold = threading.Event()
        self.hold.set()
        self.batches: list[int] = []
        self.fault: Exception | None = None
        self.seconds = 0.0

    def predict_proba(self, images: Images) -> Probabilities:
        assert self.hold.wait(20)
        time.sleep(self.seconds)
        self.batches.append(len(images))
        if self.fault:
            raise self.fault
        return signatures(images)


def signatures(images: Images) -> Probabilities:
    """uint8 (n, 28, 28) -> float32 (n, 10), rows sum to 1: ten weighted sums of pixels."""
    weights = np.random.default_rng(0).random((28 * 28, 10))
    sums = images.reshape(len(images), -1).astype(np.float64) @ weights + 1
    return (sums / sums.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="session")
def signed() -> Callable[[Images], Probabilities]:
    """What Signing answers, computed here."""
    return signatures


@pytest.fixture(scope="session")
def different_images() -> Callable[[int], Images]:
    """n -> uint8 (n, 28, 28), of which no two are alike."""

    def images(count: int) -> Images:
        return np.random.default_rng(0).integers(0, 256, (count, 28, 28)).astype(np.uint8)

    return images


@pytest.fixture(scope="session")
def png() -> bytes:
    """A picture of a stroke, 60 x 60."""
    pixels = np.full((60, 60), 255, np.uint8)
    pixels[10:50, 28:33] = 0
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="session")
def problem() -> Callable[[Any, int], str]:
    """(a response, a status) -> what the refusal says, once it is known to be one and to keep its secrets."""

    def detail(answer: Any, status: int) -> str:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        given = answer.json()
        assert given.keys() == {"title", "status", "detail"}
        assert given["status"] == status
        for inside in ("Traceback", "/src/", ".py", "/tmp", "site-packages", "BytesIO"):
            assert inside not in answer.text
        assert not re.search("0x[0-9a-f]{6}", answer.text)
        return str(given["detail"])

    return detail


@pytest.fixture
def classifier() -> Signing:
    return Signing()


@pytest.fixture
def client(classifier: Signing) -> Iterator[TestClient]:
    """The service in this process, called as its own page would call it."""
    app = make_app(classifier, Access(PORT))
    with TestClient(
        app, base_url=f"http://127.0.0.1:{PORT}", raise_server_exceptions=False
    ) as client:
        yield client


@contextlib.contextmanager
def running(classifier: Signing, token: str | None = None) -> Iterator[Server]:
    """A real server on a free loopback port, ended and gone afterwards."""
    server = Server(classifier, host="127.0.0.1", port=0, token=token)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        classifier.hold.set()
        server.stop()
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture
def server(classifier: Signing) -> Iterator[Server]:
    with running(classifier) as server:
        yield server
