"""A stack that was made: its cuboids, packed or as voxels. Arrays are z, y, x."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from brainpublish.findings import Refusal
from brainpublish.packing import unpack
from brainpublish.slices.plan import StackPlan
from brainpublish.slices.shard import DamagedShard, Shard
from brainpublish.slices.slab import CuboidFacts, digest_of_chunk
from brainpublish.slices.slabs import CUBOID


@contextlib.contextmanager
def refusing_damage(consequence: str) -> Iterator[None]:
    """Turn a `DamagedShard` into a Refusal that says what comes of it, and what to do."""
    try:
        yield
    except DamagedShard as error:
        raise Refusal(
            f"{consequence}: {error}. Run again with `--forcerun prepare_slab`."
        ) from None


class StoredStack:
    """Reads a stack's cuboids. Safe to share between threads.

    Indexing it with three slices gives the voxels of the cuboid that begins there.
    """

    def __init__(self, folder: str | Path, plan: StackPlan, cuboids: Mapping[str, CuboidFacts]):
        """Open a stack.

        Args:
            folder: the stack's folder, `stack.zarr`.
            plan: the plan that it was made under.
            cuboids: what is known of its cuboids, by their start z-y-x.
        """
        self._folder = Path(folder, "0", "c")
        self._plan = plan
        self._cuboids = cuboids
        self._shards: dict[tuple[int, int, int], Shard] = {}
        self._lock = threading.Lock()

    @property
    def dtype(self) -> np.dtype:
        """Type of the stored voxels."""
        return np.dtype(self._plan.dtype)

    def __enter__(self) -> "StoredStack":
        return self

    def __exit__(self, *_):
        with self._lock:
            while self._shards:
                self._shards.popitem()[1].close()

    def packed(self, start: tuple[int, int, int]) -> bytes:
        """Return the chunk of the cuboid that begins at z, y, x: always a whole cuboid.

        Raises:
            OSError: if its shard is not there.
            DamagedShard: if it is not what was written.
        """
        steps = (self._plan.depth, *self._plan.shard)
        place = tuple(at // step for at, step in zip(start, steps, strict=True))
        inside = tuple(
            at % step // cuboid for at, step, cuboid in zip(start, steps, CUBOID, strict=True)
        )
        body = self._shard(place).chunk(inside)
        facts = self._cuboids["-".join(map(str, start))]
        if digest_of_chunk(body) != facts.chunk:
            raise DamagedShard(f"{self._folder} is damaged: the cuboid at z, y, x {start}")
        return body

    def __getitem__(self, index: tuple[slice, slice, slice]) -> np.ndarray:
        values = unpack(self.packed(tuple(each.start for each in index)), self.dtype.name)
        shape = tuple(slice(0, each.stop - each.start) for each in index)
        return values.reshape(CUBOID)[shape]

    def _shard(self, place: tuple[int, int, int]) -> Shard:
        with self._lock:
            if place not in self._shards:
                path = self._folder.joinpath(*map(str, place))
                self._shards[place] = Shard(path, self._plan.chunks)
            return self._shards[place]
