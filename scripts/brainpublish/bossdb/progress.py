"""Progress of one slab, said calmly: to the job's log, and more rarely to the console."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from brainpublish.console import duration_text, say

log = logging.getLogger(__name__)

LOG_SECONDS, CONSOLE_SECONDS = 10, 30


def to_console(text: str) -> None:
    """Write a line where a person sees it: a job's own stderr goes to its log."""
    say(f"{text}\n", sys.__stderr__)


@dataclass
class Progress:
    """Counts blocks and bytes of one piece of work. Safe to share between threads.

    Attributes:
        what: the work, for people, such as "lab/fish/image, slab 3 of 8: sent".
        total: blocks to be done.
        at_once: blocks under way at the same time. The first of them end when the others nearly
            have, so they tell nothing of the time left.
        clock: seconds; given in tests.
        console: takes a line for the person at the terminal.
    """

    what: str
    total: int
    at_once: int = 0
    clock: Callable[[], float] = time.monotonic
    console: Callable[[str], None] = to_console
    blocks: int = 0
    bytes: int = 0
    _moved_blocks: int = 0
    _moved_bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self):
        self._begun = self._logged = self._shown = self.clock()

    def done(self, size: int, moved: bool = True) -> None:
        """Count one more block, and say so if it is time to.

        Args:
            size: bytes of its voxels.
            moved: whether it travelled; only such blocks tell how long others will take.
        """
        with self._lock:
            self.blocks += 1
            self.bytes += size
            if moved:
                self._moved_blocks += 1
                self._moved_bytes += size
            now = self.clock()
            last = self.blocks == self.total
            if last or now - self._logged >= LOG_SECONDS:
                self._logged = now
                log.info("%s", self.text(now))
            if now - self._shown >= CONSOLE_SECONDS:
                self._shown = now
                self.console(self.text(now))

    def text(self, now: float) -> str:
        """Return blocks and bytes and, once something travelled, the rate and the time left."""
        text = (
            f"{self.what} {self.blocks} of {self.total} cuboids "
            f"({self.blocks / max(self.total, 1):.0%}), {_size(self.bytes)} of voxels"
        )
        if not self._moved_blocks:
            return text
        seconds = max(now - self._begun, 1e-3)
        text += f", {_size(self._moved_bytes / seconds)}/s"
        if self.at_once < self._moved_blocks and self.blocks < self.total:
            each = seconds / self._moved_blocks
            text += f", about {duration_text(each * (self.total - self.blocks))} left"
        return text


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
