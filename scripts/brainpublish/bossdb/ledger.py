"""The ledger: what each cuboid on a server is known to hold. One small file per layer of cuboids.

It is no output of the workflow, because a job's outputs are deleted before it runs again;
the ledger must survive a killed and a repeated job. A lost ledger costs reading back what
the server holds, never a wrong result: an entry is believed only if the channel on the
server still carries the marker that the ledger was written under.

A file is a journal of JSON lines: a head, then entries, of which the last one counts. A layer
is 16 slices whatever the slabs' depth, so that another depth finds the same entries.
"""

import json
import os
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from brainpublish.bossdb.cuboids import Box
from brainpublish.files import read_json, sync_folder, write_json, write_text
from brainpublish.slices.slabs import CUBOID

DOUBT, BLANK, UNKNOWN = "in doubt", "blank", "unknown"
LEDGERS = Path("results", "ledger", "bossdb")
_DOWNSAMPLE = "downsample.json"


@dataclass(frozen=True)
class Entry:
    """What a cuboid holds: a digest, or DOUBT; and whether it was read back since."""

    digest: str
    verified: bool = False


def ledger_folder(endpoint_id: str, channel: str) -> Path:
    """Return the folder of a channel's ledger for a destination, below the working directory."""
    return LEDGERS / endpoint_id / channel


def new_marker() -> str:
    """Return a marker for a channel: no other channel carries the same one."""
    return secrets.token_hex(8)


class ChannelRecord:
    """What this project knows of a channel that it publishes to: one file beside its ledger.

    The marker is written down before the channel is made, so that a run killed in between
    still knows the channel as its own, and as one that nothing was written to before.

    The server names the run that wrote to the channel last. If that is none of those that are
    written down here, someone else wrote: a copy of this folder, or a colleague's. The ledger
    then begins anew, under another lineage.
    """

    def __init__(self, folder: str | Path):
        self._path = Path(folder, "channel.json")
        self._held = read_json(self._path) if self._path.exists() else {}

    @property
    def marker(self) -> str | None:
        """The marker of the channel that this project published to last, or None."""
        return self._held.get("marker")

    @property
    def finished(self) -> bool:
        """Whether that channel was there and marked: not only about to be made."""
        return self._held.get("finished", False)

    @property
    def lineage(self) -> str | None:
        """What the ledger stands under: the marker, until someone else wrote to the channel."""
        return self._held.get("lineage", self.marker)

    @property
    def writers(self) -> list[str | None]:
        """What the server may name as last writer. None: nobody wrote yet.

        There are several only while a run is making itself the last one.
        """
        return self._held.get("writers", [None])

    @property
    def said(self) -> float:
        """When the server was told of the last writer, in seconds since 1970; 0 if never."""
        return self._held.get("said", 0)

    def trusts(self, marker: str | None, writer: str | None) -> bool:
        """Say whether nobody else wrote, by what the server says of the channel."""
        return self.finished and marker == self.marker and writer in self.writers

    def write(
        self,
        marker: str,
        finished: bool,
        lineage: str | None = None,
        writers: Iterable[str | None] = (None,),
        said: float = 0,
    ) -> None:
        """Record the marker of a channel, which is about to be made or was marked with it."""
        self._held = {
            "marker": marker,
            "finished": finished,
            "lineage": lineage or marker,
            "writers": list(writers),
            "said": said,
            **{key: self._held.get(key) for key in ("source", "epoch")},
        }
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
    try:
        return ChannelRecord(folder).state
    except (OSError, ValueError):
        return None


def begin_ledger(folder: str | Path, marker: str, slices: int, rest: str) -> None:
    """Begin the ledger of a channel of which one thing is known for all cuboids.

    Args:
        folder: the channel's folder of ledgers for this destination.
        marker: what the ledger stands under.
        slices: the number of slices of the volume.
        rest: what holds for cuboids without an entry. BLANK: the channel is about to be made,
            so that they hold zeros. UNKNOWN: they must be read. DOUBT: not even reading them
            would tell what they hold.
    """
    for layer in range(-(-slices // CUBOID[0])):
        write_text(_path(folder, layer), _head(marker, rest))


def note_downsample(folder: str | Path, lineage: str) -> None:
    """Record that the server took on to downsample what a channel holds now.

    Args:
        folder: the channel's folder of ledgers for this destination.
        lineage: what its ledger stands under.
    """
    write_json(Path(folder, _DOWNSAMPLE), {"lineage": lineage})


def forget_downsample(folder: str | Path) -> None:
    """Record, before anything is written to a channel, that its downsampling is of something else.

    On return the record survives a power cut.
    """
    note = Path(folder, _DOWNSAMPLE)
    if note.exists():
        note.unlink(missing_ok=True)
        sync_folder(note.parent)


def is_downsample_noted(folder: str | Path, lineage: str) -> bool:
    """Say whether nothing was written to a channel since the server took on to downsample it."""
    try:
        return read_json(Path(folder, _DOWNSAMPLE)) == {"lineage": lineage}
    except (FileNotFoundError, ValueError):
        # None was made, or it is damaged: then the server is asked once more.
        return False


class SlabLedger:
    """The entries of a slab's cuboids for one server. Safe to share between threads."""

    def __init__(self, folder: str | Path, boxes: Iterable[Box], marker: str):
        """Open a slab's ledger.

        Args:
            folder: the channel's folder of ledgers for this destination.
            boxes: the slab's cuboids; no other job may have some of the same layer.
            marker: what the ledger must stand under to be believed: the channel's lineage.
        """
        layers = sorted({_layer(box) for box in boxes})
        self._journals = {layer: _Journal(_path(folder, layer), marker) for layer in layers}

    def __enter__(self) -> "SlabLedger":
        return self

    def __exit__(self, *_):
        for journal in self._journals.values():
            journal.close()

    def entry_of(self, box: Box) -> Entry | None:
        """Return what a cuboid is known to hold. None: zeros, unless it `is_unknown`."""
        journal = self._journals[_layer(box)]
        rest = Entry(DOUBT) if journal.rest == DOUBT else None
        return journal.entries.get(box.key, rest)

    def is_unknown(self, box: Box) -> bool:
        """Say whether nothing is known of a cuboid: it must be read to be known."""
        journal = self._journals[_layer(box)]
        return journal.rest == UNKNOWN and box.key not in journal.entries

    def doubt(self, *boxes: Box) -> None:
        """Record, before writing to them, that it is not known what cuboids hold.

        On return the record survives a power cut.
        """
        self._record({box: Entry(DOUBT) for box in boxes}, durable=True)

    def hold(self, digests: dict[Box, str]) -> None:
        """Record that the server accepted what cuboids hold: their digests.

        On return the record survives the end of this process. A power cut may undo it: the
        cuboids are then in doubt.
        """
        self._record({box: Entry(text) for box, text in digests.items()}, durable=False)

    def verify(self, digests: dict[Box, str]) -> None:
        """Record that cuboids were read back and hold these digests."""
        self._record({box: Entry(text, True) for box, text in digests.items()}, durable=True)

    def _record(self, entries: dict[Box, Entry], durable: bool) -> None:
        layers: dict[int, dict[str, Entry]] = {}
        for box, entry in entries.items():
            layers.setdefault(_layer(box), {})[box.key] = entry
        for layer, changed in layers.items():
            self._journals[layer].append(changed, durable)


class _Journal:
    """One layer's file. It is opened for writing at the first change, rewritten whole then."""

    def __init__(self, path: Path, marker: str):
        self._path = path
        self._marker = marker
        self._lock = threading.Lock()
        self._syncing = threading.Lock()
        self._written = self._synced = 0
        self._handle: int | None = None
        self.rest, self.entries = _read(path, marker)

    def append(self, entries: dict[str, Entry], durable: bool) -> None:
        """Add entries; if `durable`, return only once they survive a power cut."""
        with self._lock:
            self.entries.update(entries)
            if self._handle is None:
                # What stands there may be torn or of another channel.
                write_text(self._path, _head(self._marker, self.rest) + _lines(self.entries))
                self._handle = os.open(self._path, os.O_WRONLY | os.O_APPEND)
            else:
                _write_all(self._handle, _lines(entries).encode())
                self._written += 1
            mine = self._written
        if durable:
            self._sync(mine)

    def _sync(self, mine: int) -> None:
        # Whoever waited here while another one synced finds its own lines synced with those.
        with self._syncing:
            if self._synced < mine:
                with self._lock:
                    written = self._written
                os.fsync(self._handle)
                self._synced = written

    def close(self) -> None:
        """Close the file; a later change opens it again."""
        with self._lock:
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _layer(box: Box) -> int:
    return box.start[0] // CUBOID[0]


def _path(folder: str | Path, layer: int) -> Path:
    return Path(folder, f"z{layer * CUBOID[0]:06}.jsonl")


def _head(marker: str, rest: str) -> str:
    return json.dumps({"marker": marker, "rest": rest}) + "\n"


def _rest_of(head: dict) -> str:
    # Older versions wrote down whether it was blank.
    rest = head["rest"] if "rest" in head else BLANK if head["blank"] else UNKNOWN
    if rest not in (BLANK, DOUBT, UNKNOWN):
        raise ValueError(rest)
    return rest


def _lines(entries: dict[str, Entry]) -> str:
    return "".join(
        json.dumps([key, entry.digest, entry.verified]) + "\n" for key, entry in entries.items()
    )


def _read(path: Path, marker: str) -> tuple[str, dict[str, Entry]]:
    """Return what holds for cuboids without an entry, and the entries.

    Each lineage begins with a file for every layer. Where it is lost, damaged or of another
    lineage, not even a read would tell what was sent and not seen yet: all is in doubt. Lines
    after the last line end are of a record that was not finished, so nothing was sent on its
    ground.
    """
    try:
        head, *lines = (json.loads(line) for line in path.read_bytes().split(b"\n")[:-1])
        entries = {key: Entry(digest, verified) for key, digest, verified in lines}
        return (_rest_of(head), entries) if head["marker"] == marker else (DOUBT, {})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        # Not there, or not what this module wrote.
        return DOUBT, {}
