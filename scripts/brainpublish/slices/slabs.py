"""Slabs: runs of whole slices whose first z is a multiple of a cuboid's depth.

Two slabs never share a cuboid, so slab jobs need no lock.
"""

CUBOID = (16, 512, 512)
"""Extent z, y, x of the block in which BossDB stores voxels (jhuapl-boss/spdb)."""

SLAB_BYTES = {"image": 256 * 2**20, "annotation": 2**30}
"""Pixels of a slab. Decoding those of an image from lossless JP2 takes a core 18 s; masks are
decoded many times faster. The two jobs of a slab cost about 1 s beside their work."""

LEAST_BYTES = {"image": 64 * 2**20, "annotation": 256 * 2**20}
"""The same where a stack would make too few slabs for the cores."""

LEAST_SLABS = 4
"""Enough to keep some cores at work, and to send one while others are decoded."""


def slab_depth(
    slices: int, setting: int | str, slice_bytes: int | None = None, role: str = "image"
) -> int:
    """Return the slices per slab, a multiple of 16.

    Args:
        slices: of the stack.
        setting: slices per slab, or auto.
        slice_bytes: of the pixels of one slice, if that is known.
        role: image or annotation.
    """
    if setting != "auto":
        return int(setting)
    layers = max(1, -(-slices // CUBOID[0]))
    layer_bytes = CUBOID[0] * slice_bytes if slice_bytes else 2**20
    usual, least = (max(1, each[role] // layer_bytes) for each in (SLAB_BYTES, LEAST_BYTES))
    depth = min(usual, max(least, -(-layers // LEAST_SLABS)))
    # As many slabs as that takes, but of one depth.
    slabs = -(-layers // depth)
    return -(-layers // slabs) * CUBOID[0]


def slab_count(slices: int, depth: int) -> int:
    """Return the number of slabs of a stack."""
    return -(-slices // depth)


def slab_range(slab: int, depth: int, slices: int) -> range:
    """Return the z of a slab's slices."""
    return range(slab * depth, min((slab + 1) * depth, slices))
