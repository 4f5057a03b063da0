"""The benchmark's own client sees what it must see: answers that are another's, lost ones, and refusals."""

import asyncio
import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    """benchmarks/ways/with_service.py as a module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS / "ways"))
    spec = importlib.util.spec_from_file_location(
        "with_service", BENCHMARKS / "ways" / "with_service.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("measuring", None)


def counted(load, server, images, expected):
    host, port = server.url.removeprefix("http://").rstrip("/").split(":")

    async def run():
        connections = load.Connections(host, int(port))
        requests = [load.batch(image[None]) for image in images]
        found = await load.crossed_or_lost(connections, requests, expected, clients=16)
        connections.close()
        return found

    return asyncio.run(run())


def test_of_two_thousand_requests_none_is_crossed_or_lost(load, server, different_images, signed):
    images = different_images(2_000)
    found = counted(load, server, images, signed(images))
    assert found == {"requests": 2_000, "crossed": 0, "lost": 0, "refused": found["refused"]}


def test_answers_that_are_anothers_are_counted(load, server, different_images, signed):
    images = different_images(100)
    expected = signed(images)
    expected[[3, 50]] = expected[[50, 3]]
    assert counted(load, server, images, expected)["crossed"] == 2


def test_answers_that_never_come_are_counted(load, server, classifier, different_images, signed):
    images = different_images(20)
    classifier.fault = RuntimeError("planted")
    assert counted(load, server, images, signed(images))["lost"] == 20
    classifier.fault = None


def test_requests_come_when_they_are_due_and_latency_counts_from_then(
    load, server, classifier, different_images
):
    host, port = server.url.removeprefix("http://").rstrip("/").split(":")
    classifier.seconds = 0.05

    async def run():
        connections = load.Connections(host, int(port))
        requests = [load.batch(image[None]) for image in different_images(10)]
        replies = await load.open_loop(connections, requests, rate=100, seconds=1.0)
        connections.close()
        return replies

    replies = asyncio.run(run())
    assert len(replies) == 100
    found = load.summary(replies, 1.0)
    assert found["answered"] + found["refused"] == 100
    assert found["broken"] == 0
    # Nobody can have his answer before the classifier has worked for it.
    assert found["latency_ms"]["p50"] >= 50
