"""Work on files that cannot be trusted: in child processes, each file within limits.

A decoder may crash, run for minutes or take gigabytes on a damaged or hostile file. Such a
file costs a child process, never the job. Children are forked, so that they start at once and
write into memory that they share with the job.
"""

import multiprocessing
import resource
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

TIME, MEMORY, CRASH = "time", "memory", "crash"


@dataclass(frozen=True)
class Limits:
    """What one item may take: seconds, and bytes of memory beside what the job holds."""

    seconds: float
    memory: int


HEADER_LIMITS = Limits(seconds=60, memory=2**30)


@dataclass(frozen=True)
class Broken:
    """The result of an item whose process was lost: `kind` is time, memory or crash."""

    kind: str
    message: str


class GuardedCrew:
    """Child processes that do one task for items, each within limits.

    Must be made, and used, where no other thread of this process holds a lock that the task
    needs.
    """

    def __init__(self, function: Callable[[Any], Any], workers: int, limits: Limits):
        """Start the processes.

        Args:
            function: the task; what it takes and returns must be picklable.
            workers: processes at once.
            limits: of one item.
        """
        self._function, self._limits = function, limits
        self._children: list[_Child] = []
        for _ in range(workers):
            self._start()

    def __enter__(self) -> "GuardedCrew":
        return self

    def __exit__(self, *_):
        for child in self._children:
            child.stop()

    def _start(self) -> None:
        self._children.append(_Child(self._function, self._limits, self._children))

    @property
    def idle(self) -> bool:
        """Whether a process has nothing to do."""
        return any(not child.busy for child in self._children)

    @property
    def busy(self) -> bool:
        """Whether a process has something to do."""
        return any(child.busy for child in self._children)

    def give(self, item: Any) -> None:
        """Hand an item to an idle process."""
        next(child for child in self._children if not child.busy).give(item)

    def take(self) -> tuple[Any, Any]:
        """Wait until an item is done; return it, and its result.

        Returns:
            The item and what the function returned, or a `Broken` where its process was lost.

        Raises:
            Exception: what the function raised.
        """
        busy = {child.end: child for child in self._children if child.busy}
        child = busy[wait(list(busy))[0]]
        item, result = child.take()
        if isinstance(result, Broken) and not child.alive:
            self._children.remove(child)
            self._start()
        elif isinstance(result, Exception):
            raise result
        return item, result


def guarded_map(
    function: Callable[[Any], Any], items: Sequence, workers: int, limits: Limits
) -> list:
    """Apply a function to items in child processes; return the results in order.

    Args:
        function: what it returns must be picklable; what it raises is raised here.
        items: its arguments.
        workers: processes at once.
        limits: of one item.

    Returns:
        For each item the function's result, or a `Broken` where its process was lost.
    """
    results: list = [None] * len(items)
    waiting = iter(range(len(items)))
    with GuardedCrew(lambda n: function(items[n]), min(workers, len(items)), limits) as crew:
        while True:
            while crew.idle and (number := next(waiting, None)) is not None:
                crew.give(number)
            if not crew.busy:
                return results
            number, result = crew.take()
            results[number] = result


class _Child:
    def __init__(self, function: Callable, limits: Limits, others: Sequence["_Child"]):
        fork = multiprocessing.get_context("fork")
        self.end, theirs = fork.Pipe()
        inherited = [self.end, *(other.end for other in others)]
        self._process = fork.Process(
            target=_serve, args=(function, limits, theirs, inherited), daemon=True
        )
        self._process.start()
        theirs.close()
        self._item: Any = None
        self.busy, self.alive = False, True

    def give(self, item: Any) -> None:
        self._item, self.busy = item, True
        self.end.send(item)

    def take(self) -> tuple[Any, Any]:
        try:
            result = self.end.recv()
        except EOFError:
            self.alive = self.busy = False
            result = _why_lost(self.stop())
        self.busy = False
        return self._item, result

    def stop(self) -> int:
        self.end.close()
        if self.busy:
            self._process.kill()
        self._process.join()
        return self._process.exitcode


def _why_lost(status: int) -> Broken:
    if status == -signal.SIGALRM:
        return Broken(TIME, "takes too long to decode")
    if status == -signal.SIGKILL:
        return Broken(MEMORY, "takes too much memory to decode")
    return Broken(CRASH, f"crashes the decoder (status {status})")


def _serve(
    function: Callable, limits: Limits, tasks: Connection, inherited: list[Connection]
) -> None:
    # With the other ends closed, the pipe ends when the job does, however it ends.
    for end in inherited:
        end.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _limit_memory(limits.memory)
    while True:
        try:
            item = tasks.recv()
        except EOFError:
            return
        # The default action of the alarm ends a process even inside a decoder's loop.
        signal.setitimer(signal.ITIMER_REAL, limits.seconds)
        try:
            result = function(item)
        except MemoryError:
            result = Broken(MEMORY, "takes too much memory to decode")
        except Exception as error:
            result = error
        signal.setitimer(signal.ITIMER_REAL, 0)
        tasks.send(result)


def _limit_memory(allowance: int) -> None:
    """Limit this process to what it has now and an allowance, where the system says how much."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        held = int(statm.read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = held + allowance
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
