"""Threads that do one task for many items, and can be stopped within seconds."""

import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any

from brainpublish.halts import Interrupted

log = logging.getLogger(__name__)

GRACE_SECONDS = 3
"""How long requests under way may end once the work was stopped."""


class Stopped(Exception):
    """Work that was given up because the job is to end; the reason is told elsewhere."""


def for_each(
    task: Callable[[Any], Any], items: Iterable[Any], threads: int, stopping: threading.Event
) -> list[Any]:
    """Do a task for all items, some at once, and return the results in order.

    The first exception of a task, or one raised in the caller's thread by a signal, sets
    `stopping`: no further item is begun, and what is under way has `GRACE_SECONDS` to end.
    The threads do not keep the process from ending.

    Raises:
        Exception: the first one that a task raised.
        Stopped: if `stopping` was set by someone else.
    """
    crew = _Crew(task, list(items), stopping)
    crew.start(threads)
    try:
        crew.wait_until_ended_or_failed()
    except BaseException:
        stopping.set()
        raise
    finally:
        crew.wait_for_what_is_under_way()
    if crew.errors:
        raise crew.errors[0]
    if stopping.is_set():
        raise Stopped
    return crew.results


class _Crew:
    def __init__(self, task, items: list, stopping: threading.Event):
        self._task = task
        self._items = iter(enumerate(items))
        self._stopping = stopping
        self._changed = threading.Condition()
        self._working = 0
        self.results = [None] * len(items)
        self.errors: list[BaseException] = []

    def start(self, threads: int) -> None:
        self._working = min(threads, len(self.results))
        for _ in range(self._working):
            threading.Thread(target=self._run, daemon=True).start()

    def wait_until_ended_or_failed(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._working or self.errors)

    def wait_for_what_is_under_way(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._working, GRACE_SECONDS)

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                number, value = item
                self.results[number] = self._task(value)
        except Stopped:
            log.info("a block was given up, because the job ends")
        except BaseException as error:
            with self._changed:
                self.errors.append(error)
            self._stopping.set()
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    def _next(self):
        if self._stopping.is_set():
            return None
        with self._changed:
            return next(self._items, None)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first Ctrl-C or SIGTERM into an `Interrupted` in this, the main, thread.

    From then on they are ignored, so that they do not disturb the end that is under way, and
    what is said of it: a terminal sends Ctrl-C to the job, and Snakemake then a SIGTERM.
    """
    both = (signal.SIGINT, signal.SIGTERM)

    def end(number: int, frame: FrameType | None) -> None:
        for each in both:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(
            f"Stopped by {signal.Signals(number).name}. What was sent so far is recorded. Run the "
            "same command again; it goes on from there."
        )

    before = {each: signal.signal(each, end) for each in both}
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is end:
            for each, handler in before.items():
                signal.signal(each, handler)
