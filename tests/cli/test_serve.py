"""`tenfold serve` as a person starts and ends it."""

import http.client
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tenfold import pretrained


def test_a_port_in_use_is_a_sentence(tenfold):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        outcome = tenfold("serve", "--port", port)
    assert outcome.code == 2
    assert outcome.out == ""
    assert f"port {port} of 127.0.0.1 is in use" in outcome.err
    assert "--port 0" in outcome.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--host", "203.0.113.7"], 2, "--host"),
        (["--host", "no..name"], 2, "--host no..name"),
        (["--host", 70 * "long"], 2, "--host long"),
        (["--port", "70000"], 2, "65535"),
        (["--token", "two words"], 2, "--token"),
        (["--model", "nowhere"], 7, "nowhere"),
    ],
)
def test_a_mistake_is_said_before_anything_is_served(tenfold, words, code, said):
    outcome = tenfold("serve", *words)
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(("by", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_it_prints_its_address_answers_and_ends_by_a_signal(by, code):
    command = [str(Path(sys.executable).with_name("tenfold")), "serve", "--port", "0"]
    # A shell lets what it starts in the background ignore Ctrl-C, and so would the process started here.
    reset = "import os, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); os.execv(sys.argv[1], sys.argv[1:])"
    with subprocess.Popen(
        [sys.executable, "-c", reset, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as serving:
        assert serving.stdout is not None
        url = serving.stdout.readline().strip()
        host, port = url.removeprefix("http://").rstrip("/").split(":")
        images = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
        asking = http.client.HTTPConnection(host, int(port), timeout=30)
        told = {"Content-Type": "application/octet-stream"}
        asking.request("POST", "/api/predict/batch", images.tobytes(), told)
        answers = json.loads(asking.getresponse().read())["answers"]
        asking.close()
        serving.send_signal(by)
        out, err = serving.communicate(timeout=30)
    assert serving.returncode == code
    assert out == ""
    assert "Traceback" not in err
    expected = pretrained().predict_proba(images)
    # Pictures of other requests may share the batch, which changes the last bit.
    np.testing.assert_allclose([each["probabilities"] for each in answers], expected, atol=1e-6)
