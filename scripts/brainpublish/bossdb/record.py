"""What this project knows of a channel that it publishes to: one file beside its ledger."""

import secrets
from collections.abc import Iterable
from pathlib import Path

from brainpublish.files import read_json_object, write_json

LEDGERS = Path("results", "ledger", "bossdb")

State = tuple[str | None, str | None]
"""A state of a layer's journal that is believed: the opening that wrote it, None for a journal that
was only begun; and the digest of the file, None while it is written to."""

_KINDS = {
    "marker": str,
    "finished": bool,
    "lineage": str,
    "writers": list,
    "said": (int, float),
    "source": str,
    "epoch": str,
    "seals": dict,
    "lost": str,
}


def ledger_folder(endpoint_id: str, channel: str) -> Path:
    """Return the folder of a channel's ledger for a destination, below the working directory."""
    return LEDGERS / endpoint_id / channel


def new_marker() -> str:
    """Return a marker for a channel: no other channel carries the same one."""
    return secrets.token_hex(8)


class ChannelRecord:
    """What is written down of a channel. One that is damaged is as good as none.

    The marker is written down before the channel is made, so that a run killed in between
    still knows the channel as its own, and as one that nothing was written to before.

    The server names the run that wrote to the channel last. If that is none of those that are
    written down here, someone else wrote: a copy of this folder, or a colleague's. The ledger
    then begins anew, under another lineage.
    """

    def __init__(self, folder: str | Path):
        self._path = Path(folder, "channel.json")
        self._held = _read(self._path)

    @property
    def marker(self) -> str | None:
        """The marker of the channel that this project published to last, or None."""
        return self._held.get("marker")

    @property
    def finished(self) -> bool:
        """Whether that channel was there and marked: not only about to be made."""
        return bool(self._held.get("finished"))

    @property
    def lineage(self) -> str | None:
        """What the ledger stands under: the marker, until someone else wrote to the channel."""
        return self._held.get("lineage", self.marker)

    @property
    def writers(self) -> list[str | None]:
        """What the server may name as last writer. None: nobody wrote yet.

        There are several only while a run is making itself the last one.
        """
        return self._held.get("writers") or [None]

    @property
    def said(self) -> float:
        """When the server was told of the last writer, in seconds since 1970; 0 if never."""
        return self._held.get("said") or 0

    def trusts(self, marker: str | None, writer: str | None) -> bool:
        """Say whether nobody else wrote, by what the server says of the channel."""
        return self.finished and marker == self.marker and writer in self.writers

    @property
    def lost(self) -> str | None:
        """A word for the loss of the channel, until it is found again; None while it is there."""
        return self._held.get("lost")

    def write_lost(self) -> None:
        """Record that the channel is not on the server any more."""
        self._held |= {"lost": new_marker()}
        write_json(self._path, self._held)

    def write(
        self,
        marker: str,
        finished: bool,
        lineage: str | None = None,
        writers: Iterable[str | None] = (None,),
        said: float = 0,
    ) -> None:
        """Record the marker of a channel, which is about to be made or was marked with it."""
        lineage = lineage or marker
        self._held = {
            "marker": marker,
            "finished": finished,
            "lineage": lineage,
            "writers": list(writers),
            "said": said,
            **{key: self._held.get(key) for key in ("source", "epoch")},
            "seals": self._held.get("seals") if lineage == self.lineage else {},
        }
        write_json(self._path, self._held)

    @property
    def seals(self) -> dict[str, list[State]] | None:
        """The states of the ledger's journals that are believed, by the names of their files.

        One without an entry was only begun. None: an older version wrote down none.
        """
        seals = self._held.get("seals")
        return seals and {name: [(*each,) for each in states] for name, states in seals.items()}

    def write_seals(self, seals: dict[str, list[State]]) -> None:
        """Record in which states journals are believed from now on."""
        self._held |= {"seals": seals}
        write_json(self._path, self._held)

    @property
    def state(self) -> str | None:
        """What records of uploads must name to be true still; None before the first upload."""
        return f"{self.lineage} {self._held['epoch']}" if self._held.get("epoch") else None

    def begin(self, source: str) -> None:
        """Record what is published from now on: unless it is the same, a new epoch begins."""
        if self._held.get("source") != source:
            self._held |= {"source": source, "epoch": new_marker()}
            write_json(self._path, self._held)

    def write_writers(self, writers: Iterable[str | None], said: float = 0) -> None:
        """Record who may be the last writer, and when the server was told; all else stays."""
        self.write(self.marker, self.finished, self.lineage, writers, said)


def state_of_channel(folder: str | Path) -> str | None:
    """Return the state of a channel by its record; None where there is none that can be read."""
    return _told(folder, "state")


def loss_of_channel(folder: str | Path) -> str | None:
    """Return a word for the loss of a channel by its record; None where none is written down."""
    return _told(folder, "lost")


def _told(folder: str | Path, what: str) -> str | None:
    try:
        return getattr(ChannelRecord(folder), what)
    except OSError:
        return None


def _read(path: Path) -> dict:
    held = read_json_object(path)
    known = ((held.get(key), kind) for key, kind in _KINDS.items())
    return held if all(value is None or isinstance(value, kind) for value, kind in known) else {}
