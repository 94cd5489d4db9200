"""Boxes of voxels and the levels of a resolution hierarchy.

Corners, extents and factors are x, y, z here, as in the paths of the API; arrays are z, y, x.
"""

import sqlite3
from dataclasses import dataclass

from brainpublish.local.bossdb.errors import BossError, Code

AXES = ("x", "y", "z")
NANOMETERS = {"nanometers": 1.0, "micrometers": 1e3, "millimeters": 1e6, "centimeters": 1e7}
CUBOID = (512, 512, 16)
ISOTROPIC_SEARCH_LEVELS = 30

Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Box:
    """Voxels from `start` up to, not including, `stop` (x, y, z)."""

    start: Triple
    stop: Triple

    @property
    def shape(self) -> Triple:
        """Shape of an array of these voxels: z, y, x."""
        return tuple(self.stop[axis] - self.start[axis] for axis in (2, 1, 0))

    @property
    def empty(self) -> bool:
        """Whether the box holds no voxel."""
        return any(start >= stop for start, stop in zip(self.start, self.stop, strict=True))

    def within(self, other: "Box") -> "Box":
        """Return the part that lies in another box; it may be empty."""
        return Box(tuple(map(max, self.start, other.start)), tuple(map(min, self.stop, other.stop)))

    def slices_in(self, outer: "Box") -> tuple[slice, slice, slice]:
        """Return where this box lies in an array (z, y, x) of an outer box's voxels."""
        return tuple(
            slice(self.start[axis] - outer.start[axis], self.stop[axis] - outer.start[axis])
            for axis in (2, 1, 0)
        )


@dataclass(frozen=True)
class Level:
    """One level of a hierarchy: its bounds in its own voxels and its voxel size in nanometres."""

    bounds: Box
    voxel_size: tuple[float, float, float]
    isotropic_branch: bool = False

    @property
    def key(self) -> str:
        """Name of the level's folder."""
        return "_".join(f"{size:.10g}" for size in self.voxel_size)


@dataclass(frozen=True)
class Hierarchy:
    """How the levels of an experiment follow from its coordinate frame.

    `start` and `stop` are the frame's extent at level 0, `voxel_size` is in `unit`; all x, y, z.
    """

    method: str
    levels: int
    start: Triple
    stop: Triple
    voxel_size: tuple[float, float, float]
    unit: str

    @classmethod
    def of(cls, experiment: sqlite3.Row, frame: sqlite3.Row) -> "Hierarchy":
        """Return the hierarchy of an experiment on its frame."""
        return cls(
            experiment["hierarchy_method"],
            experiment["num_hierarchy_levels"],
            *(tuple(frame[f"{axis}_{end}"] for axis in AXES) for end in ("start", "stop")),
            tuple(frame[f"{axis}_voxel_size"] for axis in AXES),
            frame["voxel_unit"],
        )

    @property
    def frame_box(self) -> Box:
        """The frame's extent at full resolution."""
        return Box(self.start, self.stop)

    @property
    def isotropic_level(self) -> int:
        """Level at which an anisotropic hierarchy comes nearest to cubic voxels.

        Raises 400/9001 if x and y voxel sizes differ: the level is then not defined.
        """
        if self.method == "isotropic":
            return 0
        x, y, z = self.voxel_size
        if x != y:
            raise BossError(
                Code.SYSTEM_ERROR,
                "X voxel size != Y voxel size. Currently unable to determine isotropic level",
            )
        if x == 0:
            return 0
        ratios = [abs(z / (x * 2**level) - 1) for level in range(ISOTROPIC_SEARCH_LEVELS)]
        return ratios.index(min(ratios))

    def halvings(self, level: int, isotropic: bool = False) -> Triple:
        """Return how often x, y and z were halved from level 0 to a level."""
        if self.method == "isotropic":
            return level, level, level
        if not isotropic:
            return level, level, 0
        return level, level, max(0, level - self.isotropic_level)

    def level(self, level: int, isotropic: bool = False) -> Level:
        """Return a level's geometry; `isotropic` asks for the branch with cubic voxels."""
        halvings = self.halvings(level, isotropic)
        start = tuple(value >> by for value, by in zip(self.start, halvings, strict=True))
        stop = tuple(-(-value >> by) for value, by in zip(self.stop, halvings, strict=True))
        # A frame may claim a voxel size of nothing; a stored volume may not.
        sizes = tuple(
            (size if size > 0 else 1.0) * NANOMETERS[self.unit] * 2**by
            for size, by in zip(self.voxel_size, halvings, strict=True)
        )
        branch = halvings != self.halvings(level)
        return Level(Box(start, stop), sizes, branch)
