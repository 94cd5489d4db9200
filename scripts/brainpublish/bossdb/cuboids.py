"""The grid of cuboids, the blocks in which BossDB stores voxels. All orders are z, y, x."""

import itertools
from collections.abc import Iterable, Iterator
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


def runs_of(boxes: Iterable[Box], most: int) -> list[list[Box]]:
    """Return cuboids as runs: at most so many, in one column, that follow each other along z.

    Args:
        boxes: cuboids in the order of `cuboids_of`.
        most: cuboids of a run.
    """
    runs: list[list[Box]] = []
    newest: dict[tuple[int, int], list[Box]] = {}
    for box in boxes:
        run = newest.get(box.start[1:], [])
        if not 0 < len(run) < most or run[-1].stop[0] != box.start[0]:
            run = newest[box.start[1:]] = []
            runs.append(run)
        run.append(box)
    return runs
