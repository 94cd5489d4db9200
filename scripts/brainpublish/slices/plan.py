"""The plan of a stack: what it will be, known before any slice of it is made."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from brainpublish.files import digest_of_json, read_json
from brainpublish.findings import Finding, findings_from
from brainpublish.slices.cast import Cast
from brainpublish.slices.masks import MaskRule, rule_from
from brainpublish.slices.slabs import CUBOID

SHARD_BYTES = 2**30
"""Raw bytes of a shard at most, unless a single cuboid of a slab is more."""

BAND_BYTES = 3 * 2**27
"""Raw bytes of the rows that are made at once, for files that can be read in bands."""


@dataclass(frozen=True)
class StackPlan:
    """What a channel's normalised stack will be.

    Attributes:
        extent: z, y, x in voxels.
        dtype: type of the stack.
        depth: slices per slab.
        mask: how an annotation's files are read.
        shard: rows and columns of a shard, multiples of a cuboid's.
        cast: what is done with the values of an image's files.
    """

    extent: tuple[int, int, int]
    dtype: str
    depth: int
    mask: MaskRule | None = None
    shard: tuple[int, int] = (0, 0)
    cast: Cast = field(default_factory=Cast)

    @property
    def digest(self) -> str:
        """Digest that changes whenever a slab made under this plan would change."""
        return digest_of_json(asdict(self))

    @property
    def bands(self) -> list[range]:
        """The rows that are made at once: those of a row of shards."""
        rows = self.shard[0] or max(1, self.extent[1])
        return [
            range(start, min(start + rows, self.extent[1]))
            for start in range(0, self.extent[1], rows)
        ]

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
            Cast(**{**cast, "scale": cast["scale"] and tuple(cast["scale"])}),
        )


def shard_of(extent: tuple[int, int, int], dtype: str, depth: int, block: int) -> tuple[int, int]:
    """Return rows and columns of a shard: the whole slice if that is at most SHARD_BYTES.

    Args:
        extent: of the stack, z, y, x.
        dtype: of the stack.
        depth: slices per slab.
        block: rows that the files' decoder gives at once; a band of whole blocks decodes
            none of them twice.
    """
    (_, height, width), (_, step_y, step_x) = extent, CUBOID
    whole = tuple(
        max(1, -(-size // step)) * step for size, step in ((height, step_y), (width, step_x))
    )
    row = depth * whole[1] * np.dtype(dtype).itemsize
    # A file that cannot be read in bands is decoded anew for each of them.
    most = BAND_BYTES if 0 < block < height else SHARD_BYTES
    if whole[0] * row <= most:
        return whole
    step = int(np.lcm(step_y, block)) if 0 < block <= 4 * step_y else step_y
    step = step if step * row <= SHARD_BYTES else step_y
    rows = max(step, most // row // step * step)
    column = depth * rows * np.dtype(dtype).itemsize
    columns = max(step_x, min(whole[1], SHARD_BYTES // column // step_x * step_x))
    return rows, columns


def read_plan(path: str | Path) -> tuple[StackPlan, list[Finding]]:
    """Read a plan and the findings that came with it."""
    value = read_json(path)
    return StackPlan.from_dict(value), findings_from(value["findings"])
