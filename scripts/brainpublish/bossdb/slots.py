"""Slots: how many requests may be in flight at once, over all jobs of a run.

A slot is a file that a process holds a lock on for as long as a request lasts. The system lets
go of the lock of a process that ends, however it ends.
"""

import contextlib
import fcntl
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

LOOK_SECONDS = 0.005
"""How often a job that waits for another job's slot looks whether one is free."""


class Slots:
    """So many slots, shared by all processes that name the same folder; threads may share it.

    A thread that holds one does not take another: what it does meanwhile is one after another.
    """

    def __init__(self, count: int, folder: str | Path | None = None):
        """Open the slots.

        Args:
            count: of slots.
            folder: where the files are, or None for slots of this object alone.
        """
        self._changed = threading.Condition()
        self._free = set(range(count))
        self._mine = threading.local()
        self._handles: list[int] = []
        if folder is not None:
            Path(folder).mkdir(parents=True, exist_ok=True)
            paths = (Path(folder, f"slot-{number}") for number in range(count))
            self._handles = [os.open(path, os.O_RDWR | os.O_CREAT, 0o644) for path in paths]

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
            while not stopping.is_set():
                for number in random.sample(sorted(self._free), len(self._free)):
                    if self._locked(number):
                        self._free.remove(number)
                        return number
                self._changed.wait(LOOK_SECONDS)
        return None

    def _locked(self, number: int) -> bool:
        if not self._handles:
            return True
        try:
            fcntl.flock(self._handles[number], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _release(self, number: int) -> None:
        with self._changed:
            if self._handles:
                fcntl.flock(self._handles[number], fcntl.LOCK_UN)
            self._free.add(number)
            self._changed.notify()
