"""Slabs: runs of whole slices whose first z is a multiple of a cuboid's depth.

Two slabs never share a cuboid, so slab jobs need no lock.
"""

CUBOID = (16, 512, 512)
"""Extent z, y, x of the block in which BossDB stores voxels (jhuapl-boss/spdb)."""


def slab_depth(slices: int, setting: int | str = "auto") -> int:
    """Return the slices per slab: a multiple of 16, deeper for longer stacks."""
    if setting != "auto":
        return int(setting)
    if slices <= 256:
        return 16
    return 32 if slices <= 1024 else 64


def slab_count(slices: int, depth: int) -> int:
    """Return the number of slabs of a stack."""
    return -(-slices // depth)


def slab_range(slab: int, depth: int, slices: int) -> range:
    """Return the z of a slab's slices."""
    return range(slab * depth, min((slab + 1) * depth, slices))
