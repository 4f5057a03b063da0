"""A real server on loopback: slow and broken clients, and an end that loses nothing."""

import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import numpy as np
import pytest

from tenfold.errors import UsageError
from tenfold.serving import bodies, connection
from tenfold.serving.server import Server

pytestmark = pytest.mark.slow


def place(server) -> tuple[str, int]:
    host, port = server.url.removeprefix("http://").rstrip("/").split(":")
    return host, int(port)


def sent(server, request: bytes, *, wait: float = 10.0) -> bytes:
    """All that comes back for these bytes, until the server closes or nothing more comes."""
    with socket.create_connection(place(server), timeout=wait) as client:
        client.sendall(request)
        received = b""
        try:
            while piece := client.recv(65536):
                received += piece
        except ConnectionError:
            pass
    return received


def head(server, method: str = "POST", path: str = "/api/predict/batch", **more: str) -> bytes:
    host, port = place(server)
    headers = {
        "Host": f"{host}:{port}",
        "Content-Type": "application/octet-stream",
        "Connection": "close",
    }
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def drops(client: socket.socket, piece: bytes, *, seconds: float, pause: float) -> bool:
    """Whether the server ends the connection while the same bytes are sent again and again."""
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            client.sendall(piece)
            time.sleep(pause)
    except ConnectionError:
        return True
    return False


def status(received: bytes) -> int:
    return int(received.split(b" ", 2)[1]) if received else 0


def ask(server, content: bytes) -> tuple[int, bytes]:
    told = {"Content-Type": "application/octet-stream", "Connection": "close"}
    with closing(http.client.HTTPConnection(*place(server), timeout=30)) as asking:
        asking.request("POST", "/api/predict/batch", content, told)
        answer = asking.getresponse()
        return answer.status, answer.read()


def matches(body: bytes, expected: np.ndarray) -> bool:
    told = np.array([each["probabilities"] for each in json.loads(body)["answers"]])
    return told.shape == expected.shape and np.allclose(told, expected, atol=1e-8)


def test_a_long_body_in_chunks_is_answered_with_413_and_not_kept(server, monkeypatch):
    monkeypatch.setattr(bodies, "MAX_BODY_BYTES", 200_000)
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    request = head(server, Transfer_Encoding="chunked") + chunk * 500 + b"0\r\n\r\n"
    assert status(sent(server, request)) == 413


def test_a_client_that_sends_all_before_it_listens_still_gets_its_refusal(server):
    size = bodies.MAX_BODY_BYTES + 1
    assert status(sent(server, head(server, Content_Length=str(size)) + bytes(size))) == 413


def test_a_slow_client_that_goes_on_sending_is_waited_for(server, monkeypatch):
    # Four pauses, each much shorter than what is waited for, and longer together.
    monkeypatch.setattr(bodies, "STALL_SECONDS", 1.8)
    with socket.create_connection(place(server), timeout=10) as client:
        client.sendall(head(server, Content_Length="784"))
        for _ in range(4):
            time.sleep(0.5)
            client.sendall(bytes(196))
        assert status(client.recv(65536)) == 200


def test_a_body_in_chunks_of_one_byte_is_taken_and_holds_nobody_up(server, different_images):
    content = different_images(40).tobytes()
    request = head(server, Transfer_Encoding="chunked")
    request += b"".join(b"1\r\n%c\r\n" % byte for byte in content) + b"0\r\n\r\n"
    begin = time.monotonic()
    received = sent(server, request)
    assert status(received) == 200
    # 31,360 chunks: a parser in Python would take seconds of the loop.
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    "request_line",
    [b"POST / HTTP/1.1", b"GET /" + b"a" * 20_000 + b" HTTP/1.1", b"nonsense", b"GET / HTTP/9.9", b"\0\0\0\0",
     b"CONNECT evil.example:443 HTTP/1.1", b"GET http://[ HTTP/1.1", b"GET /\xff\xfe HTTP/1.1"],
)  # fmt: skip
def test_a_head_that_is_none_gets_a_refusal_and_no_fault(server, request_line):
    received = sent(
        server,
        request_line + b"\r\nConnection: close\r\n\r\n",
        wait=1.0 if b"CONNECT" in request_line else 10,
    )
    assert status(received) in (400, 421)
    assert b"Traceback" not in received
    assert ask(server, bytes(784))[0] == 200


def test_lengths_that_contradict_each_other_are_refused(server):
    for more in (b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"Content-Length: 5\r\nContent-Length: 6",
                 b"Content-Length: -1", b"Content-Length: 5x", b"Transfer-Encoding: gzip"):  # fmt: skip
        request = (
            head(server).replace(b"\r\n\r\n", b"\r\n" + more + b"\r\n\r\n")
            + b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n"
        )
        assert status(sent(server, request)) == 400, more


def test_a_long_head_is_refused_in_one_piece_and_in_many(server):
    long = head(server, X_Long="y" * 2 * connection.MAX_HEAD_BYTES)
    assert status(sent(server, long)) == 400
    with socket.create_connection(place(server), timeout=10) as client:
        client.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert drops(client, b"y" * 1_000, seconds=5, pause=0.001)


def test_who_sends_no_head_or_no_body_is_let_go(server, monkeypatch):
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(bodies, "STALL_SECONDS", 0.3)
    begin = time.monotonic()
    assert sent(server, b"") == b""
    assert sent(server, b"POST / HT") == b""
    assert sent(server, b"\r\n") == b""
    assert status(sent(server, head(server, Content_Length="784") + bytes(100))) == 408
    assert time.monotonic() - begin < 8
    assert ask(server, bytes(784))[0] == 200


def test_who_dribbles_a_head_is_let_go_too(server, monkeypatch):
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    with socket.create_connection(place(server), timeout=10) as client:
        assert drops(client, b"y", seconds=5, pause=0.02)


def test_who_does_not_take_the_answer_is_let_go(server, monkeypatch, different_images):
    monkeypatch.setattr(connection, "WRITE_SECONDS", 0.3)
    content = different_images(256).tobytes()
    request = head(server, path="/api/predict/batch?seen=true", Content_Length=str(len(content)))
    request = request.replace(b"Connection: close\r\n", b"") + content
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(place(server))
        client.settimeout(10)
        assert drops(client, request, seconds=8, pause=0.02)
    assert ask(server, bytes(784))[0] == 200


def test_many_slow_clients_do_not_keep_a_good_one_waiting(server):
    slow = [socket.create_connection(place(server)) for _ in range(200)]
    try:
        for number, client in enumerate(slow):
            client.sendall(b"POST /api/pre" if number % 2 else head(server, Content_Length="784"))
        begin = time.monotonic()
        assert all(ask(server, bytes(784))[0] == 200 for _ in range(20))
        assert time.monotonic() - begin < 5
    finally:
        for client in slow:
            client.close()


def test_the_end_answers_all_that_was_asked(classifier, different_images, signed):
    server = Server(classifier, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run)
    thread.start()
    images = different_images(60)
    assert ask(server, bytes(784))[0] == 200
    classifier.hold.clear()
    with ThreadPoolExecutor(60) as threads:
        asked = [threads.submit(ask, server, image.tobytes()) for image in images]
        idle = socket.create_connection(place(server))
        time.sleep(1.0)
        server.stop()
        time.sleep(0.5)
        assert thread.is_alive()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(place(server), timeout=2)
        classifier.hold.set()
        answers = [future.result() for future in asked]
        idle.close()
    thread.join(30)
    assert not thread.is_alive()
    for image, (code, body) in zip(images, answers, strict=True):
        assert code == 200
        assert matches(body, signed(image[None]))


def test_a_request_that_was_on_its_way_at_the_end_is_answered(classifier, monkeypatch):
    monkeypatch.setattr(connection, "LAST_REQUEST_SECONDS", 3.0)
    server = Server(classifier, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run)
    thread.start()
    assert ask(server, bytes(784))[0] == 200
    with socket.create_connection(place(server), timeout=10) as fresh:
        # The server must know of the connection, then look for its end, ten times a second.
        time.sleep(0.3)
        server.stop()
        time.sleep(0.5)
        request = head(server, "GET", "/api/health/live")
        fresh.sendall(request.replace(b"Connection: close\r\n", b""))
        received = fresh.recv(65536)
    assert status(received) == 200
    assert b"connection: close" in received.lower()
    thread.join(30)
    assert not thread.is_alive()


def test_a_port_in_use_and_an_address_of_another_machine_are_said_in_words(server, classifier):
    host, port = place(server)
    with pytest.raises(UsageError, match=f"port {port} .*--port 0"):
        Server(classifier, host=host, port=port)
    with pytest.raises(UsageError, match="--host"):
        Server(classifier, host="203.0.113.7", port=0)


def test_on_the_network_the_address_brings_a_token_by_chance(classifier):
    with (
        Server(classifier, host="0.0.0.0", port=0) as first,
        Server(classifier, host="0.0.0.0", port=0) as second,
        Server(classifier, host="127.0.0.1", port=0) as local,
    ):
        tokens = [server.url.split("#token=")[1] for server in (first, second)]
        assert tokens[0] != tokens[1]
        # 128 bits are 22 characters of base 64.
        assert all(len(token) >= 22 for token in tokens)
        assert "token" not in local.url
        # On a network it is a number, which a phone finds, and never the one that stands for all addresses.
        assert urlsplit(first.url).hostname not in ("0.0.0.0", "127.0.0.1")


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_the_loopback_of_ipv6_works_like_the_other(classifier):
    server = Server(classifier, host="::1", port=0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        port = int(server.url.removesuffix("/").rsplit(":", 1)[1])
        assert server.url == f"http://[::1]:{port}/"
        for name, expected in ((f"[::1]:{port}", 200), ("[::1]", 421), ("evil.example", 421)):
            with closing(http.client.HTTPConnection("::1", port, timeout=10)) as asking:
                asking.request("GET", "/", headers={"Host": name})
                assert asking.getresponse().status == expected
    finally:
        server.stop()
        thread.join(30)


@pytest.mark.parametrize(
    ("size", "pieces", "answer"), [(12_000, 1, 422), (12_000, 3, 422), (20_000, 3, 400)]
)
def test_a_head_counts_the_same_in_one_piece_and_in_many(server, size, pieces, answer):
    request = head(server, Content_Length="0", X_Long="a" * size) + b""
    with socket.create_connection(place(server), timeout=10) as client:
        for part in np.array_split(np.frombuffer(request, np.uint8), pieces):
            client.sendall(part.tobytes())
            time.sleep(0.1)
        received = client.recv(65536)
    assert status(received) == answer
