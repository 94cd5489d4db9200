"""Slabs: runs of whole slices whose first z is a multiple of a cuboid's depth.

Two slabs never share a cuboid, so slab jobs need no lock.
"""

CUBOID = (16, 512, 512)
"""Extent z, y, x of the block in which BossDB stores voxels (jhuapl-boss/spdb)."""

SLAB_BYTES = 2**30
"""Pixels of a slab whose format is decoded fast: a core takes 1 to 4 s for them. The two jobs of a
slab cost about 1 s beside their work; but the upload of the last one is waited for."""

SLOW_SLAB_BYTES = {"png": 512 * 2**20, "jp2": 384 * 2**20}
"""The same for others: a core takes 4 s for PNG, 8 s (10:1) to 28 s (lossless) for JPEG 2000."""


def slab_depth(
    slices: int, setting: int | str, slice_bytes: int | None = None, form: str = ""
) -> int:
    """Return the slices per slab, a multiple of 16.

    Args:
        slices: of the stack.
        setting: slices per slab, or auto: so many that the cost of a job is small beside its
            work, in slabs of equal depth.
        slice_bytes: of the pixels of one slice, if that is known.
        form: format of the slices, as their headers name it.
    """
    if setting != "auto":
        return int(setting)
    layers = max(1, -(-slices // CUBOID[0]))
    layer_bytes = CUBOID[0] * slice_bytes if slice_bytes else 2**20
    most = max(1, SLOW_SLAB_BYTES.get(form, SLAB_BYTES) // layer_bytes)
    slabs = -(-layers // most)
    return -(-layers // slabs) * CUBOID[0]


def slab_count(slices: int, depth: int) -> int:
    """Return the number of slabs of a stack."""
    return -(-slices // depth)


def slab_range(slab: int, depth: int, slices: int) -> range:
    """Return the z of a slab's slices."""
    return range(slab * depth, min((slab + 1) * depth, slices))
