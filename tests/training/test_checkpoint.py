"""Checkpoints: what is read is what was written, and damage is seen, named and survived."""

import os

import numpy as np
import pytest

from tenfold.errors import CorruptFile
from tenfold.training.checkpoint import load_checkpoint, save_checkpoint
from tenfold.training.loop import EpochResult, Progress


def progress(epochs: int, *, best: bool = False) -> Progress:
    rng = np.random.default_rng(epochs)
    state = {
        "weights/dense_1/kernel": rng.normal(size=(7, 10)).astype(np.float32),
        "step": np.array(epochs * 30, np.int64),
    }
    history = tuple(EpochResult(e + 1, 0.25, 1 / 3, 0.5, 0.1, 0.9) for e in range(epochs))
    return Progress(history, state, dict(state) if best else None)


def refuse(message):
    raise AssertionError(f"nothing should have been said, received: {message}")


def assert_same(found, expected):
    assert found.history == expected.history
    assert found.state.keys() == expected.state.keys()
    for name, array in expected.state.items():
        assert found.state[name].dtype == array.dtype
        assert found.state[name].shape == array.shape
        assert found.state[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("best", [False, True])
def test_what_is_read_is_what_was_written_bit_for_bit(tmp_path, best):
    save_checkpoint(tmp_path, progress(3, best=best))
    found = load_checkpoint(tmp_path, say=refuse)
    assert_same(found, progress(3, best=best))
    assert (found.best is not None) == best


def test_an_array_that_does_not_lie_in_order_is_not_scrambled(tmp_path):
    transposed = np.arange(6, dtype=np.float32).reshape(2, 3).T
    save_checkpoint(tmp_path, Progress(progress(1).history, {"weights/dense_1/kernel": transposed}))
    found = load_checkpoint(tmp_path, say=refuse).state["weights/dense_1/kernel"]
    assert found.tolist() == [[0, 3], [1, 4], [2, 5]]


def test_no_checkpoint_is_no_error(tmp_path):
    assert load_checkpoint(tmp_path / "none", say=refuse) is None


def test_the_two_newest_are_kept(tmp_path):
    for epochs in (1, 2, 10):
        save_checkpoint(tmp_path, progress(epochs))
    assert [p.name[:12] for p in sorted(tmp_path.iterdir())] == ["epoch-000002", "epoch-000010"]
    assert len(load_checkpoint(tmp_path, say=refuse).history) == 10


def test_a_damaged_newest_is_named_and_the_one_before_it_taken(tmp_path):
    save_checkpoint(tmp_path, progress(1))
    newest = save_checkpoint(tmp_path, progress(2))
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    said = []
    assert_same(load_checkpoint(tmp_path, say=said.append), progress(1))
    assert newest.name in said[0]


def test_when_all_are_damaged_they_are_named(tmp_path):
    path = save_checkpoint(tmp_path, progress(1))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptFile, match=path.name):
        load_checkpoint(tmp_path, say=lambda _: None)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_checkpoints_that_were_there(tmp_path, monkeypatch, call):
    save_checkpoint(tmp_path, progress(1))

    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(OSError, match="No space"):
            save_checkpoint(tmp_path, progress(2))
    assert_same(load_checkpoint(tmp_path, say=refuse), progress(1))
    assert len(list(tmp_path.iterdir())) == 1
