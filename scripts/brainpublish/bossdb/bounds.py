"""What an upload job takes at most of the machine: memory and cores."""

import math
import os

from brainpublish.slices.slabs import CUBOID

LOCAL_CONNECTIONS = 4
"""The embedded service works in the job's process: more requests at once only cost memory."""
MOST_WORKERS = 4
"""More cores than these do not make one upload faster: by then the network is the floor."""

UPLOADS = 2
"""Upload jobs at once: one begins while the other one ends."""

JOINED_BYTES = 2**23
"""Packed cuboids are joined to one request until it has so many bytes: small ones would wait for
as many answers. It has at most twice as many."""

_RUN = {"uint8": 4, "uint16": 2, "uint64": 4}
"""Cuboids along z that may be joined. Four of uint64 are 128 MiB, as many as intern sends of
1024 x 1024 x 16."""

_BASE_MB = 200
_ITEM_BYTES = {"uint8": 1, "uint16": 2, "uint64": 8}


def workers() -> int:
    """Return how many cuboids a job reads and compresses at once; the cores are shared."""
    usable = getattr(os, "sched_getaffinity", None)
    count = len(usable(0)) if usable else os.cpu_count() or 1
    return min(MOST_WORKERS, -(-count // UPLOADS))


def run_length(dtype: str, local: bool) -> int:
    """Return how many cuboids along z are brought together, to be joined where they are small.

    The embedded service in the job's process answers at once, and would only hold more in memory.
    """
    return 1 if local else _RUN[dtype]


def memory_bound(connections: int, dtype: str, local: bool) -> int:
    """Return the memory that an upload job takes at most, in MiB.

    It follows from the size of a cuboid and the number of them under way, not from the size of
    slices or slabs: each connection, and each worker, has a compressed cuboid, which may be as
    large as a raw one, beside smaller ones that it may be joined to; each worker has it raw up to
    four times, as it is read, as it is published, as the server sent it, and as it is compressed
    or compared.

    Args:
        connections: requests in flight.
        dtype: the channel's type.
        local: whether the embedded service works in the job's process.
    """
    cuboid = math.prod(CUBOID) * _ITEM_BYTES[dtype] / 2**20
    flying = min(connections, LOCAL_CONNECTIONS) if local else connections
    service = 4 * flying * cuboid if local else 0
    compressed = cuboid if local else cuboid + JOINED_BYTES / 2**20
    held = (flying + MOST_WORKERS) * compressed + 4 * MOST_WORKERS * cuboid
    return math.ceil(_BASE_MB + held + service)
