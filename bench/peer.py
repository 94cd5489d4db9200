"""intern's own ZSliceIngestJob on a stack, as in its notebook. Run as a process of its own."""

import sys

from intern.convenience.array import ZSliceIngestJob

folder, suffix = sys.argv[1:]


def annotation(name: str) -> dict:
    """Describe one mask as the notebook does."""
    uri = f"bossdb://lab/peer/{name}"
    return {"name": uri, "path": f"{folder}/{name}", "pattern": "*.jpg", "dtype": "uint64"}


job = ZSliceIngestJob(
    image={
        "name": "bossdb://lab/peer/image",
        "path": f"{folder}/image",
        "pattern": f"*{suffix}",
        "dtype": "uint16",
    },
    annotations=[annotation("bone"), annotation("rock")],
    voxel_size=(2, 2, 2),
    voxel_unit="micrometers",
)
job.upload()
