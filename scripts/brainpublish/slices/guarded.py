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


class _Child:
    def __init__(self, function: Callable, limits: Limits, others: Sequence["_Child"]):
        fork = multiprocessing.get_context("fork")
        self.end, theirs = fork.Pipe()
        inherited = [self.end, *(other.end for other in others)]
        self.process = fork.Process(
            target=_serve, args=(function, limits, theirs, inherited), daemon=True
        )
        self.process.start()
        theirs.close()
        self.index: int | None = None

    def stop(self) -> int:
        self.end.close()
        if self.index is not None:
            self.process.kill()
        self.process.join()
        return self.process.exitcode


def guarded_map(
    function: Callable[[Any], Any], items: Sequence, workers: int, limits: Limits
) -> list:
    """Apply a function to items in child processes; return the results in order.

    Must be called where no other thread of this process holds a lock that the function needs.

    Args:
        function: what it returns must be picklable; what it raises is raised here.
        items: its arguments.
        workers: processes at once.
        limits: of one item.

    Returns:
        For each item the function's result, or a `Broken` where its process was lost.
    """
    results: list = [None] * len(items)
    queue = iter(range(len(items)))
    crew: list[_Child] = []
    try:
        for _ in range(min(workers, len(items))):
            crew.append(_Child(_by_index(function, items), limits, crew))
            _hand_out(crew[-1], queue)
        while busy := {child.end: child for child in crew if child.index is not None}:
            for end in wait(list(busy)):
                child = busy[end]
                index, result = child.index, _received(child)
                if isinstance(result, Broken):
                    crew.remove(child)
                    child = _Child(_by_index(function, items), limits, crew)
                    crew.append(child)
                elif isinstance(result, Exception):
                    raise result
                results[index] = result
                _hand_out(child, queue)
    finally:
        for child in crew:
            child.stop()
    return results


def _by_index(function: Callable, items: Sequence) -> Callable[[int], Any]:
    return lambda index: function(items[index])


def _hand_out(child: _Child, queue) -> None:
    child.index = next(queue, None)
    if child.index is not None:
        child.end.send(child.index)


def _received(child: _Child) -> Any:
    try:
        return child.end.recv()
    except EOFError:
        child.index = None
        status = child.stop()
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
            index = tasks.recv()
        except EOFError:
            return
        # The default action of the alarm ends a process even inside a decoder's loop.
        signal.setitimer(signal.ITIMER_REAL, limits.seconds)
        try:
            result = function(index)
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
