"""Slabs: runs of whole slices whose first z is a multiple of a cuboid's depth.

Two slabs never share a cuboid, so slab jobs need no lock.
"""

CUBOID = (16, 512, 512)
"""Extent z, y, x of the block in which BossDB stores voxels (jhuapl-boss/spdb)."""

SLAB_BYTES = 384 * 2**20
"""Pixels of a slab at most: a job holds them in memory. Decoding them from lossless JP2 takes a
core 25 s, and the two jobs of a slab cost about 1 s beside their work, less than 5 %."""


def slab_depth(
    slices: int, setting: int | str = "auto", slice_bytes: int | None = None, least: int = 4
) -> int:
    """Return the slices per slab, a multiple of 16.

    Args:
        slices: of the stack.
        setting: slices per slab, or auto: as deep as memory allows, but with enough slabs to
            keep some cores at work, and to send one while others are decoded.
        slice_bytes: of the pixels of one slice, if that is known.
        least: slabs to make of a stack that has enough slices for them.
    """
    if setting != "auto":
        return int(setting)
    layers = -(-slices // CUBOID[0])
    depth = -(-layers // least)
    if slice_bytes:
        depth = min(depth, SLAB_BYTES // (slice_bytes * CUBOID[0]))
    return max(1, depth) * CUBOID[0]


def slab_count(slices: int, depth: int) -> int:
    """Return the number of slabs of a stack."""
    return -(-slices // depth)


def slab_range(slab: int, depth: int, slices: int) -> range:
    """Return the z of a slab's slices."""
    return range(slab * depth, min((slab + 1) * depth, slices))
