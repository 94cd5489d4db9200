"""The ledger: what each cuboid on a server is known to hold. One small file per slab.

It is no output of the workflow, because a job's outputs are deleted before it runs again;
the ledger must survive a killed and a repeated job. A lost ledger costs reading back what
the server holds, never a wrong result: an entry is believed only if the channel on the
server still carries the marker that the ledger was written under.
"""

import secrets
import threading
from pathlib import Path

from brainpublish.files import read_json, write_json

DOUBT = "in doubt"


def new_marker() -> str:
    """Return a marker for a channel: no other channel carries the same one."""
    return secrets.token_hex(8)


class ChannelRecord:
    """What this project knows of a channel that it made: one file, beside the slabs' ledgers.

    The marker is written down before the channel is made, so that a run killed in between
    still knows the channel as its own, and as one that nothing was written to before.
    """

    def __init__(self, folder: str | Path):
        self._path = Path(folder, "channel.json")

    @property
    def marker(self) -> str | None:
        """The marker of the channel that this project made, or None."""
        return read_json(self._path)["marker"] if self._path.exists() else None

    def write(self, marker: str) -> None:
        """Record the marker that a channel is being made with."""
        write_json(self._path, {"marker": marker})


class SlabLedger:
    """The cuboids of one slab on one server. Safe to share between threads.

    An entry is the digest that a cuboid holds, with whether it was read back, or that the
    cuboid is in doubt: it was being written when the job ended. Where there is no entry,
    a channel that this project made anew (`ours`) holds zeros, any other is unknown.
    """

    def __init__(self, folder: str | Path, slab: int, marker: str | None):
        """Open a slab's ledger.

        Args:
            folder: the channel's folder of ledgers for this destination.
            slab: the slab's number.
            marker: the marker that the channel on the server carries now, or None.
        """
        self._path = Path(folder, f"{slab}.json")
        self._marker = marker
        self._lock = threading.Lock()
        self._cuboids: dict[str, dict] = {}
        self.ours = marker is not None and ChannelRecord(folder).marker == marker
        if self._path.exists() and marker is not None:
            held = read_json(self._path)
            if held["marker"] == marker:
                self._cuboids = held["cuboids"]

    def digest_of(self, key: str) -> str | None:
        """Return the digest that a cuboid is known to hold, DOUBT, or None if unknown."""
        with self._lock:
            entry = self._cuboids.get(key)
        return entry["digest"] if entry else None

    def is_verified(self, key: str) -> bool:
        """Say whether a cuboid was read back since it was last written."""
        with self._lock:
            return self._cuboids.get(key, {}).get("verified", False)

    def doubt(self, *keys: str) -> None:
        """Record, before writing to them, that it is not known what cuboids hold."""
        self._record({key: {"digest": DOUBT} for key in keys})

    def hold(self, key: str, digest: str) -> None:
        """Record that the server accepted what a cuboid holds."""
        self._record({key: {"digest": digest, "verified": False}})

    def verify(self, digests: dict[str, str]) -> None:
        """Record that cuboids were read back and hold these digests."""
        self._record({key: {"digest": text, "verified": True} for key, text in digests.items()})

    def _record(self, entries: dict[str, dict]) -> None:
        with self._lock:
            self._cuboids.update(entries)
            write_json(self._path, {"marker": self._marker, "cuboids": self._cuboids})
