"""Slabs: runs of whole slices whose first z is a multiple of a cuboid's depth.

Two slabs never share a cuboid, so slab jobs need no lock.
"""

CUBOID = (16, 512, 512)
"""Extent z, y, x of the block in which BossDB stores voxels (jhuapl-boss/spdb)."""

SLAB_BYTES = 2**30
"""Pixels of a slab. Other decoders than JPEG 2000's take a core 1 to 7 s for them. The two jobs
of a slab cost about 1 s beside their work."""

JP2_SLAB_BYTES = 512 * 2**20
"""The same for JPEG 2000: a core takes 10 s (10:1) to 38 s (lossless)."""


def slab_depth(
    slices: int, setting: int | str, slice_bytes: int | None = None, is_jp2: bool = False
) -> int:
    """Return the slices per slab, a multiple of 16.

    Args:
        slices: of the stack.
        setting: slices per slab, or auto: so many that the cost of a job is small beside its
            work, in slabs of equal depth.
        slice_bytes: of the pixels of one slice, if that is known.
        is_jp2: whether the slices are JPEG 2000.
    """
    if setting != "auto":
        return int(setting)
    layers = max(1, -(-slices // CUBOID[0]))
    layer_bytes = CUBOID[0] * slice_bytes if slice_bytes else 2**20
    most = max(1, (JP2_SLAB_BYTES if is_jp2 else SLAB_BYTES) // layer_bytes)
    slabs = -(-layers // most)
    return -(-layers // slabs) * CUBOID[0]


def slab_count(slices: int, depth: int) -> int:
    """Return the number of slabs of a stack."""
    return -(-slices // depth)


def slab_range(slab: int, depth: int, slices: int) -> range:
    """Return the z of a slab's slices."""
    return range(slab * depth, min((slab + 1) * depth, slices))
