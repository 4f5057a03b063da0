"""What is held back while TensorFlow is imported, and that everything else comes through, in order."""

import os

import pytest

from tenfold.keras_engine.quiet import REMARKS, without_remarks


def test_remarks_are_dropped_and_all_else_is_heard_even_when_it_fails(capfd):
    with pytest.raises(ImportError), without_remarks():  # noqa: PT012  what is written, then the failure
        os.write(2, b"first\nI0000 port.cc:153] " + REMARKS[0] + b". You may see ...\n")
        os.write(2, b"E0000 a real error\n")
        raise ImportError
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "first\nE0000 a real error\nafter\n"


def test_a_process_without_standard_error_is_left_alone():
    kept = os.dup(2)
    os.close(2)
    try:
        with without_remarks():
            heard = True
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert heard
