"""Slots: how many requests may be in flight at once, over all jobs of a run.

A slot is a file that a process holds a lock on for as long as a request lasts. The system lets
go of the lock of a process that ends, however it ends.

A process whose threads wait while it has less than half of the slots says so, by a lock on one
more file. Others then leave each slot that they are done with alone for a moment.
"""

import contextlib
import fcntl
import logging
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from brainpublish.locks import NoLocks, locked

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.01
"""How often a job that waits for another job's slot looks whether one is free."""
LEAVE_SECONDS = 3 * LOOK_SECONDS
STOP_SECONDS = 0.2
"""How often a thread that waits looks whether it is to stop."""


class Slots:
    """So many slots, shared by all processes that name the same folder; threads may share it.

    A thread that holds one does not take another: what it does meanwhile is one after another.
    Where a file system has no locks, the slots are those of this object alone.
    """

    def __init__(self, count: int, folder: str | Path | None = None):
        """Open the slots.

        Args:
            count: of slots.
            folder: where the files are, or None for slots of this object alone.
        """
        self._count = count
        self._changed = threading.Condition()
        self._free = set(range(count))
        self._mine = threading.local()
        self._waiting = 0
        self._looking = False
        self._hungry = False
        self._left = dict.fromkeys(range(count), 0.0)
        self._handles: list[int] = []
        if folder is not None:
            self._open(Path(folder))

    def _open(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        names = [*(f"slot-{number}" for number in range(self._count)), "waiting"]
        self._handles = [
            os.open(Path(folder, name), os.O_RDWR | os.O_CREAT, 0o644) for name in names
        ]
        try:
            self._others_wait()
        except NoLocks:
            self.close()
            log.warning(
                "The file system of %s has no locks: jobs that run at the same time do not share "
                "their connections, and each has as many as `bossdb.connections` says.",
                folder,
            )

    def close(self) -> None:
        """Close the files, and so let go of all slots."""
        while self._handles:
            os.close(self._handles.pop())

    @contextlib.contextmanager
    def one(self, stopping: threading.Event) -> Iterator[bool]:
        """Hold a slot; yields False, without one, if `stopping` is set while it waits."""
        if getattr(self._mine, "held", False):
            yield True
            return
        number = self._take(stopping)
        if number is None:
            yield False
            return
        self._mine.held = True
        try:
            yield True
        finally:
            self._mine.held = False
            self._release(number)

    def _take(self, stopping: threading.Event) -> int | None:
        with self._changed:
            self._waiting += 1
            try:
                while not stopping.is_set():
                    number = self._one_that_is_free()
                    if number is not None:
                        self._free.remove(number)
                        return number
                    self._tell_others()
                    self._wait()
            finally:
                self._waiting -= 1
                self._tell_others()
                if self._handles and not self._looking:
                    # Another one of those that wait is to look from now on.
                    self._changed.notify()
        return None

    def _one_that_is_free(self) -> int | None:
        for number in random.sample(sorted(self._free), len(self._free)):
            if self._left[number] <= time.monotonic() and self._locked(number):
                return number
        return None

    def _wait(self) -> None:
        """Wait until a slot of this process is free; one thread looks for those of others."""
        if not self._handles or self._looking:
            self._changed.wait(STOP_SECONDS)
            return
        self._looking = True
        try:
            self._changed.wait(LOOK_SECONDS)
        finally:
            self._looking = False

    def _locked(self, number: int) -> bool:
        return not self._handles or locked(self._handles[number], fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _tell_others(self) -> None:
        """Let others know whether this process waits with less than its share."""
        if not self._handles:
            return
        held = self._count - len(self._free)
        hungry = self._waiting > 0 and 2 * held < self._count
        if hungry and not self._hungry:
            self._hungry = locked(self._handles[-1], fcntl.LOCK_SH | fcntl.LOCK_NB)
        elif self._hungry and not hungry:
            locked(self._handles[-1], fcntl.LOCK_UN)
            self._hungry = False

    def _others_wait(self) -> bool:
        if not locked(self._handles[-1], fcntl.LOCK_EX | fcntl.LOCK_NB):
            return True
        locked(self._handles[-1], fcntl.LOCK_UN)
        return False

    def _release(self, number: int) -> None:
        with self._changed:
            self._free.add(number)
            if self._handles:
                locked(self._handles[number], fcntl.LOCK_UN)
                if not self._hungry and self._others_wait():
                    self._left[number] = time.monotonic() + LEAVE_SECONDS
            self._changed.notify()
