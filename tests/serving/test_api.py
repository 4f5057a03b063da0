"""The API gives what the classifier says, to each its own, as its OpenAPI document promises."""

import gc
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw
from starlette.testclient import TestClient

from tenfold.pictures import canonical
from tenfold.serving import api
from tenfold.serving.answers import Told, ToldBatch
from tenfold.serving.api import make_app
from tenfold.serving.guards import Access

BINARY = {"content-type": "application/octet-stream"}
PICTURE = {"content-type": "image/png"}


def drawn(number: int) -> tuple[bytes, np.ndarray]:
    """A picture of a stroke that leans by `number`, as a file and as pixels."""
    pixels = np.full((60, 60), 255, np.uint8)
    for row in range(10, 50):
        left = 20 + (row - 30) * (number % 9 - 4) // 10 + number % 5
        pixels[row, left : left + 4 + number % 3] = 0
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue(), pixels


def test_a_picture_is_told_as_its_canonical_form_is(client, signed):
    content, pixels = drawn(3)
    answer = client.post("/api/predict", content=content, headers=PICTURE)
    told = Told.model_validate(answer.json(), strict=True)
    form = canonical(pixels)
    assert np.array_equal(np.array(told.seen, np.uint8), form)
    np.testing.assert_allclose(told.probabilities, signed(form[None])[0], atol=1e-8)
    assert told.digit == int(signed(form[None])[0].argmax())
    assert told.confidence == max(told.probabilities)


def test_a_stroke_that_has_only_begun_is_answered_wherever_it_is(client):
    # What the page sends while somebody draws: 400 x 300, a line of any length at any place.
    rng = np.random.default_rng(0)
    for _ in range(60):
        image = Image.new("L", (400, 300), 255)
        ends = rng.uniform((6, 6, 6, 6), (394, 294, 394, 294)).tolist()
        ImageDraw.Draw(image).line(ends, fill=0, width=12)
        stream = BytesIO()
        image.save(stream, "PNG")
        answer = client.post("/api/predict", content=stream.getvalue(), headers=PICTURE)
        assert answer.status_code == 200, ends


def test_the_same_picture_as_a_form_field_gets_the_same_answer(client):
    content, _ = drawn(5)
    raw = client.post("/api/predict", content=content, headers=PICTURE)
    form = client.post("/api/predict", files={"picture": ("evil/../name.exe", content)})
    assert form.json() == raw.json()


def test_three_ways_to_send_a_batch_are_one(client, different_images, signed):
    images = different_images(256)
    as_bytes = client.post("/api/predict/batch", content=images.tobytes(), headers=BINARY)
    as_json = client.post("/api/predict/batch", json={"images": images.tolist()})
    assert as_bytes.json() == as_json.json()
    answers = ToldBatch.model_validate(as_bytes.json(), strict=True).answers
    told = np.array([answer.probabilities for answer in answers])
    np.testing.assert_allclose(told, signed(images), atol=1e-8)
    assert all(answer.seen is None for answer in answers)


def test_several_pictures_are_answered_in_their_order_and_shown_on_request(client):
    drawings = [drawn(number) for number in range(20)]
    files = [("p", content) for content, _ in drawings]
    answer = client.post("/api/predict/batch?seen=true", files=files)
    answers = ToldBatch.model_validate(answer.json()).answers
    for told, (_, pixels) in zip(answers, drawings, strict=True):
        assert np.array_equal(np.array(told.seen, np.uint8), canonical(pixels))
    assert client.post("/api/predict/batch?seen=perhaps", files=files).status_code == 400


def test_a_picture_below_the_threshold_is_not_a_digit(classifier, different_images):
    classifier.reject_below = 0.9
    with TestClient(make_app(classifier, Access(80)), base_url="http://localhost") as client:
        images = different_images(2)
        answers = client.post("/api/predict/batch", content=images.tobytes(), headers=BINARY)
        assert [told["digit"] for told in answers.json()["answers"]] == [None, None]
        classifier.reject_below = 0.0


def test_under_threads_of_askers_no_answer_is_crossed_or_lost(client, different_images, signed):
    images = different_images(600)

    def ask(number: int) -> bool:
        part = images[number : number + 1 + number % 7]
        answer = client.post("/api/predict/batch", content=part.tobytes(), headers=BINARY)
        told = np.array([each["probabilities"] for each in answer.json()["answers"]])
        return told.shape == (len(part), 10) and np.allclose(told, signed(part), atol=1e-8)

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(ask, range(590)))


def test_beyond_its_limit_the_service_says_503_and_when_to_come_again(
    classifier, client, different_images, problem, monkeypatch
):
    monkeypatch.setattr(api, "MAX_REQUESTS", 4)
    content = different_images(1).tobytes()
    classifier.hold.clear()

    def ask(_: int):
        return client.post("/api/predict/batch", content=content, headers=BINARY)

    with ThreadPoolExecutor(12) as threads:
        asked = list(map(lambda n: threads.submit(ask, n), range(12)))  # noqa: C417
        release = threading.Timer(0.5, classifier.hold.set)
        release.start()
        # Life and readiness can be asked all the while.
        assert client.get("/api/health/live").json() == {"status": "live"}
        answers = [future.result() for future in asked]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(refused) == 8
    for answer in refused:
        problem(answer, 503)
        assert int(answer.headers["retry-after"]) >= 1
    assert ask(0).status_code == 200


def test_an_answer_that_takes_too_long_is_503(classifier, client, problem, monkeypatch):
    monkeypatch.setattr("tenfold.serving.service.TELL_SECONDS", 0.2)
    classifier.hold.clear()
    content, _ = drawn(0)
    problem(client.post("/api/predict", content=content, headers=PICTURE), 503)
    classifier.hold.set()


def test_pictures_that_nobody_waits_for_are_not_worked_on(client, problem, monkeypatch):
    monkeypatch.setattr("tenfold.serving.service.READ_SECONDS", 0.3)
    begun = []

    def slow(pixels: np.ndarray) -> np.ndarray:
        begun.append(time.monotonic())
        time.sleep(0.1)
        return np.zeros((28, 28), np.uint8)

    monkeypatch.setattr("tenfold.pictures.canonical", slow)
    content, _ = drawn(0)
    begin = time.monotonic()
    problem(client.post("/api/predict/batch", files=[("p", content)] * 20), 503)
    # All 20 would take 2 seconds.
    time.sleep(0.7)
    assert begun
    assert max(begun) - begin < 0.6


def test_it_is_ready_once_the_model_has_answered(classifier, problem):
    classifier.hold.clear()
    with TestClient(make_app(classifier, Access(80)), base_url="http://localhost") as client:
        assert client.get("/api/health/live").json() == {"status": "live"}
        problem(client.get("/api/health/ready"), 503)
        classifier.hold.set()
        for _ in range(200):
            if client.get("/api/health/ready").status_code == 200:
                break
        assert client.get("/api/health/ready").json() == {"status": "ready"}
        # What was loaded by then is no longer looked through; before, each time held all answers up.
        assert gc.get_freeze_count() > 10_000
    assert gc.get_freeze_count() == 0


def test_a_fault_of_ours_gets_a_number_and_keeps_its_text(
    classifier, client, different_images, problem, caplog
):
    classifier.fault = RuntimeError("the secret of the machine")
    answer = client.post(
        "/api/predict/batch", content=different_images(1).tobytes(), headers=BINARY
    )
    detail = problem(answer, 500)
    assert "secret" not in answer.text
    number = detail.split("number ")[1].split(" ")[0]
    assert number in caplog.text
    classifier.fault = None
    again = client.post("/api/predict/batch", content=different_images(1).tobytes(), headers=BINARY)
    assert again.status_code == 200


def test_what_is_not_there_is_said_in_the_same_form(client, problem):
    problem(client.get("/api/nothing"), 404)
    problem(client.get("/../../etc/passwd"), 404)
    problem(client.get("/%2e%2e/pyproject.toml"), 404)
    problem(client.get("/docs"), 404)
    answer = client.delete("/api/predict")
    problem(answer, 405)
    assert answer.headers["allow"] == "POST"
    # No redirect: it would be built of what the client said.
    problem(client.get("/api/health/live/", follow_redirects=False), 404)


def test_the_document_describes_every_path_and_what_is_answered(client):
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/api/predict", "/api/predict/batch", "/api/read", "/api/health/live", "/api/health/ready",
    }  # fmt: skip
    for path in ("/api/predict", "/api/predict/batch", "/api/read"):
        post = document["paths"][path]["post"]
        assert post["requestBody"]["required"]
        assert {"200", "400", "413", "415", "422", "503"} <= post["responses"].keys()
        assert "application/problem+json" in post["responses"]["503"]["content"]
    assert "http" not in json.dumps(document["paths"])


@pytest.mark.parametrize("with_token", [False, True])
def test_the_document_asks_for_a_token_where_the_service_does(classifier, with_token):
    access = Access(80, token="secret" if with_token else None)
    with TestClient(make_app(classifier, access), base_url="http://localhost") as client:
        document = client.get("/openapi.json").json()
    assert ("security" in document) == with_token
    assert "secret" not in json.dumps(document).replace("securitySchemes", "")
