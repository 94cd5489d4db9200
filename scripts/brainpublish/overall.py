"""Progress of a whole run, at a calm pace: how much of its slabs is decoded and sent."""

import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from brainpublish.console import duration_text
from brainpublish.files import stamp_of_file

FIRST_SECONDS, CONSOLE_SECONDS, LOOK_SECONDS = 10, 30, 2

ENOUGH = 0.1
"""Share of the work from which on it tells how long the rest takes. Masks come first: their files
are small, and a job's start takes longer than they do."""

DECODED, SENT = "decoded", "sent"


@dataclass(frozen=True)
class SlabWork:
    """One slab that a run is to decode or to send.

    Attributes:
        kind: decoded or sent.
        output: path that is written anew once that is done.
        weight: its share of the work, such as the bytes of its files.
    """

    kind: str
    output: str
    weight: float


@dataclass
class Overall:
    """What of a run's slabs is done, seen from outside: by the files that their jobs leave.

    Attributes:
        slabs: all that the run is to do.
        overlap: whether slabs are sent while others are decoded; else all are decoded first.
        clock: seconds; given in tests.
        stamp: tells one state of a file from another; given in tests.
    """

    slabs: list[SlabWork]
    overlap: bool
    clock: Callable[[], float] = time.monotonic
    stamp: Callable[[str], object] = stamp_of_file
    _ended: dict[SlabWork, float] = field(default_factory=dict)

    def __post_init__(self):
        now = self.clock()
        self._since = {DECODED: now, SENT: None if self._of(DECODED) else now}
        # What an earlier run left lies there until a job begins, and is not of this run.
        self._before = {slab: self.stamp(slab.output) for slab in self.slabs}

    def look(self) -> None:
        """See which slabs have ended since the last look."""
        now = self.clock()
        waited_for = (slab for slab in self.slabs if slab not in self._ended)
        self._ended |= {slab: now for slab in waited_for if self._is_new(slab)}
        if self._since[SENT] is None and self._share(DECODED) >= (ENOUGH if self.overlap else 1):
            self._since[SENT] = now

    def done_text(self) -> str:
        """Return how much of each kind is done."""
        parts = [self._part(kind) for kind in (DECODED, SENT) if self._of(kind)]
        return "So far " + ", ".join(parts)

    def text(self) -> str:
        """Return how much of each kind is done and, once that can be told, the time left."""
        left = self._left()
        return self.done_text() + (f"; {left}" if left else "")

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return len(self._ended) == len(self.slabs)

    def _is_new(self, slab: SlabWork) -> bool:
        return self.stamp(slab.output) not in (None, self._before[slab])

    def _part(self, kind: str) -> str:
        slabs = self._of(kind)
        count = sum(slab in self._ended for slab in slabs)
        # Rounded down: all is not told before it is so.
        percent = math.floor(100 * self._share(kind))
        return f"{count} of {len(slabs)} slabs {kind} ({percent}%)"

    def _left(self) -> str:
        decoding, sending = self._seconds_left(DECODED), self._seconds_left(SENT)
        if decoding is None or self.is_done:
            return ""
        seconds = decoding if sending is None else max(decoding, sending)
        what = " to decode" if sending is None else ""
        return f"about {duration_text(seconds)} left{what}" if seconds else ""

    def _seconds_left(self, kind: str) -> float | None:
        """Return the seconds that a kind still takes, None or 0 if that cannot be told."""
        share, since = self._share(kind), self._since[kind]
        if share == 1:
            return 0
        if share < ENOUGH or since is None:
            return None
        # Nothing is seen of slabs under way: the time they took so far tells nothing of the rate.
        last = max(self._ended[slab] for slab in self._of(kind) if slab in self._ended)
        return max((last - since) * (1 - share) / share - (self.clock() - last), 0)

    def _share(self, kind: str) -> float:
        slabs = self._of(kind)
        if not slabs:
            return 1
        done = sum(slab.weight for slab in slabs if slab in self._ended)
        return done / sum(slab.weight for slab in slabs)

    def _of(self, kind: str) -> list[SlabWork]:
        return [slab for slab in self.slabs if slab.kind == kind]


def watch(
    slabs: Iterable[SlabWork], overlap: bool, say: Callable[[str], None]
) -> Callable[[], str]:
    """Tell of the progress of slabs, in a thread of its own, until all are done or this ends.

    Args:
        slabs: what the run is to do.
        overlap: whether slabs are sent while others are decoded.
        say: takes a line for the person who waits.

    Returns:
        A function that returns how far it got; nothing, if there are no slabs.
    """
    overall = Overall(list(slabs), overlap)
    if not overall.slabs:
        return lambda: ""
    threading.Thread(target=_tell, args=(overall, say), daemon=True).start()

    def how_far() -> str:
        overall.look()
        return overall.done_text()

    return how_far


def _tell(overall: Overall, say: Callable[[str], None]) -> None:
    next_at = time.monotonic() + FIRST_SECONDS
    while not overall.is_done:
        time.sleep(LOOK_SECONDS)
        overall.look()
        if time.monotonic() >= next_at:
            next_at = time.monotonic() + CONSOLE_SECONDS
            say(overall.text())
