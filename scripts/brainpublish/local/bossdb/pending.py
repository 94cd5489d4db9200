"""Writes that were accepted and not yet stored.

The real service answers 201 when a write is queued, and stores it later. Here a write is stored
before it is answered, unless a delay is set.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from brainpublish.local.bossdb.conditions import Conditions
from brainpublish.local.bossdb.errors import ServerCrash
from brainpublish.local.bossdb.geometry import Box

logger = logging.getLogger(__name__)

# How often the delay is looked at, which may be changed while writes are queued.
LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Pending:
    """A queued write. `awaited` ones hold up reads of what they touch; erasing is not awaited."""

    accepted: float
    layer: tuple[str, str]
    box: Box
    awaited: bool
    store: Callable[[], None]


class PendingWrites:
    """The queue: stored in the order of arrival, each when its delay is over."""

    def __init__(self, conditions: Conditions):
        self._conditions = conditions
        self._queue: deque[Pending] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._finishing = False

    def submit(
        self, layer: tuple[str, str], box: Box, store: Callable[[], None], awaited: bool = True
    ) -> None:
        """Store a write at once, or queue it if a delay is set or others are queued already."""
        with self._changed:
            if self._conditions.flush_delay > 0 or self._queue:
                self._queue.append(Pending(time.monotonic(), layer, box, awaited, store))
                self._start()
                self._changed.notify_all()
                return
        store()

    def wait_for(self, layer: tuple[str, str], box: Box) -> None:
        """Wait until no awaited write that touches a box is queued. Crashes after the limit."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: not self._awaits(layer, box), self._conditions.flush_wait
            ):
                raise ServerCrash("queued writes were not stored in time")

    def finish(self) -> None:
        """Store all that is queued, without delay: what was accepted must not get lost."""
        with self._changed:
            self._finishing = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._queue)

    def _awaits(self, layer: tuple[str, str], box: Box) -> bool:
        return any(
            write.awaited and write.layer == layer and not write.box.within(box).empty
            for write in self._queue
        )

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="bossdb-flush", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._finishing)
                if not self._queue:
                    return
                first = self._queue[0]
                left = first.accepted + self._conditions.flush_delay - time.monotonic()
                if left > 0 and not self._finishing:
                    self._changed.wait(min(left, LOOK_SECONDS))
                    continue
            try:
                first.store()
            except Exception:
                logger.exception("A queued write could not be stored")
            with self._changed:
                self._queue.popleft()
                self._changed.notify_all()
