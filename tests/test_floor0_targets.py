"""Where a file may be written: what stands there already is lost only if it was meant to be."""

import os
import stat
from pathlib import Path

import pytest

from tenfold.errors import UsageError
from tenfold.files import check_target, write_bytes

OLD, NEW = b"old", b"new"


def test_an_error_names_the_place_that_was_asked_for(tmp_path):
    place = tmp_path / "folder"
    place.mkdir()
    with pytest.raises(IsADirectoryError) as error:
        write_bytes(place, NEW)
    assert (error.value.filename, error.value.filename2) == (str(place), None)


@pytest.mark.parametrize("letter", ["n", "\u00fc", "\u4e2d"])
def test_the_longest_name_that_a_file_can_have_can_be_written(tmp_path, letter):
    # 255 bytes in the file systems of Linux and macOS.
    place = tmp_path / (letter * (255 // len(letter.encode())))
    write_bytes(place, NEW)
    assert place.read_bytes() == NEW


def test_a_folder_is_no_target_for_a_file(tmp_path):
    assert check_target(tmp_path / "new") == tmp_path / "new"
    with pytest.raises(UsageError, match="sign for standard output"):
        check_target(Path("-"))
    with pytest.raises(UsageError, match="received a folder. Name a file in it"):
        check_target(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_what_is_no_file_is_never_replaced_by_one(tmp_path):
    # A pipe stands for the devices too: a test must not try its luck on /dev/null.
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for place in (pipe, link):
        for write in (check_target, lambda path: write_bytes(path, NEW)):
            with pytest.raises(UsageError, match="received a device, pipe or socket"):
                write(place)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    assert stat.S_ISLNK(link.lstat().st_mode)


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path):
    (tmp_path / "far").mkdir()
    for name in ("old", "new"):
        (tmp_path / name).symlink_to(tmp_path / "far" / name)
    (tmp_path / "far" / "old").write_bytes(OLD)
    for name in ("old", "new"):
        write_bytes(tmp_path / name, NEW)
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / "far" / name).read_bytes() == NEW
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["far", "new", "new", "old", "old"]


def test_an_input_is_no_target_by_whatever_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text("1\n")
    Path("link.csv").symlink_to("in.csv")
    inputs = [Path("missing"), Path("a\0b"), Path("in.csv")]
    for name in ("in.csv", "./in.csv", "link.csv", str(tmp_path / "in.csv")):
        with pytest.raises(UsageError, match="the input in.csv, which would be lost"):
            check_target(Path(name), inputs=inputs)
    assert check_target(Path("out.csv"), inputs=inputs) == Path("out.csv")
