"""Bodies are counted as they come in, and what is no picture, or none of the kind that was said, is refused."""

import contextlib
import gc
import json
import struct
import tracemalloc
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tenfold.serving import bodies
from tenfold.serving.problems import Problem

CHUNK = b"x" * 65536
_DRAWN = BytesIO()
Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 20), np.uint8)).save(_DRAWN, "PNG")
DRAWN = _DRAWN.getvalue()


def chunks(total: int):
    for _ in range(total // len(CHUNK) + 1):
        yield CHUNK


@pytest.mark.parametrize("path", ["/api/predict", "/api/predict/batch", "/api/read"])
def test_a_body_that_says_it_is_too_long_is_refused_before_it_is_read(client, path, problem):
    kind = "application/octet-stream" if path.endswith("batch") else "image/png"
    told = {"content-type": kind, "content-length": str(bodies.MAX_BODY_BYTES + 1)}
    detail = problem(client.post(path, content=b"x", headers=told), 413)
    assert f"{bodies.MAX_BODY_BYTES:,}" in detail


def test_a_body_in_chunks_is_counted(client, monkeypatch, problem):
    monkeypatch.setattr(bodies, "MAX_BODY_BYTES", 1_000_000)
    told = {"content-type": "image/png"}
    problem(client.post("/api/predict", content=chunks(1_000_000), headers=told), 413)
    # Just under it the length is no reason any more; the content is.
    problem(client.post("/api/predict", content=chunks(900_000), headers=told), 422)


def test_json_is_counted_by_a_limit_of_its_own_under_which_256_indented_pictures_are(
    client, problem
):
    told = {"content-type": "application/json"}
    long = arrays([GOOD]) + b" " * bodies.MAX_JSON_BYTES
    for content in (long, iter([long])):
        detail = problem(client.post("/api/predict/batch", content=content, headers=told), 413)
        assert f"{bodies.MAX_JSON_BYTES:,}" in detail
    most = json.dumps({"images": [[[255] * 28] * 28] * bodies.MAX_ARRAYS}, indent=4).encode()
    assert len(most) > 4_000_000
    assert client.post("/api/predict/batch", content=most, headers=told).is_success


def test_bodies_together_hold_no_more_than_their_share(client, monkeypatch, problem, png):
    monkeypatch.setattr(bodies, "MAX_BODIES_BYTES", 100_000)
    answer = client.post(
        "/api/predict", content=chunks(200_000), headers={"content-type": "image/png"}
    )
    problem(answer, 503)
    assert int(answer.headers["retry-after"]) >= 1
    # What was held is given back.
    assert client.post(
        "/api/predict", content=png, headers={"content-type": "image/png"}
    ).is_success


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "text/html", "application/x-www-form-urlencoded", "application/json", "multipart/mixed",
     "application/octet-stream", "imagepng", "image", "application/image/png"],
)  # fmt: skip
def test_a_form_that_any_page_can_send_is_no_picture(client, kind, problem, png):
    for path in ("/api/predict", "/api/read"):
        detail = problem(client.post(path, content=png, headers={"content-type": kind}), 415)
        assert "image/png" in detail


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "image/png", "application/x-www-form-urlencoded"]
)
def test_a_batch_says_what_it_is(client, kind, problem):
    answer = client.post("/api/predict/batch", content=b"x" * 784, headers={"content-type": kind})
    problem(answer, 415)


def bomb(side: int) -> bytes:
    """A PNG that says it has side x side pixels, and takes a few kilobytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(10_000)))
        + chunk(b"IEND", b"")
    )


def eps() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"


NOT_PICTURES = {
    "nothing": b"",
    "text": b"hello",
    "a cut PNG": DRAWN[:200],
    "half a PNG": DRAWN[:60],
    "EPS named PNG": eps(),
    "a bomb of 10,000 x 10,000": bomb(10_000),
    "a bomb of 60,000 x 60,000": bomb(60_000),
    "HTML": b"<html><script>alert(1)</script></html>",
    "random": np.random.default_rng(0).bytes(5_000),
}


@pytest.mark.parametrize("what", NOT_PICTURES)
def test_what_is_no_picture_is_refused_in_words(client, what, problem):
    for path in ("/api/predict", "/api/read"):
        answer = client.post(
            path, content=NOT_PICTURES[what], headers={"content-type": "image/png"}
        )
        problem(answer, 422)


def arrays(images) -> bytes:
    return json.dumps({"images": images}).encode()


GOOD = np.zeros((28, 28), int).tolist()


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400), (b"{", 400), (b"\xff\xfe", 400), (b"[" * 100_000, 400), (b'{"images":' * 50_000, 400),
        (b"[]", 422), (b"null", 422), (b"7", 422), (b'"images"', 422), (b"{}", 422), (arrays([]), 422),
        (arrays(None), 422), (arrays("abc"), 422), (arrays({}), 422), (arrays([[]]), 422), (arrays([GOOD[:27]]), 422),
        (arrays([[row[:27] for row in GOOD]]), 422), (arrays(GOOD), 422), (arrays([GOOD, GOOD[:5]]), 422),
        (arrays([[[256] * 28] * 28]), 422), (arrays([[[-1] * 28] * 28]), 422), (arrays([[[0.5] * 28] * 28]), 422),
        (arrays([[[True] * 28] * 28]), 422), (arrays([[["1"] * 28] * 28]), 422), (arrays([[[None] * 28] * 28]), 422),
        (arrays([[[10**30] * 28] * 28]), 422), (arrays([[[1e400] * 28] * 28]), 422),
        (arrays([[[float("nan")] * 28] * 28]), 422), (json.dumps({"images": [GOOD], "more": 1}).encode(), 422),
        (arrays([GOOD] * (bodies.MAX_ARRAYS + 1)), 422),
    ],
)  # fmt: skip
def test_json_that_holds_no_pictures_is_refused(client, content, status, problem):
    answer = client.post(
        "/api/predict/batch", content=content, headers={"content-type": "application/json"}
    )
    problem(answer, status)


@pytest.mark.parametrize("size", [0, 1, 783, 785, 784 * (bodies.MAX_ARRAYS + 1)])
def test_bytes_that_are_no_pictures_are_refused(client, size, problem):
    told = {"content-type": "application/octet-stream"}
    problem(client.post("/api/predict/batch", content=bytes(size), headers=told), 422)


KIND = "multipart/form-data; boundary=b"


def multipart(*contents: bytes, end: bytes = b"--\r\n", head: bytes = b"") -> bytes:
    parts = (
        b"--b\r\nContent-Disposition: form-data; name=p\r\n" + head + b"\r\n" + c + b"\r\n"
        for c in contents
    )
    return b"".join(parts) + b"--b" + end


BAD_MULTIPART = {
    "no boundary": ("multipart/form-data", multipart(DRAWN)),
    "an empty boundary": ("multipart/form-data; boundary=", multipart(DRAWN)),
    "a long boundary": (
        "multipart/form-data; boundary=" + "b" * 71,
        multipart(DRAWN).replace(b"--b", b"--" + b"b" * 71),
    ),
    "cut off": (KIND, multipart(DRAWN)[:-8]),
    "without an end": (KIND, multipart(DRAWN, end=b"\r\n")),
    "no part": (KIND, b"--b--\r\n"),
    "nothing": (KIND, b""),
    "another boundary": ("multipart/form-data; boundary=other", multipart(DRAWN)),
    "too many parts": (
        KIND,
        multipart(*[b"x"] * (bodies.MAX_PICTURES + 1)),
    ),
    "long headers": (
        KIND,
        multipart(b"x", head=b"X: " + b"y" * 5_000 + b"\r\n"),
    ),
    "many headers": (KIND, multipart(b"x", head=b"X: y\r\n" * 3_000)),
}


@pytest.mark.parametrize("what", BAD_MULTIPART)
def test_multipart_that_is_none_is_refused(client, what, problem):
    kind, content = BAD_MULTIPART[what]
    for path in ("/api/predict", "/api/predict/batch"):
        problem(client.post(path, content=content, headers={"content-type": kind}), 400)


def test_multipart_that_is_none_says_nothing_to_the_log(client, problem, capfd, caplog):
    problem(client.post("/api/predict", content=b"junk", headers={"content-type": KIND}), 400)
    assert (capfd.readouterr().err, caplog.text) == ("", "")


@pytest.mark.parametrize("end", [b"--\r\n", b"\r\n"])
def test_pictures_are_let_go_with_the_last_who_has_them(end):
    content = multipart(bytes(4_000_000), end=end)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        with contextlib.suppress(Problem):
            assert [len(picture) for picture in bodies.pictures_in(KIND, content)] == [4_000_000]
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert held < 400_000


def test_one_bad_picture_of_several_is_named_and_none_is_told(client, problem, png):
    files = [("p", png), ("p", png), ("p", b"no picture")]
    assert "picture 3" in problem(client.post("/api/predict/batch", files=files), 422)


def test_one_picture_is_asked_for_and_two_are_not_one(client, problem, png):
    assert "received 2" in problem(client.post("/api/predict", files=[("p", png)] * 2), 400)


def test_a_picture_larger_than_the_service_takes_is_refused_by_its_size(client, problem):
    stream = BytesIO()
    Image.new("1", (5_001, 5_001)).save(stream, "PNG")
    content = stream.getvalue()
    assert len(content) < 10_000
    answer = client.post("/api/predict", content=content, headers={"content-type": "image/png"})
    assert "25,000,000" in problem(answer, 422)
