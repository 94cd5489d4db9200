"""The plan of a stack: what it will be, known before any slice of it is made."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from brainpublish.files import digest_of_json, read_json
from brainpublish.findings import Finding, findings_from
from brainpublish.slices.cast import Cast
from brainpublish.slices.fit import Fit
from brainpublish.slices.masks import MaskRule, rule_from
from brainpublish.slices.slabs import CUBOID

SHARD_BYTES = 2**30
"""Raw bytes of a shard at most, unless a single cuboid of a slab is more."""

BAND_BYTES = 3 * 2**27
"""Raw bytes of the rows that are held at once, for files that can be read in bands."""

WHOLE_BYTES = 2**32
"""The same for files that cannot: each band would decode them anew."""

_WORKERS = 2
"""Processes of a slab's job at most, as its rule asks for."""

_JOB_BYTES = 250 * 2**20
_DECODER_BYTES = 64 * 2**20
_DECODER_BYTES_PER_PIXEL = 24


@dataclass(frozen=True)
class StackPlan:
    """What a channel's normalised stack will be.

    Attributes:
        extent: z, y, x in voxels.
        dtype: type of the stack.
        depth: slices per slab.
        mask: how an annotation's files are read.
        shard: rows and columns of a shard, multiples of a cuboid's.
        band: rows that are made at once, a multiple of a shard's.
        cast: what is done with the values of an image's files.
        upright: whether slices are turned as the orientation tags of their files say.
        fit: how slices of other sizes are brought to the extent; None if there are none.
    """

    extent: tuple[int, int, int]
    dtype: str
    depth: int
    mask: MaskRule | None = None
    shard: tuple[int, int] = CUBOID[1:]
    band: int = CUBOID[1]
    cast: Cast = field(default_factory=Cast)
    upright: bool = False
    fit: Fit | None = None

    @property
    def digest(self) -> str:
        """Digest that changes whenever a slab made under this plan would change.

        How many slices there are is no part of it: the others stay as they are where slices
        come or go at the end.
        """
        return digest_of_json({**asdict(self), "extent": self.extent[1:]})

    @property
    def bands(self) -> list[range]:
        """The rows that are made at once."""
        height = self.extent[1]
        return [
            range(start, min(start + self.band, height)) for start in range(0, height, self.band)
        ]

    @property
    def chunks(self) -> tuple[int, int, int]:
        """Cuboids of a shard along z, y, x."""
        shape = (self.depth, *self.shard)
        return tuple(size // step for size, step in zip(shape, CUBOID, strict=True))

    @classmethod
    def from_dict(cls, value: dict) -> "StackPlan":
        """Make a plan of what `dataclasses.asdict` and JSON left of one."""
        mask, cast = value["mask"], value["cast"]
        return cls(
            tuple(value["extent"]),
            value["dtype"],
            value["depth"],
            mask and rule_from(mask),
            tuple(value["shard"]),
            value["band"],
            Cast(**{**cast, "scale": cast["scale"] and tuple(cast["scale"])}),
            value["upright"],
            value["fit"] and Fit(**value["fit"]),
        )


def slices_held(workers: int) -> int:
    """Return how many slices a slab's job holds at once: a layer of cuboids, and some ahead."""
    return CUBOID[0] + 2 * workers


def tiling_of(
    extent: tuple[int, int, int], dtype: str, depth: int, block: int
) -> tuple[tuple[int, int], int]:
    """Return rows and columns of a shard, and rows of a band: whole slices if they are small.

    Args:
        extent: of the stack, z, y, x.
        dtype: of the stack.
        depth: slices per slab.
        block: rows that the files' decoder gives at once, or 0 if it gives whole slices; a
            band of whole blocks decodes none of them twice.
    """
    height, width = (
        max(1, -(-size // step)) * step for size, step in zip(extent[1:], CUBOID[1:], strict=True)
    )
    row = width * np.dtype(dtype).itemsize
    in_bands = 0 < block < extent[1]
    held = (BAND_BYTES if in_bands else WHOLE_BYTES) // (slices_held(_WORKERS) * row)
    step = int(np.lcm(CUBOID[1], block)) if in_bands else CUBOID[1]
    # Where whole blocks would take too much memory, some of them are decoded twice.
    step = step if step <= max(4 * CUBOID[1], held) else CUBOID[1]
    band = min(height, _steps(held, step))
    rows = CUBOID[1] * _divisor(band // CUBOID[1], SHARD_BYTES // (depth * row * CUBOID[1]))
    columns = _steps(SHARD_BYTES // (depth * rows * row // width), CUBOID[2])
    return (rows, min(width, columns)), band


def _divisor(number: int, most: int) -> int:
    """Return the largest divisor of a number that is at most `most`, or 1."""
    return next(each for each in range(max(1, min(number, most)), 0, -1) if number % each == 0)


def _steps(size: int, step: int) -> int:
    return max(step, size // step * step)


def slab_memory(
    slice_shape: tuple[int, int],
    itemsize: int,
    block: int,
    workers: int,
    stored: tuple[int, int] = (0, 0),
) -> int:
    """Return the memory in MiB that a slab's job takes at most, for ordinary files.

    Args:
        slice_shape: rows and columns of a slice.
        itemsize: bytes of a voxel, in the stack or in the files, whichever is more.
        block: see `tiling_of`.
        workers: processes that decode.
        stored: rows and columns of the largest file, if slices are cropped to that shape.
    """
    extent = (CUBOID[0], *slice_shape)
    _, band = tiling_of(extent, f"uint{8 * itemsize}", CUBOID[0], block)
    rows = min(band, slice_shape[0])
    height, width = map(max, slice_shape, stored)
    # The first and the last band of a slice that is cropped take what is cut off there, too.
    decoded = rows + height - slice_shape[0] if 0 < block < slice_shape[0] else height
    each = _DECODER_BYTES + _DECODER_BYTES_PER_PIXEL * decoded * width
    held = slices_held(workers) * rows * slice_shape[1] * itemsize
    return -(-(_JOB_BYTES + held + workers * each) // 2**20)


def read_plan(path: str | Path) -> tuple[StackPlan, list[Finding]]:
    """Read a plan and the findings that came with it."""
    value = read_json(path)
    return StackPlan.from_dict(value), findings_from(value["findings"])


def read_rows_digests(path: str | Path) -> list[str]:
    """Read from a plan the digest of each slab's rows of the manifest: see `digest_of_rows`."""
    return read_json(path)["rows"]
