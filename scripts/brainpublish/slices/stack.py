"""The normalised stack: an OME-Zarr 0.5 image (Zarr v3), one shard file per slab;
slabs of very large slices have several.

Layout and metadata: OME-NGFF 0.5, "multiscales" and "axes"; Zarr v3 specification, codec
"sharding_indexed". Inner chunks are cuboids of 16 x 512 x 512. Arrays are z, y, x.
"""

from pathlib import Path

import numpy as np

from brainpublish.files import write_json
from brainpublish.slices.codecs import codecs_of
from brainpublish.slices.plan import StackPlan
from brainpublish.slices.slabs import CUBOID

_UNITS = {
    "nanometers": "nanometer",
    "micrometers": "micrometer",
    "millimeters": "millimeter",
    "centimeters": "centimeter",
}


def write_stack_metadata(folder: str | Path, plan: StackPlan, channel: dict) -> None:
    """Write the metadata files of a stack, from which its shards can be opened.

    Args:
        folder: the stack's folder, `stack.zarr`.
        plan: extent, type and slab depth.
        channel: settings with name, voxel_size (x, y, z) and voxel_unit.
    """
    write_json(Path(folder, "zarr.json"), _group_metadata(channel))
    write_json(Path(folder, "0", "zarr.json"), _array_metadata(plan))


def _group_metadata(channel: dict) -> dict:
    unit = _UNITS[channel["voxel_unit"]]
    size_zyx = [float(size) for size in reversed(channel["voxel_size"])]
    multiscale = {
        "name": channel["name"],
        "axes": [{"name": axis, "type": "space", "unit": unit} for axis in "zyx"],
        "datasets": [
            {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": size_zyx}]}
        ],
    }
    return {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {"ome": {"version": "0.5", "multiscales": [multiscale]}},
    }


def _array_metadata(plan: StackPlan) -> dict:
    little = {"name": "bytes", "configuration": {"endian": "little"}}
    codec = codecs_of(plan).fast
    blosc = {"cname": codec.name, "clevel": codec.level, "shuffle": codec.shuffling}
    blosc |= {"typesize": np.dtype(plan.dtype).itemsize}
    grid = {"chunk_shape": [plan.depth, *plan.shard]}
    sharding = {
        "chunk_shape": list(CUBOID),
        "codecs": [little, {"name": "blosc", "configuration": {**blosc, "blocksize": 0}}],
        "index_codecs": [little, {"name": "crc32c"}],
        "index_location": "end",
    }
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(plan.extent),
        "data_type": plan.dtype,
        "chunk_grid": {"name": "regular", "configuration": grid},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
        "dimension_names": ["z", "y", "x"],
        "attributes": {},
    }
