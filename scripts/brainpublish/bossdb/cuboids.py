"""The grid of cuboids, the blocks in which BossDB stores voxels. All orders are z, y, x."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from brainpublish.slices.slabs import CUBOID


@dataclass(frozen=True, order=True)
class Box:
    """A half-open block of voxels: `start` and `stop` are z, y, x at full resolution."""

    start: tuple[int, int, int]
    stop: tuple[int, int, int]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Extent z, y, x in voxels."""
        return tuple(b - a for a, b in zip(self.start, self.stop, strict=True))

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """The block as an index into an array z, y, x."""
        return tuple(slice(a, b) for a, b in zip(self.start, self.stop, strict=True))

    @property
    def key(self) -> str:
        """The block's start as text, z-y-x: its name in a ledger."""
        return "-".join(map(str, self.start))

    def __str__(self) -> str:
        ranges = (f"{a}:{b}" for a, b in zip(self.start, self.stop, strict=True))
        return " ".join(f"{axis} {text}" for axis, text in zip("zyx", ranges, strict=True))


def cuboids_of(extent: tuple[int, int, int], z: range) -> Iterator[Box]:
    """Yield the cuboids of some slices, cut to the extent: BossDB refuses what reaches past it.

    Args:
        extent: of the whole stack, z, y, x.
        z: the slices; begins on a cuboid's border.
    """
    starts = itertools.product(
        range(z.start, z.stop, CUBOID[0]),
        range(0, extent[1], CUBOID[1]),
        range(0, extent[2], CUBOID[2]),
    )
    limit = (z.stop, *extent[1:])
    for start in starts:
        ends = (a + step for a, step in zip(start, CUBOID, strict=True))
        yield Box(start, tuple(map(min, ends, limit)))
