"""Mirrors: what is not the pinned file, whole and in time, is refused and leaves nothing behind."""

import gzip
import hashlib
import tempfile
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest

from tenfold.data import mirrors
from tenfold.digits import Digits
from tenfold.errors import DownloadError

Files = dict[str, bytes]
MD5 = {  # as torchvision/datasets/mnist.py lists them
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where downloads go before they are checked; empty when a test is over."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, make_idx: Callable[[np.ndarray], bytes], some) -> Files:
    """Four small files under the official names, pinned in place of the official ones."""
    small = {}
    for part, digits in (("train", some(20)), ("t10k", some(5))):
        small[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(make_idx(digits.images))
        small[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(make_idx(digits.known_labels))
    sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in small.items()}
    monkeypatch.setattr(mirrors, "IDX_SHA256", sha256)
    return small


Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def mirror(serve, reply, files: Files) -> Callable[[dict[str, Answer]], str]:
    """A mirror that answers as it should, but for the named files; -> its address."""

    def start(special: dict[str, Answer]) -> str:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            name = handler.path.rpartition("/")[2]
            if name in special:
                special[name](handler)
            else:
                reply(handler, files[name])

        return f"{serve(answer)}/mnist"

    return start


def test_a_mirror_in_order_gives_both_parts_and_keeps_no_file(
    mirror, some: Callable[[int], Digits], temporary: Path
) -> None:
    train, test = mirrors.fetch_idx(mirror({}))
    assert test is not None
    assert (train.hash, test.hash) == (some(20).hash, some(5).hash)
    assert not list(temporary.iterdir())


def test_keras_archive_is_pinned_and_read(
    serve, reply, some, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "mnist.npz", x_train=some(20).images, y_train=some(20).known_labels)
    content = (tmp_path / "mnist.npz").read_bytes()
    address = f"{serve(lambda handler: reply(handler, content))}/keras/mnist.npz"
    with pytest.raises(DownloadError, match=f"^{address}: SHA256 hash of downloaded file"):
        mirrors.fetch_keras(address)
    monkeypatch.setattr(mirrors, "KERAS_SHA256", hashlib.sha256(content).hexdigest())
    assert mirrors.fetch_keras(address).train.hash == some(20).hash


def hang(_: BaseHTTPRequestHandler) -> None:
    time.sleep(1)


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(300):
        handler.wfile.write(b"x")
        time.sleep(0.05)


def pour(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(bytes(2**16))


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def no_http(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"hello\r\n\r\n")


@pytest.mark.parametrize(
    ("name", "answer", "says"),
    [
        ("train-images-idx3-ubyte.gz", "wrong bytes", "SHA256 hash"),
        ("t10k-labels-idx1-ubyte.gz", "wrong bytes", "SHA256 hash"),
        ("t10k-images-idx3-ubyte.gz", "cut short", "SHA256 hash"),
        ("train-images-idx3-ubyte.gz", "empty", "SHA256 hash"),
        ("train-images-idx3-ubyte.gz", "404", "404"),
        ("t10k-labels-idx1-ubyte.gz", "500", "500"),
        ("train-images-idx3-ubyte.gz", "to a file", "file"),
        ("train-images-idx3-ubyte.gz", "to itself", "redirect"),
        ("train-images-idx3-ubyte.gz", hang, "timed out"),
        ("train-images-idx3-ubyte.gz", drip, "expected at most .* in 0 s"),
        ("train-images-idx3-ubyte.gz", pour, "expected at most 1,048,576 bytes"),
        ("train-images-idx3-ubyte.gz", hang_up, "closed connection"),
        ("train-images-idx3-ubyte.gz", no_http, "hello"),
    ],
)
def test_a_mirror_out_of_order_is_a_download_error_and_keeps_no_file(
    mirror,
    files: Files,
    reply,
    temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
    name,
    answer,
    says,
) -> None:
    # Each limit is lowered for its own case alone: a busy machine is slow to answer, too.
    if answer is hang:
        monkeypatch.setattr(mirrors, "SILENCE_SECONDS", 0.2)
    if answer is drip:
        monkeypatch.setattr(mirrors, "DOWNLOAD_SECONDS", 0.4)
    monkeypatch.setattr(mirrors, "MAX_DOWNLOAD_BYTES", 2**20)
    whole = files[name]
    replies: dict[str, Answer] = {
        "wrong bytes": lambda handler: reply(handler, whole[:-1] + b"\1"),
        "cut short": lambda handler: reply(handler, whole[:-9], Content_Length=str(len(whole))),
        "empty": lambda handler: reply(handler, b""),
        "404": lambda handler: reply(handler, b"", status=404),
        "500": lambda handler: reply(handler, b"", status=500),
        "to a file": lambda handler: reply(handler, b"", status=302, Location="file:///etc/passwd"),
        "to itself": lambda handler: reply(handler, b"", status=302, Location=handler.path),
    }
    address = mirror({name: replies[answer] if isinstance(answer, str) else answer})
    begin = time.monotonic()
    with pytest.raises(DownloadError, match=f"^{address}/{name}: .*{says}"):
        mirrors.fetch_idx(address)
    assert not list(temporary.iterdir())
    assert time.monotonic() - begin < 10


def test_a_host_without_a_name_or_a_listener_is_left_at_once(refused: list[object]) -> None:
    begin = time.monotonic()
    with pytest.raises(DownloadError, match="Name or service not known"):
        mirrors.fetch_idx(mirrors.PYTORCH)
    with pytest.raises(DownloadError, match="refused"):
        mirrors.fetch_idx("http://127.0.0.1:1/mnist")
    assert time.monotonic() - begin < 10
    assert refused == ["ossci-datasets.s3.amazonaws.com"]


def test_a_name_server_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object, **__: object) -> None:
        time.sleep(0.5)
        raise TimeoutError

    monkeypatch.setattr(mirrors, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr("socket.create_connection", silent)
    with pytest.raises(DownloadError, match="did not answer within 0 s"):
        mirrors.fetch_idx(mirrors.GOOGLE)


def test_behind_a_proxy_it_is_the_proxy_that_is_asked(
    monkeypatch: pytest.MonkeyPatch, mirror, some, refused: list[object]
) -> None:
    proxy = mirror({}).removesuffix("/mnist")
    monkeypatch.setenv("http_proxy", proxy)
    # urllib looks at the environment once in a process.
    monkeypatch.setattr("urllib.request._opener", None)
    train, _ = mirrors.fetch_idx("http://example.org/mnist")
    assert train.hash == some(20).hash
    assert not refused


@pytest.mark.mnist
def test_the_pinned_sha256_are_those_of_the_files_torchvision_pins_by_md5(
    official_folder: Path,
) -> None:
    assert set(mirrors.IDX_SHA256) == set(MD5)
    for name, sha256 in mirrors.IDX_SHA256.items():
        content = (official_folder / name).read_bytes()
        assert hashlib.md5(content).hexdigest() == MD5[name]
        assert hashlib.sha256(content).hexdigest() == sha256
