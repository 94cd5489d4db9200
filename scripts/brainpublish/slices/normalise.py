"""Slices into a slab's shards: decoded, normalised and packed in child processes.

A few slices more than a cuboid's depth are held at once, so memory does not grow with the
slab's depth. While the last slices of a layer are decoded, the first ones of the next are too;
a layer that is complete is packed before anything else is decoded, which frees its slices.
Arrays are z, y, x.
"""

import itertools
import math
import mmap
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from brainpublish.packing import OVERHEAD
from brainpublish.slices.codecs import codecs_of
from brainpublish.slices.guarded import Broken, GuardedCrew, Limits
from brainpublish.slices.manifest import Slice
from brainpublish.slices.plan import StackPlan, slices_held
from brainpublish.slices.shard import ShardWriter, new_shard
from brainpublish.slices.slab import CuboidFacts, SliceFacts, digest_of, digest_of_chunk
from brainpublish.slices.slabs import CUBOID
from brainpublish.slices.take import take_slice

_SECONDS = 60.0
_SECONDS_PER_PIXEL = 4e-6
_MEMORY = 2**30
_MEMORY_PER_PIXEL = 24


@dataclass(frozen=True)
class _Decode:
    """Decode a band of slice `index` of the slab into a slot; `lost` leaves zeros there."""

    band: int
    index: int
    slot: int
    lost: bool


@dataclass(frozen=True)
class _Pack:
    """Pack the cuboid that begins at row `y` of the band and at column `x`, onto a desk."""

    band: int
    layer: int
    y: int
    x: int
    slots: tuple[int, ...]
    desk: int = 0


def normalise_slab(
    folder: Path, shards: Path, slices: list[Slice], plan: StackPlan, label: int, workers: int
) -> tuple[list[SliceFacts], dict[str, CuboidFacts]]:
    """Decode and normalise a slab's slices, and write its shards.

    A slice with a fault leaves zeros in its place: the shards are then of no use, and the
    report's errors keep them from being sent. The first shard gets its name last.

    Args:
        folder: the channel's folder.
        shards: folder of the slab's shards, below the stack's array.
        slices: the slab's rows of the manifest.
        plan: the stack's plan.
        label: what a stored 1 is published as.
        workers: processes that decode and pack.

    Returns:
        What was found in each slice, and what each cuboid holds, by its start z-y-x.
    """
    slab = _Slab(folder, slices, plan, label, workers)
    facts = [SliceFacts()] * len(slices)
    cuboids: dict[str, CuboidFacts] = {}
    with GuardedCrew(slab.work, workers, slab.limits) as crew, ExitStack() as open_shards:
        # Stacked, so that the first shard of all is finished last.
        writers = _Writers(shards, slab, open_shards, cuboids)
        schedule = _Schedule(slab)
        packed = None
        while True:
            while crew.idle and (task := schedule.next(facts)) is not None:
                crew.give(task)
            # Written once the process that packed it has work again.
            if packed is not None:
                schedule.free_desks += writers.put(*packed)
                packed = None
                continue
            if not crew.busy:
                if not schedule.ended:
                    raise RuntimeError("work on this slab came to a halt before its end")
                return facts, cuboids
            task, result = crew.take()
            if isinstance(task, _Decode):
                facts[task.index] += slab.settled(task, result)
            elif isinstance(result, Broken):
                raise RuntimeError(f"a cuboid cannot be packed: {result.message}")
            else:
                packed = (task, *result)
            schedule.done(task)


class _Slab:
    """What the processes share: the slices' places in memory, and what is to be done."""

    def __init__(
        self, folder: Path, slices: list[Slice], plan: StackPlan, label: int, workers: int
    ):
        self.folder, self.slices, self.plan, self.label = folder, slices, plan, label
        self.bands = plan.bands
        self.codecs = codecs_of(plan)
        self.slots = min(slices_held(workers), -(-len(slices) // CUBOID[0]) * CUBOID[0])
        shape = (self.slots, max(map(len, self.bands)), plan.extent[2])
        self.values = _shared(shape, plan.dtype)
        # Packed cuboids are handed over in memory too: a pipe would copy them twice.
        self.desks = 2 * workers
        cuboid = math.prod(CUBOID) * np.dtype(plan.dtype).itemsize
        self.packed = _shared((self.desks, cuboid + OVERHEAD), "uint8")
        pixels = shape[1] * shape[2]
        self.limits = Limits(
            _SECONDS + pixels * _SECONDS_PER_PIXEL, _MEMORY + pixels * _MEMORY_PER_PIXEL
        )

    def layer(self, number: int) -> range:
        """Return which of the slab's slices make a layer of cuboids."""
        start = number * CUBOID[0]
        return range(start, min(start + CUBOID[0], len(self.slices)))

    def cuboids(self, band: int) -> Iterator[tuple[int, int]]:
        """Return row in a band and column at which each cuboid of a layer begins."""
        rows = range(0, len(self.bands[band]), CUBOID[1])
        return itertools.product(rows, range(0, self.plan.extent[2], CUBOID[2]))

    def target(self, task: _Decode) -> np.ndarray:
        """Return where a task leaves its rows, y, x."""
        return self.values[task.slot, : len(self.bands[task.band])]

    def work(self, task: _Decode | _Pack):
        """Do a task; this runs in the child processes."""
        return self._decode(task) if isinstance(task, _Decode) else self._pack(task)

    def _decode(self, task: _Decode) -> SliceFacts:
        target = self.target(task)
        if task.lost:
            target[:] = 0
            return SliceFacts()
        row, band = self.slices[task.index], self.bands[task.band]
        return take_slice(self.folder, row, self.plan, band, target)

    def settled(self, task: _Decode, result: SliceFacts | Broken) -> SliceFacts:
        """Return what a decoded band told; where it has a fault, zeros take its place."""
        if isinstance(result, Broken):
            result = SliceFacts(fault=("SLICE_HOSTILE", result.message))
        if result.fault:
            self.target(task)[:] = 0
        return result

    def _pack(self, task: _Pack) -> tuple[int, CuboidFacts]:
        band = self.bands[task.band]
        y = slice(task.y, min(task.y + CUBOID[1], len(band)))
        x = slice(task.x, task.x + CUBOID[2])
        # Slices in turn, as one index for all of them would be copied twice.
        held = np.stack([self.values[slot, y, x] for slot in task.slots])
        whole = held
        if held.shape != CUBOID:
            whole = np.zeros(CUBOID, held.dtype)
            whole[tuple(map(slice, held.shape))] = held
        body = self.codecs.fast.pack(whole)
        self.packed[task.desk, : len(body)] = np.frombuffer(body, np.uint8)
        facts = CuboidFacts(
            digest_of(held, self.label), digest_of_chunk(body), blank=not held.max()
        )
        return len(body), facts


def _shared(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Return an array of zeros in memory that processes share which are made later."""
    size = math.prod(shape)
    memory = mmap.mmap(-1, max(1, size * np.dtype(dtype).itemsize))
    return np.frombuffer(memory, dtype, size).reshape(shape)


class _Schedule:
    """Which task comes next: packing goes first, because it frees slots.

    Layers are packed in the order in which they are written. Were a later one packed while a
    slow slice holds up the one before, its cuboids would take all desks and wait for ever.
    """

    def __init__(self, slab: _Slab):
        self._slab = slab
        bands, count = range(len(slab.bands)), len(slab.slices)
        # The first band last: its first shard is the one that tells that all are there.
        self._decodes = deque((band, index) for band in reversed(bands) for index in range(count))
        self._packs: deque[_Pack] = deque()
        self.free_desks = list(range(slab.desks))
        self._free = list(range(slab.slots))
        self._slots: dict[tuple[int, int], dict[int, int]] = {}
        self._left: dict[tuple[int, int], int] = {}
        self._to_pack = deque(dict.fromkeys((b, n // CUBOID[0]) for b, n in self._decodes))

    @property
    def ended(self) -> bool:
        """Whether all tasks were done."""
        return not self._decodes and not self._left

    def next(self, facts: list[SliceFacts]) -> _Decode | _Pack | None:
        """Return a task that can be done now, or None."""
        if self._packs and self.free_desks:
            return replace(self._packs.popleft(), desk=self.free_desks.pop())
        if not self._decodes or not self._free:
            return None
        band, index = self._decodes.popleft()
        slot = self._free.pop()
        layer = (band, index // CUBOID[0])
        self._slots.setdefault(layer, {})[index] = slot
        self._left.setdefault(layer, len(self._slab.layer(layer[1])))
        return _Decode(band, index, slot, lost=facts[index].fault is not None)

    def done(self, task: _Decode | _Pack) -> None:
        """Note that a task was done."""
        index = task.index // CUBOID[0] if isinstance(task, _Decode) else task.layer
        layer = (task.band, index)
        self._left[layer] -= 1
        if self._left[layer]:
            return
        if isinstance(task, _Decode):
            self._queue_packs()
        else:
            self._free += self._slots.pop(layer).values()
            del self._left[layer]

    def _queue_packs(self) -> None:
        # Of a layer whose slices are all decoded, none is left.
        while self._to_pack and self._left.get(self._to_pack[0]) == 0:
            layer = self._to_pack.popleft()
            packs = list(self._packs_of(layer))
            self._packs += packs
            self._left[layer] = len(packs)

    def _packs_of(self, layer: tuple[int, int]) -> Iterator[_Pack]:
        slots = tuple(slot for _, slot in sorted(self._slots[layer].items()))
        for y, x in self._slab.cuboids(layer[0]):
            yield _Pack(*layer, y, x, slots)


class _Writers:
    """Puts packed cuboids into their shards, always in the same order."""

    def __init__(self, folder: Path, slab: _Slab, stack: ExitStack, cuboids: dict):
        self._folder, self._slab, self._stack, self._cuboids = folder, slab, stack, cuboids
        self._order = deque(self._all_places())
        self._early: dict[tuple, tuple[int, int, CuboidFacts]] = {}
        self._open: dict[tuple[int, int], ShardWriter] = {}
        self._band: int | None = None

    def _all_places(self) -> Iterator[tuple[int, int, int, int]]:
        slab = self._slab
        for band in reversed(range(len(slab.bands))):
            for layer in range(-(-len(slab.slices) // CUBOID[0])):
                for y, x in slab.cuboids(band):
                    yield band, layer, y, x

    def put(self, task: _Pack, size: int, facts: CuboidFacts) -> list[int]:
        """Take a packed cuboid, which is written once all before it are.

        Returns:
            The desks that are free again.
        """
        self._early[task.band, task.layer, task.y, task.x] = task.desk, size, facts
        freed = []
        while self._order and self._order[0] in self._early:
            place = self._order.popleft()
            desk, size, facts = self._early.pop(place)
            self._write(place, memoryview(self._slab.packed[desk, :size]), facts)
            freed.append(desk)
        return freed

    def _write(
        self, place: tuple[int, int, int, int], body: memoryview, facts: CuboidFacts
    ) -> None:
        band, layer, y, x = place
        if band != self._band:
            self._begin(band)
        y += self._slab.bands[band].start
        rows, columns = self._slab.plan.shard
        number = (layer, y % rows // CUBOID[1], x % columns // CUBOID[2])
        self._open[y // rows, x // columns].put(number, body)
        z = self._slab.slices[0].z + layer * CUBOID[0]
        self._cuboids[f"{z}-{y}-{x}"] = facts

    def _begin(self, band: int) -> None:
        self._stack.close()
        self._band = band
        plan, rows = self._slab.plan, self._slab.bands[band]
        starts = [
            (y // plan.shard[0], x // plan.shard[1])
            for y in range(rows.start, rows.stop, plan.shard[0])
            for x in range(0, plan.extent[2], plan.shard[1])
        ]
        self._open = {
            (y, x): self._stack.enter_context(
                new_shard(self._folder / str(y) / str(x), plan.chunks)
            )
            for y, x in starts
        }
