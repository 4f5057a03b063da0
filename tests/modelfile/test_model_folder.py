import builtins
import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tenfold import files
from tenfold.errors import CorruptFile, ModelError, UsageError
from tenfold.layers import Dense
from tenfold.modelfile import (
    Model,
    OnnxClassifier,
    check_parity,
    load_model,
    open_classifier,
    save_model,
)
from tenfold.modelfile.onnx_graph import to_onnx
from tenfold.network import Network
from tenfold.weights import Member

NAMES = ["model.json", "weights.safetensors", "model.onnx", "trained_on.bin", "manifest.json"]
TRAINED_ON = np.array([2**64 - 1, 7, 2**40, 7], np.uint64)


def test_what_was_saved_comes_back_bit_for_bit(pristine, mixed_network, draw_weights):
    model = load_model(pristine)
    weights = draw_weights(mixed_network)
    [(network, loaded)] = model.members
    assert network == mixed_network
    assert list(loaded) == [p.name for p in mixed_network.parameters]
    for name, array in weights.items():
        assert loaded[name].tobytes() == array.tobytes()
    assert model.trained_on.tolist() == [7, 2**40, 2**64 - 1]
    assert model.about == {"recipe": "mixed", "seed": 2**63 - 1}
    assert sorted(path.name for path in pristine.iterdir()) == sorted(NAMES)


def test_the_same_model_is_saved_as_the_same_bytes(pristine, tmp_path):
    model = load_model(pristine)
    [(network, weights)] = model.members
    turned = {name: np.asfortranarray(weights[name]) for name in reversed(weights)}
    save_model(tmp_path / "again", model._replace(members=(Member(network, turned),)))
    for name in NAMES:
        assert (tmp_path / "again" / name).read_bytes() == (pristine / name).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_every_flipped_bit_is_noticed_and_its_file_named(folder, name):
    raw = (folder / name).read_bytes()
    bits = np.random.default_rng(3).permutation(8 * len(raw))[:300]
    for bit in bits:
        damaged = bytearray(raw)
        damaged[bit // 8] ^= 1 << (bit % 8)
        (folder / name).write_bytes(damaged)
        with pytest.raises(CorruptFile, match=name):
            load_model(folder)
        if name in ("model.onnx", "manifest.json"):
            with pytest.raises(CorruptFile, match=name):
                open_classifier(folder)


@pytest.mark.parametrize("name", NAMES)
def test_every_cut_or_lengthened_file_is_noticed_and_named(folder, name):
    raw = (folder / name).read_bytes()
    cuts = {*range(0, len(raw), -(-len(raw) // 60)), len(raw) - 1}
    for damaged in [*(raw[:cut] for cut in cuts), raw + b"\n", raw + b"\0"]:
        (folder / name).write_bytes(damaged)
        with pytest.raises(CorruptFile, match=name):
            load_model(folder)


@pytest.mark.parametrize("name", NAMES[:-1])
def test_a_file_that_is_gone_or_of_another_model_is_named(folder, tmp_path, name):
    other = Network(Dense(10))
    weights = {"dense_1/kernel": np.ones((784, 10), np.float32), "dense_1/bias": np.ones(10)}
    weights["dense_1/bias"] = weights["dense_1/bias"].astype(np.float32)
    save_model(tmp_path / "other", Model((Member(other, weights),), TRAINED_ON[:1], {}))
    shutil.copy(tmp_path / "other" / name, folder / name)
    with pytest.raises(CorruptFile, match=name):
        load_model(folder)
    (folder / name).unlink()
    with pytest.raises(CorruptFile, match=name):
        load_model(folder)


class _Killed(BaseException):
    """The process is gone: nothing after it runs, no clean-up either."""


class _Faults:
    """Counts writes, fsyncs, replaces and removals; the `fatal`-th one fails, or is the last there is."""

    def __init__(self, monkeypatch, fatal, *, killed):
        self.calls, self._fatal, self._killed = 0, fatal, killed
        for owner, name in [(os, "replace"), (os, "fsync"), (Path, "unlink")]:
            monkeypatch.setattr(owner, name, self._counted(getattr(owner, name)))
        monkeypatch.setattr(files, "open", self._open, raising=False)

    def _counted(self, call):
        def counted(*args, **kwargs):
            self._tick()
            return call(*args, **kwargs)

        return counted

    def _open(self, path, mode):
        file = builtins.open(path, mode)  # noqa: SIM115  files.py closes it
        write = file.write

        def torn(content):
            try:
                self._tick()
            except BaseException:
                write(content[: len(content) // 2])
                file.close()
                raise
            write(content)

        file.write = torn
        return file

    def _tick(self):
        self.calls += 1
        if self._killed and self.calls >= self._fatal:
            raise _Killed
        if self.calls == self._fatal:
            raise OSError(errno.ENOSPC, "No space left on device")


def _save_with_faults(folder, model, *, fatal, killed):
    """-> whether the save came to its end in spite of the fault."""
    with pytest.MonkeyPatch.context() as patch:
        faults = _Faults(patch, fatal, killed=killed)
        try:
            save_model(folder, model)
        except (OSError, _Killed):
            return False
        return faults.calls < fatal


def _same(one, other):
    return (
        (one.about, one.shifts) == (other.about, other.shifts)
        and one.trained_on.tolist() == other.trained_on.tolist()
        and [network for network, _ in one.members] == [network for network, _ in other.members]
        and all(
            np.array_equal(ours[name], theirs[name])
            for (_, ours), (_, theirs) in zip(one.members, other.members, strict=True)
            for name in theirs
        )
    )


@pytest.fixture(scope="module")
def new(pristine):
    """A model that differs in every file: another network beside that of the old one, and shifts."""
    old = load_model(pristine)
    [(network, weights)] = old.members
    changed = Member(network, {name: array + 1 for name, array in weights.items()})
    small = Network(Dense(10, bias=False))
    other = Member(small, {"dense_1/kernel": np.full((784, 10), 0.01, np.float32)})
    return Model((changed, other), TRAINED_ON[:2] + 1, {"seed": 2}, shifts=2)


@pytest.mark.parametrize("killed", [False, True])
def test_a_first_save_cut_off_anywhere_leaves_no_model_or_the_whole_one(tmp_path, new, killed):
    for fatal in range(1, 100):
        folder = tmp_path / str(fatal)
        finished = _save_with_faults(folder, new, fatal=fatal, killed=killed)
        try:
            assert _same(load_model(folder), new)
        except ModelError:
            assert not finished
        if finished:
            break
    # A write, two fsyncs and a replace for each of five files, then four names: 24 places to fail.
    assert fatal == 25


@pytest.mark.parametrize("killed", [False, True])
def test_a_save_over_a_model_cut_off_anywhere_leaves_the_old_or_the_new_one(
    tmp_path, pristine, new, noise, killed
):
    old, seen = load_model(pristine), []
    for fatal in range(1, 100):
        folder = Path(shutil.copytree(pristine, tmp_path / str(fatal)))
        finished = _save_with_faults(folder, new, fatal=fatal, killed=killed)
        model = load_model(folder)
        seen.append("new" if _same(model, new) else "old")
        assert _same(model, new) or _same(model, old)
        # The graph is the one of these weights, not the other's.
        graph = OnnxClassifier(to_onnx(model.members, shifts=model.shifts), source="test")
        assert check_parity(open_classifier(folder), graph, noise) == 0
        if finished:
            break
    # The manifest is the fifth file; its replace is the 19th step, and nothing before it commits.
    assert seen == ["old"] * 19 + ["new"] * 6


def test_a_save_after_two_that_were_cut_off_after_their_commit_loses_nothing(folder, new, pristine):
    # Killed before the second of four names is given: three new files wait under their staged names.
    assert not _save_with_faults(folder, new, fatal=22, killed=True)
    assert _same(load_model(folder), new)
    # The next save is killed before its commit: what was committed last must still be whole.
    for fatal in range(1, 20):
        copy = Path(shutil.copytree(folder, folder.with_name(f"copy{fatal}")))
        assert not _save_with_faults(copy, load_model(pristine), fatal=fatal, killed=True)
        assert _same(load_model(copy), new)
    save_model(folder, load_model(pristine)._replace(about={}))
    assert load_model(folder).about == {}
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)


def test_weights_that_are_not_finite_are_refused_and_the_old_model_stays(folder, new):
    old = load_model(folder)
    first, (network, weights) = new.members
    broken = Member(network, {name: array * np.float32(np.nan) for name, array in weights.items()})
    with pytest.raises(ModelError, match="NaN"):
        save_model(folder, new._replace(members=(first, broken)))
    assert _same(load_model(folder), old)


def test_what_could_not_be_read_back_is_not_written(tmp_path, new):
    for changes, words in [
        ({"about": {"share": 0.5}}, "whole numbers"),
        ({"members": ()}, "at least one network"),
        ({"shifts": 5}, "from 0 to 4"),
        ({"shifts": True}, "from 0 to 4"),
    ]:
        with pytest.raises((ModelError, UsageError), match=words):
            save_model(tmp_path / "model", new._replace(**changes))
        assert not (tmp_path / "model").exists()


def test_a_folder_without_a_manifest_is_no_model(tmp_path):
    with pytest.raises(ModelError, match=r"no manifest\.json"):
        load_model(tmp_path)
