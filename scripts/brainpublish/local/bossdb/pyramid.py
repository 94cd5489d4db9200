"""Building of a channel's coarser levels, by a thread of the serving process.

Jobs are rows of the database, so that they survive the process. Whoever holds the lock file does
them, one at a time; if that process dies, another one or the next one goes on.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from brainpublish.local.bossdb.channels import DOWNSAMPLED, FAILED, IN_PROGRESS, layer_of
from brainpublish.local.bossdb.database import Database
from brainpublish.local.bossdb.downsample import MOST_LEVELS
from brainpublish.local.bossdb.geometry import Triple
from brainpublish.local.bossdb.locks import exclusive
from brainpublish.local.bossdb.lookup import Target, target_of_channel
from brainpublish.local.bossdb.reduction import (
    grown,
    halve,
    mean_of_four,
    mode_of_four,
    shrunk,
)
from brainpublish.local.bossdb.volumes import Layer, Volumes

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
# At its end a service still finishes what takes no longer than this; the rest is left to the next.
LAST_SECONDS = 10.0
BUILDABLE = {("image", "uint8"), ("image", "uint16"), ("annotation", "uint64")}


class Interrupted(Exception):
    """The work on a job must stop: the service ends, or the job was cancelled."""


class Unbuildable(Exception):
    """The channel is of a kind whose pyramid the real service fails to build."""


class Pyramids:
    """The worker: builds queued pyramids while the service runs."""

    def __init__(self, database: Database, volumes: Volumes, lock_file: Path):
        self._database = database
        self._volumes = volumes
        self._lock_file = lock_file
        self._wake = threading.Event()
        self._stop_at = float("inf")
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work, first on what an earlier service left."""
        self._thread = threading.Thread(target=self._run, name="bossdb-downsample", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that there is a new job."""
        self._wake.set()

    def stop(self) -> None:
        """Finish what is short, leave the rest resumable, and end the thread."""
        self._stop_at = time.monotonic() + LAST_SECONDS
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()
            stopping = self._stop_at < float("inf")
            try:
                self._work()
            except Interrupted:
                return
            except Exception:
                logger.exception("The downsample worker met a problem")
            if stopping:
                return

    def _work(self) -> None:
        while self._next_job() is not None:
            with exclusive(self._lock_file, wait=False) as mine:
                if not mine:
                    return
                job = self._next_job()
                if job is not None:
                    self._do(job["id"], job["channel"], job["levels_done"])

    def _next_job(self):
        return self._database.one("SELECT * FROM downsample_job ORDER BY id LIMIT 1")

    def _do(self, job: int, channel_id: int, levels_done: int) -> None:
        self._check(job)
        self._set_status(job, channel_id, IN_PROGRESS)
        target = target_of_channel(self._database, channel_id)
        try:
            self._build(job, target, levels_done)
        except Interrupted:
            if not self._cancelled(job):
                raise
        except Unbuildable as reason:
            logger.warning("Channel %s: %s", target.channel["name"], reason)
            self._finish(job, channel_id, FAILED)
        except Exception:
            logger.exception("Downsampling of channel %s failed", target.channel["name"])
            self._finish(job, channel_id, FAILED)
        else:
            self._finish(job, channel_id, DOWNSAMPLED)

    def _build(self, job: int, target: Target, levels_done: int) -> None:
        channel, experiment = target.channel, target.experiment
        if (channel["type"], channel["datatype"]) not in BUILDABLE:
            raise Unbuildable(f"cannot downsample {channel['type']} {channel['datatype']}")
        if experiment["num_hierarchy_levels"] > MOST_LEVELS:
            raise Unbuildable("the hierarchy has too many levels")
        first = channel["base_resolution"] + 1
        for level in range(first + levels_done, experiment["num_hierarchy_levels"]):
            for fine, coarse in level_pairs(target, level):
                self._build_level(job, fine, coarse)
            sql = "UPDATE downsample_job SET levels_done = ? WHERE id = ?"
            self._database.run(sql, level - first + 1, job)

    def _build_level(self, job: int, fine: Layer, coarse: Layer) -> None:
        self._volumes.prepare(coarse)
        by = halvings_between(fine, coarse)
        # Chunks that are stored and show nothing any more must be cleared too.
        chunks = {
            chunk
            for fine_chunk in self._volumes.stored_chunks(fine)
            for chunk in coarse.chunks_of(shrunk(fine.chunk_box(fine_chunk), by))
        } | set(self._volumes.stored_chunks(coarse))

        def build(chunk: Triple) -> None:
            self._check(job)
            self._volumes.replace(coarse, chunk, self._coarse_voxels(fine, coarse, chunk))

        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as threads:
            for _ in threads.map(build, sorted(chunks)):
                pass

    def _coarse_voxels(self, fine: Layer, coarse: Layer, chunk: Triple) -> np.ndarray:
        by = halvings_between(fine, coarse)
        box = coarse.chunk_box(chunk)
        source = grown(box, by).within(fine.level.bounds)
        reduce = mean_of_four if fine.kind == "image" else mode_of_four
        return halve(self._volumes.read(fine, source), source, box, by, reduce)

    def _check(self, job: int) -> None:
        if time.monotonic() > self._stop_at or self._cancelled(job):
            raise Interrupted

    def _cancelled(self, job: int) -> bool:
        return self._database.one("SELECT 1 FROM downsample_job WHERE id = ?", job) is None

    def _set_status(self, job: int, channel_id: int, status: str) -> None:
        with self._database.writing():
            if not self._cancelled(job):
                self._database.update("channel", channel_id, {"downsample_status": status})

    def _finish(self, job: int, channel_id: int, status: str) -> None:
        with self._database.writing():
            if self._database.run("DELETE FROM downsample_job WHERE id = ?", job):
                self._database.update("channel", channel_id, {"downsample_status": status})


def level_pairs(target: Target, level: int) -> Iterator[tuple[Layer, Layer]]:
    """Yield (finer, coarser) layers to build a level: the plain one, and the isotropic branch.

    Only time sample 0 has a pyramid.
    """
    yield layer_of(target, level - 1), layer_of(target, level)
    branch = layer_of(target, level, isotropic=True)
    if branch.level.isotropic_branch:
        yield layer_of(target, level - 1, isotropic=True), branch


def halvings_between(fine: Layer, coarse: Layer) -> Triple:
    """Return how often x, y and z are halved from a layer to the next coarser one: 0 or 1."""
    pairs = zip(fine.level.voxel_size, coarse.level.voxel_size, strict=True)
    return tuple(int(coarser > finer) for finer, coarser in pairs)
