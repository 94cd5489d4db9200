"""The ledger: what each cuboid on a server is known to hold. One small file per layer of cuboids.

It is no output of the workflow, because a job's outputs are deleted before it runs again;
the ledger must survive a killed and a repeated job. A lost ledger costs reading back what
the server holds, never a wrong result: an entry is believed only if the channel on the
server still carries the marker that the ledger was written under.

A file is a journal of JSON lines: a head, then entries, of which the last one counts. A layer
is 16 slices whatever the slabs' depth, so that another depth finds the same entries.

The channel's record, which the server's mark of the last writer proves to be the latest, says in
which state each journal was left. One in another state, as an older file put back or one that was
cut or damaged, tells nothing.
"""

import contextlib
import json
import logging
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import xxhash
from filelock import FileLock, Timeout

from brainpublish.bossdb.cuboids import Box
from brainpublish.bossdb.record import ChannelRecord, State, new_marker
from brainpublish.files import read_json, sync_folder, write_json, write_text
from brainpublish.slices.slabs import CUBOID

log = logging.getLogger(__name__)

DOUBT, BLANK, UNKNOWN = "in doubt", "blank", "unknown"
LOCK = "channel.lock"
"""Name of the file, in a channel's folder, that is locked by whoever changes its record."""
CLOSE_SECONDS = 2
"""How long a ledger that is closed waits for others that change the channel's record."""
_DOWNSAMPLE = "downsample.json"


@dataclass(frozen=True)
class Entry:
    """What a cuboid holds: a digest, or DOUBT; and whether it was read back since."""

    digest: str
    verified: bool = False


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
        self._folder = Path(folder)
        self._opening = threading.Lock()
        self._opened: str | None = None
        self._closed = False
        seals = ChannelRecord(folder).seals
        paths = {layer: _path(folder, layer) for layer in sorted({_layer(box) for box in boxes})}
        self._journals = {
            layer: _Journal(path, marker, None if seals is None else seals.get(path.name, []))
            for layer, path in paths.items()
        }

    def __enter__(self) -> "SlabLedger":
        return self

    def __exit__(self, *_):
        # A thread that waits for another job may hold it, and a job that is to end does not wait.
        if not self._opening.acquire(timeout=CLOSE_SECONDS):
            return
        try:
            self._closed = True
            if self._opened is not None:
                closed = {each.name: each.close() for each in self._journals.values()}
                self._seal(closed, CLOSE_SECONDS)
        except Timeout:
            log.info("the record of the channel is busy: journals count as written to")
        finally:
            self._opening.release()

    def _open(self) -> str:
        """Let the channel's record say that journals are written to, before the first one is."""
        with self._opening:
            if self._closed:
                raise ValueError("this ledger was closed")
            if self._opened is None:
                opened, journals = new_marker(), self._journals.values()
                self._seal({each.name: [*each.states, (opened, None)] for each in journals})
                self._opened = opened
            return self._opened

    def _seal(self, states: dict[str, list[State]], seconds: float = -1) -> None:
        """Record states of journals; raises Timeout if the record is busy for so many seconds."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._folder / LOCK, timeout=seconds):
            record = ChannelRecord(self._folder)
            seals = record.seals
            if seals is None:
                # An older version sealed none: what is there is taken as it is.
                paths = self._folder.glob("z*.jsonl")
                seals = {path.name: [(None, _digest(path.read_bytes()))] for path in paths}
            record.write_seals({**seals, **states})

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
        entries = {box: Entry(text, True) for box, text in digests.items()}
        news = {box: entry for box, entry in entries.items() if self.entry_of(box) != entry}
        self._record(news, durable=True)

    def _record(self, entries: dict[Box, Entry], durable: bool) -> None:
        layers: dict[int, dict[str, Entry]] = {}
        for box, entry in entries.items():
            layers.setdefault(_layer(box), {})[box.key] = entry
        for layer, changed in layers.items():
            self._journals[layer].append(changed, durable, self._open())


class _Journal:
    """One layer's file. It is opened for writing at the first change, rewritten whole then.

    Attributes:
        name: of the file.
        states: that in which it was found; if it is not believed, those in which it would be.
    """

    def __init__(self, path: Path, marker: str, states: list[State] | None):
        """Read a journal; `states` are those in which it is believed, any if None."""
        self.name = path.name
        self._path = path
        self._marker = marker
        self._lock = threading.Lock()
        self._syncing = threading.Lock()
        self._written = self._synced = 0
        self._opened: str | None = None
        self._handle: int | None = None
        self.rest, self.entries, self.states = _read(path, marker, states)

    def append(self, entries: dict[str, Entry], durable: bool, opened: str) -> None:
        """Add entries; if `durable`, return only once they survive a power cut."""
        with self._lock:
            self.entries.update(entries)
            if self._handle is None:
                # What stands there may be torn or of another channel.
                head = _head(self._marker, self.rest, opened)
                write_text(self._path, head + _lines(self.entries))
                self._opened = opened
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

    def close(self) -> list[State]:
        """Close the file, and return the states in which it is believed from now on."""
        with self._lock:
            if self._handle is not None:
                os.fsync(self._handle)
                os.close(self._handle)
                self._handle = None
                self.states = [(self._opened, _digest(self._path.read_bytes()))]
            return self.states


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _layer(box: Box) -> int:
    return box.start[0] // CUBOID[0]


def _path(folder: str | Path, layer: int) -> Path:
    return Path(folder, f"z{layer * CUBOID[0]:06}.jsonl")


def _digest(data: bytes) -> str:
    return xxhash.xxh3_64_hexdigest(data)


def _head(marker: str, rest: str, opened: str | None = None) -> str:
    return json.dumps({"marker": marker, "rest": rest, "opened": opened}) + "\n"


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


def _read(
    path: Path, marker: str, states: list[State] | None
) -> tuple[str, dict[str, Entry], list[State]]:
    """Return what holds for cuboids without an entry, the entries, and what `states` become.

    Each lineage begins with a file for every layer. Where it is lost, damaged, of another
    lineage or in none of the `states`, not even a read would tell what was sent and not seen yet:
    all is in doubt. Lines after the last line end are of a record that was not finished, so
    nothing was sent on its ground.
    """
    # Else it is not there, or not what this module wrote.
    with contextlib.suppress(FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        data = path.read_bytes()
        head, *lines = (json.loads(line) for line in data.split(b"\n")[:-1])
        entries = {key: Entry(digest, verified) for key, digest, verified in lines}
        state = (head.get("opened"), _digest(data))
        if head["marker"] == marker and _is_believed(state, bool(entries), states):
            return _rest_of(head), entries, [state]
    return DOUBT, {}, states or []


def _is_believed(state: State, is_written: bool, states: list[State] | None) -> bool:
    if states is None:
        return True
    if not states:
        return not is_written
    opened, _ = state
    return any(each in (state, (opened, None)) for each in states)
