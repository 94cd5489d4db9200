"""What is written to BossDB at once: a cuboid, or small ones along z that follow each other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from brainpublish.bossdb.bounds import JOINED_BYTES
from brainpublish.bossdb.cuboids import Box
from brainpublish.repacking import Pieces, follows, joined


@dataclass(frozen=True)
class Load:
    """A cuboid ready to be written: blackened first if `erase`, then posted if it has a body.

    The body is taken once the block has a connection, if the stack holds it as it is sent: no
    body then waits in memory. Others wait there, with `held` bytes.
    """

    box: Box
    digest: str
    erase: bool
    body: Callable[[], bytes] | None = None
    held: int = 0
    raw: int = 0


def blocks_of(loads: list[Load]) -> Iterator[tuple[list[Load], bytes | Pieces]]:
    """Yield what is written at once, with its body: small bodies that follow each other, joined."""
    held: list[Load] = []
    bodies: list[bytes] = []
    for load in loads:
        body = load.body() if load.body else b""
        if held and not _can_join(held[-1], bodies, load, body):
            yield held, joined(bodies)
            held, bodies = [], []
        held.append(load)
        bodies.append(body)
        if sum(map(len, bodies)) >= JOINED_BYTES:
            yield held, joined(bodies)
            held, bodies = [], []
    if held:
        yield held, joined(bodies)


def _can_join(last: Load, bodies: list[bytes], load: Load, body: bytes) -> bool:
    if last.erase or load.erase or not body or not bodies[-1]:
        return False
    small = sum(map(len, bodies)) + len(body) <= 2 * JOINED_BYTES
    return small and last.box.stop[0] == load.box.start[0] and follows(bodies[-1], body)
