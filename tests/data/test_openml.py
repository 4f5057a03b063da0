"""OpenML's table: from scikit-learn's cache, and from a stand-in for the server that fails as servers do."""

import gzip
import socket
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest

from tenfold.data import openml
from tenfold.digits import Digits
from tenfold.errors import DataError, DownloadError

SomeDigits = Callable[[int], Digits]
MakeArff = Callable[[Digits], bytes]
TABLE = "/data/v1/download/52667/mnist_784.arff"
LISTING = "/api/v1/json/data/list/data_name/mnist_784/limit/2/data_version/1"


def test_a_full_cache_is_read_without_a_connection(
    openml_cache, make_arff: MakeArff, some: SomeDigits, refused: list[object]
) -> None:
    path = openml_cache(make_arff(some(30)))
    assert openml.cache_path() == path
    assert openml.fetch().hash == some(30).hash
    assert openml.read_cache(path).hash == some(30).hash
    assert openml.fetch().known_labels.dtype == np.uint8
    assert not refused


def test_the_path_of_older_versions_is_found(openml_cache, make_arff, some) -> None:
    path = openml_cache(make_arff(some(30)))
    older = path.parent.with_suffix(".gz")
    path.rename(older)
    assert older.name == "52667.gz"
    assert openml.cache_path() == older
    assert openml.read_cache(older).hash == some(30).hash


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda arff: arff[:-1000], ":790: expected 785 numbers"),
        (lambda arff: arff.replace(b"@DATA", b"@DOTA"), ": .*with a line @DATA"),
        (lambda arff: arff.replace(b"\n0,", b"\n256,", 1), ":788: column pixel1: .*'256'"),
        (lambda arff: arff[: arff.index(b"@DATA") + 6], ":788: .*received none"),
        (lambda arff: arff[: arff.index(b"@DATA") + 5], ": .*with a line @DATA"),
        (lambda arff: b"@DATA", ": .*with a line @DATA"),
    ],
)
def test_a_wrong_table_in_the_cache_is_named_and_stays_where_it_is(
    openml_cache, make_arff, some, refused, change, says: str
) -> None:
    path = openml_cache(change(make_arff(some(3))))
    before = path.read_bytes()
    with pytest.raises(DataError, match=f"^{path}{says}"):
        openml.read_cache(path)
    assert path.read_bytes() == before
    assert not refused


def test_a_damaged_cache_file_is_named_and_stays_where_it_is(openml_cache, make_arff, some) -> None:
    path = openml_cache(make_arff(some(3)))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="cut short"):
        openml.read_cache(path)
    assert path.is_file()


Stand = Callable[..., list[str]]


@pytest.fixture
def stand_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, serve, reply, openml_replies
) -> Iterator[Stand]:
    """Put a server in OpenML's place: (arff, special answers by path) -> the list of what it is asked."""
    from sklearn.datasets import _openml

    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "sklearn"))
    monkeypatch.setattr(openml, "RETRY_DELAY_SECONDS", 0.01)

    def start(arff: bytes, *, md5_of: bytes | None = None, special=None) -> list[str]:
        asked: list[str] = []
        answers: dict[str, bytes] = {}

        def answer(handler: BaseHTTPRequestHandler) -> None:
            asked.append(handler.path)
            if special and special(handler, asked.count(handler.path)):
                return
            if handler.path in answers:
                packed = gzip.compress(answers[handler.path], 1)
                reply(handler, packed, Content_Encoding="gzip")
            else:
                reply(handler, b"", status=404)

        address = serve(answer)
        answers.update(openml_replies(md5_of or arff, server=address) | {TABLE: arff})
        for name, path in (
            ("_SEARCH_NAME", "list/data_name/{}/limit/2"),
            ("_DATA_INFO", "{}"),
            ("_DATA_FEATURES", "features/{}"),
            ("_DATA_QUALITIES", "qualities/{}"),
        ):
            monkeypatch.setattr(_openml, name, f"{address}/api/v1/json/data/{path}")
        return asked

    yield start
    assert socket.getdefaulttimeout() is None


def test_a_server_in_order_gives_the_table_once(
    stand_in: Stand, make_arff: MakeArff, some: SomeDigits
) -> None:
    asked = stand_in(make_arff(some(30)))
    assert openml.fetch().hash == some(30).hash
    assert len(asked) == 5
    assert openml.fetch().hash == some(30).hash  # from the cache it has filled
    assert len(asked) == 5


def test_one_500_does_not_matter(stand_in: Stand, make_arff, some, reply) -> None:
    def special(handler: BaseHTTPRequestHandler, times: int) -> bool:
        first = handler.path == TABLE and times == 1
        if first:
            reply(handler, b"", status=500)
        return first

    asked = stand_in(make_arff(some(30)), special=special)
    assert openml.fetch().hash == some(30).hash
    assert asked.count(TABLE) == 2


@pytest.mark.parametrize("path", [LISTING, TABLE])
@pytest.mark.parametrize("status", [404, 412, 500, 503])
def test_a_refusal_is_a_download_error(stand_in, make_arff, some, reply, path, status) -> None:
    def special(handler: BaseHTTPRequestHandler, _: int) -> bool:
        if handler.path.startswith(path):
            reply(handler, b"", status=status)
        return handler.path.startswith(path)

    asked = stand_in(make_arff(some(3)), special=special)
    with pytest.raises(DownloadError, match="openml.org/d/554: expected mnist_784, received"):
        openml.fetch()
    assert len(asked) <= 6


def test_half_a_gzip_is_a_download_error_and_nothing_is_kept(
    stand_in, make_arff, some, reply, tmp_path: Path
) -> None:
    def special(handler: BaseHTTPRequestHandler, _: int) -> bool:
        if handler.path == TABLE:
            half = gzip.compress(make_arff(some(30)), 1)[:5000]
            reply(handler, half, Content_Encoding="gzip")
        return handler.path == TABLE

    stand_in(make_arff(some(30)), special=special)
    with pytest.raises(DownloadError, match="EOFError"):
        openml.fetch()


def test_a_wrong_checksum_is_a_download_error(stand_in, make_arff, some) -> None:
    stand_in(make_arff(some(3)), md5_of=make_arff(some(4)))
    with pytest.raises(DownloadError, match="md5 checksum"):
        openml.fetch()


@pytest.mark.parametrize(
    "arff",
    [
        b"",
        b"<html>We are working on it</html>",
        b"@DATA\n1,2,3\n",
        b"@DATA\n" + b",".join([b"256"] * 784) + b",1\n",
        b"@DATA\n" + b",".join([b"0"] * 784) + b",10\n",
    ],
)
def test_another_content_is_a_download_error(stand_in: Stand, arff: bytes) -> None:
    stand_in(arff)
    with pytest.raises(DownloadError, match="expected mnist_784, received"):
        openml.fetch()


def test_a_listing_that_is_no_listing_is_a_download_error(stand_in, make_arff, some, reply) -> None:
    def special(handler: BaseHTTPRequestHandler, _: int) -> bool:
        reply(handler, b'{"data": []}')
        return True

    stand_in(make_arff(some(3)), special=special)
    with pytest.raises(DownloadError, match="TypeError|KeyError"):
        openml.fetch()


@pytest.mark.parametrize("path", [LISTING, TABLE])
def test_a_server_that_hangs_is_left_in_time(
    stand_in, make_arff, some, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(openml, "TIMEOUT_SECONDS", 0.2)

    def special(handler: BaseHTTPRequestHandler, _: int) -> bool:
        if handler.path.startswith(path):
            time.sleep(1)
        return handler.path.startswith(path)

    stand_in(make_arff(some(3)), special=special)
    begin = time.monotonic()
    with pytest.raises(DownloadError, match="timed out"):
        openml.fetch()
    # Two tries of 0.2 s, and the rest is a busy machine's.
    assert time.monotonic() - begin < 10


def test_a_socket_timeout_of_the_callers_is_put_back(refused: list[object]) -> None:
    socket.setdefaulttimeout(123.0)
    try:
        with pytest.raises(DownloadError, match="Name or service not known"):
            openml.fetch()
        assert socket.getdefaulttimeout() == 123.0
    finally:
        socket.setdefaulttimeout(None)
    assert refused == ["www.openml.org"] * 2  # one try, one retry
