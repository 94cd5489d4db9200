"""Bits that were flipped in the compressed pixels of JPEG 2000, which no decoder tells by itself.

After such a flip the arithmetic decoder goes astray, and comes to the end of its code block
with bytes left over or with too few of them. OpenJPEG says so, with the numbers, of files
that claim predictable termination (ISO/IEC 15444-1, table A.19; opj_t1_decode_cblk in t1.c).
Other whole files end within a few bytes too. So they are decoded from a copy in memory
that makes this claim: its pixels are the same.
"""

import contextlib
import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

_PREDICTABLE = 0x10
_UNTOLD = 0x01 | 0x04 | 0x10 | 0x40
"""Styles of code blocks that end otherwise: bypass, a termination on each pass, HT; or claim it."""

_LARGEST_COPY = 2**26
_SPARE = 8
_LEFT_OR_LACKING = re.compile(r"PTERM check failure: (\d+) (remaining|synthesized)")
_START, _CODING, _TILE = b"\xff\x4f\xff\x51", b"\xff\x52", b"\xff\x90"
_STYLE = 12  # from the marker: length 2, Scod 1, SGcod 4, levels 1, code block 2


@contextlib.contextmanager
def tell_of_damage(path: Path) -> Iterator[Path]:
    """Yield a path from which OpenJPEG decodes the same pixels, and tells of damage in them.

    It is the file itself where there is nothing to be told, or where it is very large: parts
    of such a file are decoded one by one, and each would take a copy of all of it.
    """
    whole = path.stat().st_size <= _LARGEST_COPY and hasattr(os, "memfd_create")
    data = path.read_bytes() if whole else b""
    at = _style_of(data)
    if at is None:
        yield path
        return
    copy = _copies.file()
    copy.seek(0)
    copy.write(data)
    copy.truncate()
    copy.seek(at)
    copy.write(bytes([data[at] | _PREDICTABLE]))
    copy.flush()
    yield Path(f"/proc/self/fd/{copy.fileno()}")


class _Copies(threading.local):
    """A file in memory for each thread of each process: new memory costs more than copying."""

    pid: int | None = None

    def file(self) -> BinaryIO:
        if self.pid != os.getpid():
            self.pid = os.getpid()
            self._file = os.fdopen(os.memfd_create("slice"), "wb", closefd=False)
        return self._file


_copies = _Copies()


def damage_told(said: Iterable[str]) -> str:
    """Return in words what a decoder's messages tell of damaged code blocks, empty if nothing."""
    told = [(int(m[1]), m[2]) for text in said if (m := _LEFT_OR_LACKING.search(text))]
    beyond = [each for each in told if each[0] > _SPARE]
    if not beyond:
        return ""
    number, kind = max(beyond)
    how = "too many" if kind == "remaining" else "too few"
    return (
        f"bytes in its compressed pixels were changed: {len(beyond)} code blocks do not end where "
        f"they should, one has {number:,} bytes {how}"
    )


def is_about_code_blocks(text: str) -> bool:
    """Say whether a decoder's message is one that `damage_told` judges."""
    return bool(_LEFT_OR_LACKING.search(text))


def _style_of(data: bytes) -> int | None:
    """Return where a codestream states the style of its code blocks; None if it is to be left."""
    at = data.find(_START) + 2
    while at > 1 and at + _STYLE < len(data) and data[at : at + 2] != _TILE:
        if data[at : at + 2] == _CODING and not data[at + _STYLE] & _UNTOLD:
            return at + _STYLE
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
    return None
