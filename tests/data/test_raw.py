"""Files that are no files, and gzip streams that are not what they claim."""

import gzip
import os
import zlib
from pathlib import Path

import pytest

from tenfold.data.raw import gunzip, names_in, read_file
from tenfold.errors import DataError


def test_a_file_is_read_to_its_last_byte(tmp_path: Path) -> None:
    content = os.urandom(10_001)
    (tmp_path / "file").write_bytes(content)
    assert read_file(tmp_path / "file") == content


def test_a_small_file_takes_little_memory_whatever_is_allowed(tmp_path: Path, peak_memory) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with peak_memory() as peak:
        read_file(tmp_path / "file", at_most=2**30)
    assert peak[0] < 2**20


def a_folder(path: Path) -> None:
    path.mkdir()


def an_empty_file(path: Path) -> None:
    path.touch()


def a_large_file(path: Path) -> None:
    path.write_bytes(bytes(1001))


def a_pipe_nobody_writes_to(path: Path) -> None:
    os.mkfifo(path)


def a_link_to_a_device_without_end(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def a_file_in_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.touch()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no such file"),
        (a_folder, "received a folder"),
        (an_empty_file, "expected a file of 1 to 1,000 bytes, received 0"),
        (a_large_file, "expected a file of 1 to 1,000 bytes, received 1,001"),
        (a_pipe_nobody_writes_to, "received a device, pipe or socket. Copy"),
        (a_link_to_a_device_without_end, "received a device, pipe or socket. Copy"),
        (a_link_to_itself, "cannot be read"),
        (a_file_in_a_file, "cannot be read"),
    ],
)
def test_what_is_no_ordinary_file_is_named_and_not_read(tmp_path: Path, make, says: str) -> None:
    path = tmp_path / "folder" / "thing"
    path.parent.mkdir()
    make(path)
    with pytest.raises(DataError, match=says) as caught:
        read_file(path, at_most=1000)
    assert str(path) in str(caught.value)


def test_a_name_with_a_zero_byte_is_a_data_error() -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_file(Path("a\0b"))
    with pytest.raises(DataError, match="cannot be read"):
        names_in(Path("a\0b"))


def test_a_closed_file_and_a_closed_folder_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"x")

    # Tests may run as root, whom no permission stops.
    def closed(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", closed)
    monkeypatch.setattr("os.listdir", closed)
    with pytest.raises(DataError, match=r"file: cannot be read \(Permission denied\)"):
        read_file(tmp_path / "file")
    with pytest.raises(DataError, match=r"cannot be read \(Permission denied\)"):
        names_in(tmp_path)


def test_a_folder_that_is_a_file_or_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="file: expected a folder, received a file"):
        names_in(tmp_path / "file")
    with pytest.raises(DataError, match="nothing: no such folder"):
        names_in(tmp_path / "nothing")


def pack(content: bytes) -> bytes:
    """Gzip without the time of day, so that a test has the same name in every process."""
    return gzip.compress(content, mtime=0)


def only_words(value: object) -> str:
    """The expected message names a test, the bytes do not."""
    return value if isinstance(value, str) else ""


PLAIN = bytes(range(256)) * 40
PACKED = pack(PLAIN)


def test_a_gzip_stream_gives_its_content_up_to_the_very_limit() -> None:
    assert gunzip(PACKED, at_most=len(PLAIN), where="f") == PLAIN


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        (PACKED[:-1], "cut short"),
        (PACKED[: len(PACKED) // 2], "cut short"),
        (PACKED[:5], "cut short"),
        (PACKED + b"\0", "received 1 more bytes"),
        (PACKED + PACKED, "nothing after the gzip stream"),
        (PACKED[:-5] + bytes([PACKED[-5] ^ 1]) + PACKED[-4:], "damaged one .*data check"),
        (PACKED[:20] + bytes([PACKED[20] ^ 255]) + PACKED[21:], "damaged|cut short"),
        (b"\x1f\x8b" + b"x" * 50, "damaged"),
        (zlib.compress(PLAIN), "damaged"),
    ],
    ids=only_words,
)
def test_a_gzip_stream_that_is_not_whole_and_alone_is_refused(packed: bytes, says: str) -> None:
    with pytest.raises(DataError, match=f"^f.gz: .*(?:{says})"):
        gunzip(packed, at_most=10**6, where="f.gz")


def test_every_cut_of_a_gzip_stream_is_found() -> None:
    for end in range(2, len(PACKED)):
        with pytest.raises(DataError, match="cut short"):
            gunzip(PACKED[:end], at_most=10**6, where="f")


def test_a_gzip_bomb_is_refused_before_it_fills_memory(peak_memory) -> None:
    bomb = pack(bytes(16 * 2**20))  # 16 KB that become 16 MiB
    with peak_memory() as peak, pytest.raises(DataError, match="goes on"):
        gunzip(bomb, at_most=2**30, where="f")
    # 100 times the packed size may be unpacked, and is joined from pieces into one.
    assert peak[0] < 2.5 * 100 * len(bomb)
