"""Writing files so that a crash at any moment leaves the old one or the new one, never half of one.

A write is: temporary file in the same folder, write, flush, fsync, read back and compare the hash,
replace, fsync the folder. A reader checks size and sha256 before it trusts a byte.
Source: Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014 (a rename without an
fsync before it is among the commonest crash bugs).
"""

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypedDict

from tenfold.errors import CorruptFile, ModelError, UsageError

MAX_JSON_BYTES = 64 * 2**20
_TEMPORARY = ".tmp"
_BLOCK_BYTES = 2**20
_OWN_SEAL = b',\n  "sha256": "'


class Seal(TypedDict):
    """What a file was when it was written."""

    sha256: str
    bytes: int


def seal(content: bytes) -> Seal:
    """The sha256 and size of some bytes."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def write_bytes(path: Path, content: bytes) -> Seal:
    """Put `content` at `path` as the protocol above says; the folder is made where it is missing.

    Raises:
        OSError: the disk is full, or the place may not be written; what stood at `path` is untouched.
    """
    with replacing(path) as file:
        file.write(content)
    return seal(content)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put files into a new or empty folder, all of them or none.

    Raises:
        OSError: as `write_bytes` says.
    """
    is_new = not folder.exists()
    try:
        for name, content in files.items():
            write_bytes(folder / name, content)
    except BaseException:
        for name in files:
            (folder / name).unlink(missing_ok=True)
        if is_new:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


class Writer:
    """The file that `replacing` gives: written piece by piece, and taken back to a mark where that is wanted."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._bytes = 0

    def write(self, content: bytes) -> None:
        """Append `content`."""
        self._file.write(content)
        self._digest.update(content)
        self._bytes += len(content)

    def mark(self) -> Callable[[], None]:
        """A call of what this gives takes back all that is written from now on."""
        digest, size = self._digest.copy(), self._bytes

        def take_back() -> None:
            self._file.seek(size)
            self._file.truncate()
            self._digest, self._bytes = digest.copy(), size

        return take_back

    @property
    def seal(self) -> Seal:
        """What the file is to hold."""
        return {"sha256": self._digest.hexdigest(), "bytes": self._bytes}


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Writer]:
    """A file that is put at `path`, as the protocol above says, once the block ends without an error.

    A link stays one: what it leads to is written.

    Raises:
        UsageError: a device, pipe or socket stands there, which would be replaced for everybody.
        OSError: the disk is full, or the place may not be written; what stood at `path` is untouched.
    """
    _check_ordinary(path)
    place = Path(os.path.realpath(path)) if os.path.islink(path) else path
    place.parent.mkdir(parents=True, exist_ok=True)
    # Only the beginning of a long name: with more behind it the whole might be longer than names may be.
    temporary = place.with_name(f".{place.name[:40]}.{secrets.token_hex(6)}{_TEMPORARY}")
    try:
        with open(temporary, "xb") as file:
            writer = Writer(file)
            yield writer
            file.flush()
            os.fsync(file.fileno())
        _check_kept(temporary, writer.seal)
        os.replace(temporary, place)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        # The temporary file is gone, and nobody who asked knows it.
        if (
            isinstance(error, OSError)
            and error.errno is not None
            and error.filename in (None, str(temporary))
        ):
            error.filename, error.filename2 = str(path), None
        raise
    _sync_folder(place.parent)


def check_target(path: Path, *, inputs: Iterable[Path] = ()) -> Path:
    """A place for a file that is to be written; UsageError for "-", or where a folder, a device or an input stands."""
    if str(path) == "-":
        raise UsageError(
            "-: expected a file to write, received the sign for standard output. Leave the option out, or name a file."
        )
    if path.is_dir():
        raise UsageError(f"{path}: expected a file to write, received a folder. Name a file in it.")
    _check_ordinary(path)
    for one in inputs:
        if _is_same(one, path):
            raise UsageError(
                f"{path}: expected another file to write than the input {one}, which would be lost. "
                "Name a new one."
            )
    return path


def _check_ordinary(path: Path) -> None:
    """UsageError where a device, pipe or socket stands, or a link to one."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UsageError(
            f"{path}: expected a file to write, received a device, pipe or socket. Name a file."
        )


def _is_same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    # One is not there, or its name is none that a file can have.
    except (OSError, ValueError):
        return False


def check_free(folder: Path) -> None:
    """A place for a folder that is to be made: nothing there or an empty one; otherwise UsageError."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(
            f"{folder}: expected a new or empty folder, received a file. Name another one."
        )
    if folder.is_dir() and any(entry.name != ".lock" for entry in folder.iterdir()):
        raise UsageError(
            f"{folder}: expected a new or empty folder, received one that holds other things. "
            f"Name a new one, such as {folder / 'new'}."
        )


def write_json(path: Path, value: Any) -> Seal:
    """Write a value as indented JSON; NaN and infinities, which JSON lacks, are a ValueError."""
    return write_bytes(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def write_sealed_json(path: Path, value: Mapping[str, Any]) -> Seal:
    """Write an object as JSON whose last member, "sha256", is that of all the bytes before it."""
    head = json.dumps(value, indent=2, allow_nan=False).removesuffix("\n}").encode()
    return write_bytes(path, head + _own_seal(head))


def read_sealed_json(path: Path) -> dict[str, Any]:
    """The object that `write_sealed_json` put into `path`; CorruptFile where a byte of it has changed."""
    value = read_json(path)
    content = path.read_bytes()
    head = content[: content.rfind(_OWN_SEAL)]
    if not isinstance(value, dict) or content != head + _own_seal(head):
        raise CorruptFile(
            f"{path}: the content does not agree with the sha256 it carries. The file is damaged or was "
            "edited: restore it from a copy, or train again."
        )
    del value["sha256"]
    return value


def read_sealed(path: Path, *, format_number: int) -> dict[str, Any]:
    """What `read_sealed_json` reads, whose "format" must be this one.

    Raises:
        CorruptFile: a byte of it has changed.
        ModelError: another version of tenfold wrote it, in another form.
    """
    value = read_sealed_json(path)
    if value.get("format") != format_number:
        raise ModelError(
            f"{path}: expected format {format_number}, received {value.get('format')!r}. Another version of "
            "tenfold wrote it: use that one, or update with `pip install -U tenfold`."
        )
    return value


def read_json(path: Path) -> Any:
    """The JSON value in `path`, or CorruptFile."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise CorruptFile(f"{path}: expected at most {MAX_JSON_BYTES:,} bytes of JSON.")
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise CorruptFile(
            f"{path}: expected JSON, received something else ({error}). Restore it from a copy."
        ) from error
    except OSError as error:
        raise CorruptFile(f"{path}: cannot be read ({error.strerror or error}).") from error


def check_seal(path: Path, expected: Seal) -> bytes:
    """The bytes of `path`, once size and sha256 agree with `expected`; otherwise CorruptFile."""
    try:
        size = path.stat().st_size
        if size != expected["bytes"]:
            raise CorruptFile(
                f"{path}: expected {expected['bytes']:,} bytes, received {size:,}. The file is damaged "
                "or was changed after it was written: restore it from a copy, or train again."
            )
        content = path.read_bytes()
    except OSError as error:
        if isinstance(error, CorruptFile):
            raise
        raise CorruptFile(f"{path}: cannot be read ({error.strerror or error}).") from error
    if seal(content)["sha256"] != expected["sha256"]:
        raise CorruptFile(
            f"{path}: the sha256 is not the one on record. The file is damaged or was changed after "
            "it was written: restore it from a copy, or train again."
        )
    return content


def sweep(folder: Path) -> None:
    """Remove what writes that were killed left under `folder`; only for who holds its lock."""
    for path in folder.rglob(f".*{_TEMPORARY}"):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Hold a folder for this process; UsageError if another one does for `patience` seconds. A lock dies with its process."""
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=patience)
    except Timeout as error:
        raise UsageError(
            f"{folder}: another process is writing here. Wait for it, or name another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _check_kept(path: Path, written: Seal) -> None:
    """CorruptFile where a file does not read back as what was written; it may be larger than the memory."""
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
    if (digest.hexdigest(), size) != (written["sha256"], written["bytes"]):
        raise CorruptFile(
            f"{path}: expected the {written['bytes']:,} bytes that were written, the disk gives back other ones. "
            "Do not trust this disk: write to another one."
        )


def _own_seal(head: bytes) -> bytes:
    return _OWN_SEAL + hashlib.sha256(head).hexdigest().encode() + b'"\n}\n'


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, where the system lets a folder be opened."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
