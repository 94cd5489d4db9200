"""A stack that was made, as a Zarr library opens it. Arrays are z, y, x."""

from pathlib import Path

import tensorstore


def open_stack(folder: str | Path) -> tensorstore.TensorStore:
    """Open a stack's array, z, y, x. A shard that is not there is an error, not zeros."""
    return tensorstore.open(
        {
            "driver": "zarr3",
            "kvstore": {"driver": "file", "path": f"{Path(folder, '0')}/"},
            "fill_missing_data_reads": False,
            "store_data_equal_to_fill_value": True,
        },
        open=True,
    ).result()
