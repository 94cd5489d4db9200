"""Whether what a run is about to make fits on its disks: told before any of it is made.

What a stack takes at most is known from sizes and types alone. Only where that does not fit, a
slice of each channel is packed, which tells what it will take likely.
"""

import math
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainpublish.files import size_of_file
from brainpublish.findings import Finding
from brainpublish.packing import IMAGE
from brainpublish.slices.guarded import Limits, guarded_map
from brainpublish.slices.header import UnreadableSlice
from brainpublish.slices.masks import middle_of
from brainpublish.slices.read import read_header, read_rows
from brainpublish.slices.slabs import CUBOID

_LIMITS = Limits(seconds=300, memory=2**31)
_ROWS = 2048
_FRAME_BYTES = math.prod(CUBOID) // 128
"""What a whole cuboid of zeros takes beside its voxels, for each byte of one."""

_LEVELS = 4 / 3
"""All levels of a pyramid whose steps halve x and y, beside the first."""

_LABEL_BYTES = (1.0, 0.125)
"""Of a voxel of labels in the local store, whose blocks are compressed: at most, and likely."""


@dataclass(frozen=True)
class Making:
    """Slices of a channel that a run makes into a stack, or sends to the local store.

    Attributes:
        section: the channel's settings.
        file: one of its files, to try how well it packs; empty where none can be read.
        voxels: of the slices.
        cuboids: that hold them.
        itemsize: bytes of a voxel in the stack at most.
        folder: where it goes.
        held: bytes that are there already, and make room.
    """

    section: dict
    file: str
    voxels: int
    cuboids: int
    itemsize: int
    folder: str
    held: int = 0

    @property
    def most(self) -> int:
        """Bytes at most."""
        return self.likely(1)

    def likely(self, share: float) -> int:
        """Return the bytes that are likely, if packing leaves this share of them."""
        packed = math.ceil(self.voxels * self.itemsize * share)
        return max(0, packed + self.cuboids * self.itemsize * _FRAME_BYTES - self.held)


@dataclass(frozen=True)
class Storing(Making):
    """The same for the local store, where images are not packed and labels always are."""

    downsample: bool = True

    @property
    def most(self) -> int:
        """Bytes at most: of labels in areas, not of noise."""
        return max(0, math.ceil(self._bytes(_LABEL_BYTES[0])) - self.held)

    def likely(self, share: float) -> int:
        """Return the bytes that are likely; packing has no part in it."""
        return max(0, math.ceil(self._bytes(_LABEL_BYTES[1])) - self.held)

    def _bytes(self, of_label: float) -> float:
        each = of_label if self.section["role"] == "annotation" else self.itemsize
        return self.voxels * each * (_LEVELS if self.downsample else 1)


def space_findings(
    makings: Iterable[Making], free: Callable[[str], tuple[int, int]] | None = None
) -> list[Finding]:
    """Compare what is about to be made with the free space of the disks that it goes to.

    Args:
        makings: what is made; channels that waive SPACE_SHORT are left out of the sum.
        free: gives disk and free bytes of a folder; the system's own by default.
    """
    disks: dict[int, list[Making]] = {}
    space: dict[int, int] = {}
    for making in makings:
        if "SPACE_SHORT" in making.section["waive"]:
            continue
        disk, bytes_free = (free or free_space)(making.folder)
        disks.setdefault(disk, []).append(making)
        space[disk] = bytes_free
    return [
        _finding(made, space[disk])
        for disk, made in disks.items()
        if sum(each.most for each in made) > space[disk]
    ]


def _finding(makings: list[Making], free: int) -> Finding:
    files = sorted({each.file for each in makings if each.file})
    shares = dict(zip(files, guarded_map(packed_share, files, 1, _LIMITS), strict=True))
    # What cannot be tried counts as if packing had no effect; its slab's job tells why.
    known = {file: share for file, share in shares.items() if isinstance(share, float)}
    likely = sum(each.likely(known.get(each.file, 1.0)) for each in makings)
    most = sum(each.most for each in makings)
    folders = " and ".join(sorted({each.folder for each in makings}))
    text = (
        f"{_size(free)} are free; this run is to leave about {_size(likely)} there, by a slice of "
        f"each channel that was packed to try, and {_size(most)} at most"
    )
    return Finding("SPACE_SHORT" if likely > free else "SPACE_TIGHT", folders, text)


def packed_share(file: str) -> float | None:
    """Return which share of its bytes a slice takes in a stack; None if it cannot be read."""
    try:
        header = read_header(file)
        start = max(0, header.height - _ROWS) // 2 if header.block_rows else 0
        stop = min(header.height, start + _ROWS) if header.block_rows else header.height
        values = read_rows(file, header, start, stop)
    except UnreadableSlice:
        return None
    if header.lossy and header.bit_depth == 8 and values.ndim == 2 and _is_two_crowds(values):
        values = (values >= middle_of(header.bit_depth)).astype(np.uint8)
    _, rows, columns = CUBOID
    packed = sum(
        len(IMAGE.fast.pack(values[y : y + rows, x : x + columns]))
        for y in range(0, values.shape[0], rows)
        for x in range(0, values.shape[1], columns)
    )
    return min(1.0, packed / values.nbytes)


def _is_two_crowds(values: np.ndarray) -> bool:
    """Say whether a lossy slice holds a mask: hardly anything between dark and bright."""
    return bool(np.mean((values > 64) & (values < 192)) < 0.1 and values.max() > 192)


def free_space(folder: str) -> tuple[int, int]:
    """Return the disk that a folder is or will be on, and the bytes that are free for it."""
    place = Path(folder).absolute()
    while not place.exists():
        place = place.parent
    return place.stat().st_dev, shutil.disk_usage(place).free


def cuboids_of(extent: tuple[int, int, int]) -> int:
    """Return how many cuboids hold a stack of an extent z, y, x."""
    return math.prod(-(-size // step) for size, step in zip(extent, CUBOID, strict=True))


def bytes_below(*folders: str | Path) -> int:
    """Return the bytes of all files in some folders, 0 for one that is not there."""
    return sum(
        size_of_file(Path(place, name))
        for folder in folders
        for place, _, names in os.walk(folder)
        for name in names
    )


def _size(count: int) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"
