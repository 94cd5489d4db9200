"""Voxels on disk: one Neuroglancer precomputed volume per channel.

Chunks are cuboids of 512 x 512 x 16 voxels, laid from the frame's start, one file each and
replaced whole, so that a killed process leaves each of them old or new. A time sample other than
0 and the isotropic branch of an anisotropic hierarchy are volumes of their own in subfolders.
"""

import itertools
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorstore

from brainpublish.files import read_json, write_json
from brainpublish.local.bossdb.geometry import CUBOID, Box, Level, Triple
from brainpublish.local.bossdb.locks import Stripes

# A chunk survives the kill of the process without a sync; syncing each would cost three quarters
# of the speed. A power cut can lose the chunks of the last seconds.
CONTEXT = {"file_io_sync": False}
SEGMENTATION_BLOCK = [8, 8, 8]
CHUNK_NAME = re.compile("_".join([r"(-?\d+)-(?:-?\d+)"] * 3))


@dataclass(frozen=True)
class Layer:
    """One level of one time sample of a channel, as it is stored.

    `folder` is the channel's folder below the store's volumes, `kind` image or annotation,
    `dtype` one of uint8, uint16, uint64.
    """

    folder: str
    kind: str
    dtype: str
    level: Level
    time: int = 0

    @property
    def subfolder(self) -> Path:
        """Folder of the precomputed volume that holds this layer."""
        folder = Path(self.folder)
        if self.time:
            folder = folder / f"time-{self.time}"
        return folder / "isotropic" if self.level.isotropic_branch else folder

    @property
    def name(self) -> tuple[str, str]:
        """What tells this layer from all others."""
        return self.subfolder.as_posix(), self.level.key

    def chunk_box(self, index: Triple) -> Box:
        """Return the voxels of a chunk, cut to the level's bounds."""
        bounds = self.level.bounds
        start = tuple(s + i * c for s, i, c in zip(bounds.start, index, CUBOID, strict=True))
        stop = tuple(a + c for a, c in zip(start, CUBOID, strict=True))
        return Box(start, stop).within(bounds)

    def chunks_of(self, box: Box) -> Iterator[Triple]:
        """Yield the indices of the chunks that a box touches."""
        inside = box.within(self.level.bounds)
        if inside.empty:
            return
        origin = self.level.bounds.start
        ranges = [
            range((a - o) // c, (b - 1 - o) // c + 1)
            for a, b, o, c in zip(inside.start, inside.stop, origin, CUBOID, strict=True)
        ]
        for z, y, x in itertools.product(*reversed(ranges)):
            yield x, y, z


class Volumes:
    """All volumes of a store."""

    def __init__(self, folder: Path):
        self.folder = folder / "volumes"
        self._stripes = Stripes(folder / "locks")
        self._context = tensorstore.Context(CONTEXT)
        self._handles: dict[tuple[str, str], tensorstore.TensorStore] = {}
        self._handles_lock = threading.Lock()

    def read(self, layer: Layer, box: Box) -> np.ndarray:
        """Return a box's voxels (z, y, x); what was never written is 0."""
        inside = box.within(layer.level.bounds)
        handle = None if inside.empty else self._handle(layer)
        if handle is not None and inside == box:
            return _read(handle, box)
        voxels = np.zeros(box.shape, layer.dtype)
        if handle is not None:
            voxels[inside.slices_in(box)] = _read(handle, inside)
        return voxels

    def merge(self, layer: Layer, box: Box, voxels: np.ndarray) -> None:
        """Write voxels (z, y, x) of a box; a zero keeps what is stored.

        Voxels outside the level's bounds belong to no volume and are left out.
        """

        def overlay(stored: np.ndarray, given: np.ndarray) -> None:
            np.copyto(stored, given, where=given != 0)

        self.prepare(layer)
        for chunk, part in _parts(layer, box):
            given = voxels[part.slices_in(box)]
            if not given.any():
                continue
            with self._stripes.hold(*layer.name, chunk):
                self._change(layer, chunk, part, given, overlay)

    def erase(self, layer: Layer, box: Box) -> None:
        """Set a box's voxels to 0."""

        def blacken(stored: np.ndarray, _) -> None:
            stored[...] = 0

        if self._handle(layer) is None:
            return
        for chunk, part in _parts(layer, box):
            with self._stripes.hold(*layer.name, chunk):
                if self._chunk_file(layer, chunk).exists():
                    self._change(layer, chunk, part, None, blacken)

    def replace(self, layer: Layer, chunk: Triple, voxels: np.ndarray) -> None:
        """Write a whole chunk (z, y, x) over what is stored."""
        self.prepare(layer)
        with self._stripes.hold(*layer.name, chunk):
            _write(self._handle(layer), layer.chunk_box(chunk), voxels)

    def stored_chunks(self, layer: Layer) -> list[Triple]:
        """Return the indices of the chunks that have a file, in no order."""
        folder = self.folder / layer.subfolder / layer.level.key
        origin = layer.level.bounds.start
        names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
        found = filter(None, map(CHUNK_NAME.fullmatch, names))
        return [
            tuple((int(a) - o) // c for a, o, c in zip(name.groups(), origin, CUBOID, strict=True))
            for name in found
        ]

    def prepare(self, layer: Layer) -> None:
        """Make the volume of a layer known on disk, with no voxels yet."""
        if layer.level.bounds.empty or self._handle(layer) is not None:
            return
        info_file = self.folder / layer.subfolder / "info"
        with self._stripes.hold(layer.subfolder.as_posix()):
            info = read_json(info_file) if info_file.exists() else _empty_info(layer)
            if layer.level.key not in (scale["key"] for scale in info["scales"]):
                info["scales"].append(_scale(layer))
                info["scales"].sort(key=lambda scale: scale["resolution"])
                write_json(info_file, info)

    def remove(self, folder: str) -> None:
        """Delete a channel's volumes."""
        with self._handles_lock:
            for name in [name for name in self._handles if Path(name[0]).is_relative_to(folder)]:
                del self._handles[name]
        shutil.rmtree(self.folder / folder, ignore_errors=True)

    def _chunk_file(self, layer: Layer, chunk: Triple) -> Path:
        box = layer.chunk_box(chunk)
        ranges = (f"{a}-{b}" for a, b in zip(box.start, box.stop, strict=True))
        return self.folder / layer.subfolder / layer.level.key / "_".join(ranges)

    def _change(
        self,
        layer: Layer,
        chunk: Triple,
        part: Box,
        given: np.ndarray | None,
        change: Callable[[np.ndarray, np.ndarray | None], None],
    ) -> None:
        """Change a part of a chunk whose lock is held."""
        whole = layer.chunk_box(chunk)
        handle = self._handle(layer)
        if given is not None and part == whole and given.all():
            _write(handle, whole, given)
            return
        stored = np.array(_read(handle, whole))
        change(stored[part.slices_in(whole)], given)
        _write(handle, whole, stored)

    def _handle(self, layer: Layer) -> tensorstore.TensorStore | None:
        """Return the opened layer, or None as long as it is not on disk."""
        with self._handles_lock:
            handle = self._handles.get(layer.name)
        if handle is not None:
            return handle
        folder = self.folder / layer.subfolder
        info = read_json(folder / "info") if (folder / "info").exists() else {"scales": []}
        if layer.level.key not in (scale["key"] for scale in info["scales"]):
            return None
        handle = tensorstore.open(
            {
                "driver": "neuroglancer_precomputed",
                "kvstore": {"driver": "file", "path": str(folder.resolve())},
                "scale_metadata": {"key": layer.level.key},
            },
            open=True,
            context=self._context,
        ).result()
        with self._handles_lock:
            return self._handles.setdefault(layer.name, handle)


def _parts(layer: Layer, box: Box) -> Iterator[tuple[Triple, Box]]:
    """Yield each chunk that a box touches with the part of the box that lies in it."""
    for chunk in layer.chunks_of(box):
        yield chunk, box.within(layer.chunk_box(chunk))


def _view(handle: tensorstore.TensorStore, box: Box) -> tensorstore.TensorStore:
    slices = tuple(slice(a, b) for a, b in zip(box.start, box.stop, strict=True))
    return handle[(*slices, 0)]


def _read(handle: tensorstore.TensorStore, box: Box) -> np.ndarray:
    return _view(handle, box).read(order="F").result().transpose(2, 1, 0)


def _write(handle: tensorstore.TensorStore, box: Box, voxels: np.ndarray) -> None:
    _view(handle, box).write(voxels.transpose(2, 1, 0)).result()


def _empty_info(layer: Layer) -> dict:
    return {
        "@type": "neuroglancer_multiscale_volume",
        "type": "image" if layer.kind == "image" else "segmentation",
        "data_type": layer.dtype,
        "num_channels": 1,
        "scales": [],
    }


def _scale(layer: Layer) -> dict:
    bounds = layer.level.bounds
    scale = {
        "key": layer.level.key,
        "size": list(reversed(bounds.shape)),
        "voxel_offset": list(bounds.start),
        "resolution": list(layer.level.voxel_size),
        "chunk_sizes": [list(CUBOID)],
        "encoding": "raw",
    }
    # The format's compressed segmentation knows 32 and 64 bits only.
    if layer.kind == "annotation" and layer.dtype == "uint64":
        scale |= {
            "encoding": "compressed_segmentation",
            "compressed_segmentation_block_size": SEGMENTATION_BLOCK,
        }
    return scale
