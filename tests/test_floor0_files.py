"""A file that is rewritten is the old one or the new one, whatever moment fails, and damage is noticed.

The moments are counted, not guessed: a write is stopped before its first call to the system, then before
its second, and so on until one comes through.
"""

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tenfold import files
from tenfold.errors import CorruptFile, ModelError, UsageError
from tenfold.files import (
    check_seal,
    locked,
    read_json,
    read_sealed,
    read_sealed_json,
    seal,
    sweep,
    write_bytes,
    write_folder,
    write_json,
    write_sealed_json,
)

OLD, NEW = b"old" * 1_000, b"new" * 1_500
SYSTEM_CALLS = ("urandom", "open", "write", "flush", "fsync", "stat", "read", "replace")


def write_with_a_failing_call(target: Path, failing: int) -> str | None:
    """Write NEW with the 1st, 2nd, ... call to the system refused -> that call, or None if it had fewer."""
    refused = None
    calls = 0

    def count(_: FrameType, event: str, function: Any) -> None:
        nonlocal calls, refused
        calls += event == "c_call" and function.__name__ in SYSTEM_CALLS
        if calls == failing:
            refused = function.__name__
            raise OSError(28, "No space left on device")

    sys.setprofile(count)  # an error it raises is raised by the call, and ends the counting
    try:
        write_bytes(target, NEW)
    except OSError:
        assert refused
    finally:
        sys.setprofile(None)
    return refused


def test_a_write_whose_calls_fail_leaves_the_old_or_the_new_file_and_nothing_else(tmp_path):
    target = tmp_path / "run.json"
    refused, left = [], []
    while None not in refused:
        target.write_bytes(OLD)
        refused.append(write_with_a_failing_call(target, len(refused) + 1))
        left.append(target.read_bytes())
        assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    # Up to the replacing call the old file stands, after it the new one.
    done = refused.index("replace") + 1
    assert left == [OLD] * done + [NEW] * (len(left) - done)
    assert set(refused[:done]) == set(SYSTEM_CALLS)
    assert refused[done:] == ["open", "fsync", None]


def test_a_process_killed_at_any_moment_leaves_the_old_or_the_new_file(tmp_path):
    """In a process of its own, which forks one for each moment: it is small and has one thread."""
    code = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from tenfold.files import write_bytes, sweep
target = Path({str(tmp_path / "run.json")!r})
OLD, NEW = {OLD!r}, {NEW!r}
for moment in range(1, 10_000):
    target.write_bytes(OLD)
    child = os.fork()
    if child == 0:
        calls = 0
        def count(frame, event, argument):
            global calls
            calls += event == "c_call"
            if calls == moment:
                os.kill(os.getpid(), 9)
        sys.setprofile(count)
        write_bytes(target, NEW)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert target.read_bytes() in ((NEW,) if status == 0 else (OLD, NEW)), moment
    assert len(list(target.parent.iterdir())) <= 2
    sweep(target.parent)
    assert list(target.parent.iterdir()) == [target]
    if status == 0:
        print("moments", moment)
        break
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[1]) > 20


def test_a_process_killed_at_random_leaves_a_whole_file(tmp_path):
    """Real kills, of a process that writes a megabyte of one letter, then of the next, as fast as it can."""
    target = tmp_path / "weights.safetensors"
    code = f"""
import sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from tenfold.files import write_bytes
while True:
    for letter in b"abc":
        write_bytes(Path({str(target)!r}), bytes([letter]) * 2**20)
        print("written", flush=True)
"""
    for wait in range(6):
        writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        time.sleep(0.007 * wait)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        assert writer.returncode == -signal.SIGKILL
        content = target.read_bytes()
        assert len(content) == 2**20
        assert len(set(content)) == 1
        target.unlink()
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_write_takes_the_steps_of_the_protocol_in_order(tmp_path, monkeypatch):
    """Losing power cannot be tried out here; that each step is there, and when, can."""
    steps: list[str] = []
    target = tmp_path / "model" / "weights"

    def fsync(handle: int, do: Callable[[int], None] = os.fsync) -> None:
        about = os.fstat(handle)
        steps.append(
            "sync folder" if stat.S_ISDIR(about.st_mode) else f"sync {about.st_size} bytes"
        )
        do(handle)

    def check(path: Path, written: files.Seal, do: Callable[..., None] = files._check_kept) -> None:
        assert path.parent == target.parent
        steps.append("read back")
        do(path, written)

    def replace(source: Path, place: Path, do: Callable[[Path, Path], None] = os.replace) -> None:
        steps.append(f"replace {place.name}")
        do(source, place)

    monkeypatch.setattr(files.os, "fsync", fsync)
    monkeypatch.setattr(files.os, "replace", replace)
    monkeypatch.setattr(files, "_check_kept", check)
    assert write_bytes(target, NEW) == seal(NEW)
    assert steps == [f"sync {len(NEW)} bytes", "read back", "replace weights", "sync folder"]


def test_what_is_taken_back_was_never_written(tmp_path):
    target = tmp_path / "rows.csv"
    with files.replacing(target) as file:
        file.write(b"first\n")
        take_back = file.mark()
        for attempt in (b"a half\n", b"another half, longer\n"):
            file.write(attempt)
            take_back()
        assert not target.exists()
        file.write(b"last\n")
    assert target.read_bytes() == b"first\nlast\n"


def test_an_error_while_a_file_is_written_leaves_the_old_one(tmp_path):
    target = tmp_path / "rows.csv"
    write_bytes(target, OLD)

    def stopped() -> None:
        with files.replacing(target) as file:
            file.write(NEW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert target.read_bytes() == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_a_disk_that_does_not_keep_what_it_was_given_is_noticed(tmp_path, monkeypatch):
    target = tmp_path / "weights"
    write_bytes(target, OLD)

    def rot(handle: int) -> None:
        os.pwrite(handle, b"?", 7)

    monkeypatch.setattr(files.os, "fsync", rot)
    with pytest.raises(CorruptFile, match="the disk gives back other ones"):
        write_bytes(target, NEW)
    assert target.read_bytes() == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["weights"]


def test_a_place_that_cannot_be_written_is_an_oserror_and_leaves_nothing(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(OLD)
    for place in (tmp_path / "folder", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match="directory|exists"):
            write_bytes(place, NEW)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


def test_a_seal_is_the_sha256_of_fips_180_and_the_size():
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert seal(b"abc") == {"sha256": sha256, "bytes": 3}


def test_what_is_read_under_a_seal_is_what_was_written(tmp_path):
    sealed = write_bytes(tmp_path / "made" / "on the way", NEW)
    assert check_seal(tmp_path / "made" / "on the way", sealed) == NEW


@pytest.mark.parametrize(
    ("damaged", "sentence"),
    [
        (NEW[:-1], "expected 4,500 bytes, received 4,499"),
        (NEW + b"!", "received 4,501"),
        (NEW[:2_000] + b"W" + NEW[2_001:], "sha256 is not the one on record"),
        (None, "cannot be read .No such file"),
    ],
)
def test_a_file_that_was_changed_is_not_believed(tmp_path, damaged, sentence):
    path = tmp_path / "weights"
    if damaged is not None:
        path.write_bytes(damaged)
    with pytest.raises(CorruptFile, match=sentence):
        check_seal(path, seal(NEW))


def test_json_comes_back_as_it_was_written_and_is_for_people_too(tmp_path):
    value = {"loss": 0.1, "words": ["größer", None, True], "big": 2**63 - 1}
    write_json(tmp_path / "run.json", value)
    assert read_json(tmp_path / "run.json") == value
    assert (tmp_path / "run.json").read_text().splitlines()[1] == '  "loss": 0.1,'


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_lacks_is_not_written(tmp_path, number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "run.json", {"loss": number})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"a": 1} x', b"\xff\xfe", b"[" * 200_000, b"1" * 5_000], ids=len
)
def test_what_is_no_json_is_a_damaged_file(tmp_path, content):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(CorruptFile, match=r"run\.json: expected JSON.*Restore it from a copy"):
        read_json(tmp_path / "run.json")


def test_json_that_is_not_there_or_too_much_is_a_damaged_file(tmp_path, monkeypatch):
    with pytest.raises(CorruptFile, match=r"run\.json: cannot be read"):
        read_json(tmp_path / "run.json")
    with pytest.raises(CorruptFile, match="cannot be read"):
        read_json(tmp_path)
    monkeypatch.setattr(files, "MAX_JSON_BYTES", 10)
    (tmp_path / "run.json").write_bytes(b"[1, 2, 3, 4]")
    with pytest.raises(CorruptFile, match="at most 10 bytes"):
        read_json(tmp_path / "run.json")


def test_a_sweep_takes_what_killed_writes_left_and_nothing_else(tmp_path):
    kept = ["run.json", ".lock", "notes.tmp", "model/weights"]
    for name in [*kept, ".run.json.0a1b2c.tmp", "model/.weights.ffee00.tmp"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    sweep(tmp_path)
    left = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted(left) == sorted(kept)


def test_a_folder_is_held_by_one_process_until_it_dies(tmp_path):
    code = f"""
import sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from tenfold.files import locked
with locked(Path({str(tmp_path / "run")!r})):
    print("held", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(UsageError, match=r"run: another process is writing here"),
            locked(tmp_path / "run"),
        ):
            pass
        holder.kill()
    with locked(tmp_path / "run"):
        pass


def test_a_folder_is_free_again_after_an_error_inside(tmp_path):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), locked(tmp_path):
            _ = 1 / 0


def test_sealed_json_is_json_that_carries_the_hash_of_what_stands_before_it(tmp_path):
    path = tmp_path / "run.json"
    write_sealed_json(path, {"status": "done", "results": {"correct": 9}})
    assert read_sealed_json(path) == {"status": "done", "results": {"correct": 9}}
    before, _, own = path.read_bytes().rpartition(b',\n  "sha256": ')
    assert json.loads(own.removesuffix(b"\n}\n")) == hashlib.sha256(before).hexdigest()


def test_every_bit_and_every_length_of_sealed_json_counts(tmp_path):
    path = tmp_path / "run.json"
    write_sealed_json(path, {"correct": 9, "note": "a b"})
    content = path.read_bytes()
    flipped = [
        content[:i] + bytes([content[i] ^ 1 << bit]) + content[i + 1 :]
        for i in range(len(content))
        for bit in range(8)
    ]
    for damaged in [*flipped, *(content[:n] for n in range(len(content))), content + b"\n"]:
        path.write_bytes(damaged)
        with pytest.raises(CorruptFile, match=r"run\.json"):
            read_sealed_json(path)


def test_another_format_is_refused_and_an_own_one_read(tmp_path):
    path = tmp_path / "run.json"
    write_sealed_json(path, {"format": 2, "correct": 9})
    assert read_sealed(path, format_number=2) == {"format": 2, "correct": 9}
    with pytest.raises(ModelError, match="expected format 1, received 2"):
        read_sealed(path, format_number=1)
    write_sealed_json(path, {"correct": 9})
    with pytest.raises(ModelError, match="expected format 1, received None"):
        read_sealed(path, format_number=1)


@pytest.mark.parametrize("is_there", [False, True])
def test_of_a_folder_that_cannot_be_filled_nothing_stays(tmp_path, monkeypatch, is_there):
    def full(path: Path, content: bytes) -> Any:
        if path.name == "second":
            raise OSError(28, "No space left on device", str(path))
        return write_bytes(path, content)

    folder = tmp_path / "page"
    if is_there:
        folder.mkdir()
    monkeypatch.setattr(files, "write_bytes", full)
    with pytest.raises(OSError, match="second"):
        write_folder(folder, {"first": OLD, "second": NEW})
    assert folder.exists() == is_there
    assert not is_there or list(folder.iterdir()) == []
    monkeypatch.undo()
    write_folder(folder, {"first": OLD, "second": NEW})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "first": OLD,
        "second": NEW,
    }
