"""Circumstances of the real service that the embedded one has only when it is told to."""

from dataclasses import dataclass, field

# How long a read waits for queued writes before the real service gives up, in seconds.
FLUSH_WAIT_SECONDS = 60.0


@dataclass
class Conditions:
    """What an operator or the day's traffic decides at the real service.

    `flush_delay`: seconds for which a write stays queued before it is stored; `flush_wait`:
    seconds that a read waits for queued writes. `write_locked`: every POST of voxels fails, as
    after a repeated flush failure. `quota`: bytes per user and calendar month, uncompressed, by
    direction (ingress: POST, egress: GET); a direction that is left out is unlimited. All may be
    changed while the service runs.
    """

    flush_delay: float = 0.0
    flush_wait: float = FLUSH_WAIT_SECONDS
    write_locked: bool = False
    quota: dict[str, int] = field(default_factory=dict)
