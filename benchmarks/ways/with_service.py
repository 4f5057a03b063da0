"""The service under load, from outside: how much it answers, how soon, what it refuses, and whose answer it was.

usage: python with_service.py throughput MODEL NPZ | singles MODEL NPZ | overload MODEL NPZ | identity MODEL NPZ REQUESTS

Requests are sent as they are due, whatever became of those before, and a latency counts from then: who waits for
an answer before he asks again never sees the queue (Gil Tene's "coordinated omission").
"""

import asyncio
import contextlib
import gc
import io
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from measuring import read_parts, run_way
from PIL import Image

BATCH = 256
CLIENTS = 4
"""That ask for batches at the same time."""
WARM_UP, SECONDS = 1.0, 5.0
CONNECTIONS = 400
"""At most; more than the service answers at one moment."""
LOAD_SECONDS = 20.0

BINARY, PNG = "application/octet-stream", "image/png"


class Request(NamedTuple):
    """What is asked."""

    path: str
    kind: str
    content: bytes


class Reply(NamedTuple):
    """What came back, and when: seconds from when it was due to when it was there."""

    status: int
    body: bytes
    seconds: float
    late: float = 0.0
    """How much later than due it was sent: the client's own lag."""
    retry_after: bool = False


class Connections:
    """Connections to one place, used again and again."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._free = asyncio.Semaphore(CONNECTIONS)

    async def ask(self, request: Request, due: float | None = None) -> Reply:
        """Send a request -> its reply; status 0 where the connection broke."""
        due = time.perf_counter() if due is None else due
        async with self._free:
            sent = time.perf_counter()
            try:
                stream = (
                    self._idle.pop() if self._idle else await asyncio.open_connection(*self._place)
                )
                status, headers, body = await self._exchange(stream, request)
            except (OSError, asyncio.IncompleteReadError):
                return Reply(0, b"", time.perf_counter() - due, sent - due)
            if b"connection: close" in headers:
                stream[1].close()
            else:
                self._idle.append(stream)
        done = time.perf_counter()
        return Reply(status, body, done - due, sent - due, b"retry-after:" in headers)

    async def _exchange(
        self, stream: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: Request
    ) -> tuple[int, bytes, bytes]:
        reader, writer = stream
        host, port = self._place
        head = (
            f"POST {request.path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: {request.kind}\r\n"
            f"Content-Length: {len(request.content)}\r\n\r\n"
        )
        writer.write(head.encode() + request.content)
        headers = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(headers.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        return int(headers.split(b" ", 2)[1]), headers, await reader.readexactly(length)

    def close(self) -> None:
        """Let go of all of them."""
        for _, writer in self._idle:
            writer.close()


@contextlib.asynccontextmanager
async def service(model: str) -> AsyncIterator[Connections]:
    """`tenfold serve` in a process of its own, ready, and connections to it."""
    command = [
        str(Path(sys.executable).with_name("tenfold")),
        "serve",
        "--port",
        "0",
        "--model",
        model,
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as serving:
        try:
            url = (serving.stdout or io.StringIO()).readline().strip()
            host, port = url.removeprefix("http://").rstrip("/").rsplit(":", 1)
            connections = Connections(host, int(port))
            content = np.zeros((1, 28, 28), np.uint8).tobytes()
            while (
                await connections.ask(Request("/api/predict/batch", BINARY, content))
            ).status != 200:
                await asyncio.sleep(0.1)
            yield connections
            connections.close()
        finally:
            serving.terminate()


def png(image: Any) -> bytes:
    """A picture uint8 (28, 28), bright on dark, as a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def batch(images: Any) -> Request:
    """Pictures uint8 (n, 28, 28), n <= BATCH, as one request."""
    return Request("/api/predict/batch", BINARY, images.tobytes())


def single(image: Any) -> Request:
    """One picture as a file."""
    return Request("/api/predict", PNG, png(image))


async def closed_loop(
    connections: Connections, requests: Sequence[Request], clients: int, seconds: float
) -> float:
    """Requests a second that are answered to so many clients, each of whom waits for its answer."""
    end = time.perf_counter() + WARM_UP + seconds
    begin, answered = end - seconds, 0

    async def client(number: int) -> None:
        nonlocal answered
        while time.perf_counter() < end:
            reply = await connections.ask(requests[number % len(requests)])
            number += clients
            answered += reply.status == 200 and begin < time.perf_counter() < end

    await asyncio.gather(*(client(number) for number in range(clients)))
    return answered / seconds


async def open_loop(
    connections: Connections, requests: Sequence[Request], rate: float, seconds: float
) -> list[Reply]:
    """Requests at times by chance, `rate` a second in the mean (a Poisson process) -> the replies."""
    gaps = np.random.default_rng(0).exponential(1 / rate, int(rate * seconds))
    due = time.perf_counter() + np.cumsum(gaps)
    asked = []
    for number, moment in enumerate(due):
        if (wait := moment - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        asked.append(
            asyncio.create_task(connections.ask(requests[number % len(requests)], float(moment)))
        )
    return list(await asyncio.gather(*asked))


def summary(replies: Sequence[Reply], seconds: float) -> dict[str, Any]:
    """Counts by outcome, and the latencies of what was answered."""
    answered = np.array([reply.seconds for reply in replies if reply.status == 200])
    refused = [reply for reply in replies if reply.status == 503]
    p50, p99, p999 = np.percentile(answered, (50, 99, 99.9)) * 1000
    taken = np.array([reply.seconds - reply.late for reply in replies if reply.status == 200])
    return {
        "requests": len(replies),
        "answered": len(answered),
        "refused": len(refused),
        "refused_without_retry_after": sum(not reply.retry_after for reply in refused),
        "broken": len(replies) - len(answered) - len(refused),
        "answered_per_second": len(answered) / seconds,
        "latency_ms": {"p50": p50, "p99": p99, "p99_9": p999, "max": float(answered.max()) * 1000},
        "p99_over_p50": p99 / p50,
        # From when a request was sent: what the service answers for, however late this client was.
        "seconds_after_sending": {
            "p99": float(np.percentile(taken, 99)),
            "max": float(taken.max()),
        },
        "client_lag_ms_p99": float(np.percentile([reply.late for reply in replies], 99)) * 1000,
    }


def with_service(
    model: str, path: str, use: Callable[[Connections, Any], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """What `use` finds, given connections to a service and MNIST's test pictures."""
    _, (images, _) = read_parts(path)

    async def run() -> dict[str, Any]:
        async with service(model) as connections:
            return await use(connections, images)

    return asyncio.run(run())


def throughput(model: str, path: str) -> dict[str, Any]:
    """Pictures a second through the batch endpoint, 256 in a request; and one in a request, as PNG files."""

    async def use(connections: Connections, images: Any) -> dict[str, Any]:
        batches = [batch(images[start : start + BATCH]) for start in range(0, 39 * BATCH, BATCH)]
        rate = await closed_loop(connections, batches, CLIENTS, SECONDS)
        pictures = [single(image) for image in images[:2000]]
        ones = await closed_loop(connections, pictures, 64, SECONDS)
        return {"images_per_second": {str(BATCH): rate * BATCH, "1": ones}}

    return with_service(model, path, use)


def loaded(model: str, path: str, share: float) -> dict[str, Any]:
    """Single pictures at a share of what the service can do at most."""

    async def use(connections: Connections, images: Any) -> dict[str, Any]:
        pictures = [single(image) for image in images[:5000]]
        most = await closed_loop(connections, pictures, 64, SECONDS)
        # A halt of this client would count as the service's.
        gc.disable()
        replies = await open_loop(connections, pictures, share * most, LOAD_SECONDS)
        return {"capacity_per_second": most, **summary(replies, LOAD_SECONDS)}

    return with_service(model, path, use)


def singles(model: str, path: str) -> dict[str, Any]:
    """At 70 % of what the service can do."""
    return loaded(model, path, 0.7)


def overload(model: str, path: str) -> dict[str, Any]:
    """At three times what the service can do."""
    return loaded(model, path, 3.0)


async def crossed_or_lost(
    connections: Connections, requests: Sequence[Request], expected: Any, clients: int = 64
) -> dict[str, int]:
    """Each request once, by so many clients; what was refused is asked again -> counts of faults.

    Args:
        connections: to the service.
        requests: each for one picture.
        expected: float (n, 10), what belongs to each.
        clients: at the same time.
    """
    waiting = list(range(len(requests)))[::-1]
    counts = {"requests": len(requests), "crossed": 0, "lost": 0, "refused": 0}

    async def client() -> None:
        while waiting:
            number = waiting.pop()
            reply = await connections.ask(requests[number])
            if reply.status == 503:
                counts["refused"] += 1
                waiting.insert(0, number)
                await asyncio.sleep(0.1)
            elif reply.status != 200:
                counts["lost"] += 1
            else:
                answer = json.loads(reply.body)
                told = (answer["answers"][0] if "answers" in answer else answer)["probabilities"]
                # Another batch changes the last bits of float32, another picture far more.
                counts["crossed"] += not np.allclose(told, expected[number], atol=1e-5)

    await asyncio.gather(*(client() for _ in range(clients)))
    return counts


def identity(model: str, path: str, requests: str) -> dict[str, Any]:
    """So many requests, each with a picture of its own: how many answers were another's, and how many never came."""
    from tenfold import open_classifier

    count = int(requests)
    rng = np.random.default_rng(0)

    async def use(connections: Connections, images: Any) -> dict[str, Any]:
        # Test pictures with 100 grey pixels by chance: no two are alike.
        own = images[np.arange(count) % len(images)].reshape(count, -1).copy()
        places = rng.integers(0, 784, (count, 100))
        own[np.arange(count)[:, None], places] = rng.integers(0, 256, (count, 100))
        own = own.reshape(count, 28, 28)
        expected = open_classifier(Path(model)).predict_proba(own)
        return await crossed_or_lost(connections, [batch(image[None]) for image in own], expected)

    return with_service(model, path, use)


if __name__ == "__main__":
    run_way(
        {"throughput": throughput, "singles": singles, "overload": overload, "identity": identity}
    )
