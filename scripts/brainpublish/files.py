"""Files that are either old or new, never half: write beside, flush to disk, rename."""

import contextlib
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson

_FULL = {errno.ENOSPC, errno.EDQUOT}
_PASSING = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EREMOTEIO, errno.ENOLINK}


def write_bytes(path: str | Path, data: bytes, mode: int = 0o644) -> None:
    """Replace a file atomically; it has its final mode before it has its name."""
    with replacing(path, mode) as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: str | Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Yield a file to write to, which takes the place of another one once the block ends well."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def is_passing(error: BaseException) -> bool:
    """Say whether an error is the file system's, which tells nothing of the file and may pass."""
    return isinstance(error, OSError) and error.errno in _PASSING


def is_full(error: BaseException) -> bool:
    """Say whether an error means that a disk, or a share of it, is used up."""
    return isinstance(error, OSError) and error.errno in _FULL


def size_of_file(path: str | Path) -> int:
    """Return the bytes of a file, 0 if it is not there."""
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def stamp_of_file(path: str | Path) -> list[int] | None:
    """Return a file's bytes and its time in nanoseconds, None if it cannot be asked."""
    try:
        stat = Path(path).stat()
    except OSError:
        return None
    return [stat.st_size, stat.st_mtime_ns]


def sync_folder(folder: Path) -> None:
    """Make a rename inside a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: str | Path, text: str, mode: int = 0o644) -> None:
    """Replace a text file atomically, in UTF-8."""
    write_bytes(path, text.encode(), mode)


def json_text(value: Any) -> str:
    """JSON with sorted keys and finite numbers only: equal values, equal text."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: str | Path, value: Any, mode: int = 0o644) -> None:
    """Replace a JSON file atomically."""
    write_text(path, json_text(value), mode)


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_json_object(path: str | Path) -> dict:
    """Read a JSON file that holds an object; one that is lost or damaged has no entries.

    Raises:
        OSError: for other faults of the file system, which tell nothing of the file.
    """
    try:
        held = read_json(path)
    except (FileNotFoundError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def compact_json(value: Any) -> bytes:
    """JSON with sorted keys and finite numbers only, on one line: for much of it, far quicker.

    Raises TypeError for what is no JSON, ValueError for a number that is not finite.
    """
    data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if b"null" in data:
        # orjson writes NaN as null; the standard library tells the two apart.
        json.dumps(value, allow_nan=False)
    return data


def digest_of_json(value: Any) -> str:
    """Return the sha256 of a value's compact JSON with sorted keys, as hexadecimal text."""
    return hashlib.sha256(compact_json(value)).hexdigest()


def digest_of_file(path: str | Path) -> str:
    """Return the sha256 of a file's bytes, as hexadecimal text."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
