"""The upload engine: a slab's cuboids from the stack to the server, and back to compare.

Several cuboids are under way at once, each read from the stack, compared with the ledger,
compressed and sent by one thread; memory is bounded by the number of connections times a
cuboid (8 MiB of uint16, 32 MiB of uint64) and what it is compressed to.
"""

import hashlib
import logging
import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, fields

import numpy as np

from brainpublish.bossdb.client import BossdbClient
from brainpublish.bossdb.cuboids import Box
from brainpublish.bossdb.ledger import SlabLedger
from brainpublish.findings import Refusal

log = logging.getLogger(__name__)

SENT, KEPT, ERASED, EMPTY = "sent", "kept", "erased", "empty"

PATIENCE_SECONDS = 60
"""How long a read-back may differ: a blackened block is seen with a delay."""


@dataclass(frozen=True)
class Outcome:
    """What was done with one cuboid: `raw` voxel bytes and `wire` body bytes were sent."""

    box: Box
    what: str
    digest: str
    verified: bool
    raw: int = 0
    wire: int = 0


@dataclass(frozen=True)
class Counts:
    """What a slab's upload did, in cuboids and in bytes. Adding two gives their sum."""

    total: int = 0
    sent: int = 0
    kept: int = 0
    erased: int = 0
    empty: int = 0
    raw: int = 0
    wire: int = 0
    verified: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        names = [field.name for field in fields(self)]
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def as_dict(self) -> dict:
        """Return the counts as plain values for JSON."""
        return asdict(self)


@dataclass
class SlabUpload:
    """One slab on its way to one channel.

    Attributes:
        client: the server.
        channel: collection/experiment/channel.
        dtype: the channel's type on the server.
        label: what a stored 1 is published as, for binary masks; 1 changes nothing.
        stack: the stack's array z, y, x, of any type that `dtype` holds; indexing it gives
            something that `numpy.asarray` reads.
        ledger: the slab's ledger for this server.
        connections: requests in flight.
        patience: seconds that a read-back may differ before it counts as a fault.
    """

    client: BossdbClient
    channel: str
    dtype: str
    stack: object
    ledger: SlabLedger
    connections: int
    label: int = 1
    patience: float = PATIENCE_SECONDS

    def run(self, boxes: list[Box], verify: str, share: float = 1.0) -> Counts:
        """Bring the cuboids to the server and read them back.

        Args:
            boxes: the slab's cuboids.
            verify: full, sample or none.
            share: the share of cuboids that a sample reads back.

        Raises:
            Refusal: if the server refuses a block, or a cuboid read back differs.
        """
        outcomes = self._each(self._bring, boxes)
        chosen = _chosen(outcomes, verify, share)
        unread = [outcome for outcome in chosen if not outcome.verified]
        log.info("%d cuboids: reading back %d", len(boxes), len(unread))
        wrong = [text for text in self._each(self._read_back, unread) if text]
        if wrong:
            self.ledger.doubt(*(key for key, _ in wrong))
            raise Refusal(_mismatch_text(self.channel, [text for _, text in wrong], len(unread)))
        self.ledger.verify({outcome.box.key: outcome.digest for outcome in chosen})
        return _counts(outcomes, len(chosen))

    def _each(self, task: Callable, items: Iterable) -> list:
        """Do a task for all items, `connections` at a time; stop at the first exception."""
        with ThreadPoolExecutor(self.connections) as pool:
            futures = [pool.submit(task, item) for item in items]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                for future in futures:
                    future.cancel()
        finished = [future for future in futures if not future.cancelled()]
        for future in finished:
            if future.exception() is not None:
                raise future.exception()
        return [future.result() for future in finished]

    def _values(self, box: Box) -> np.ndarray:
        return np.ascontiguousarray(self.stack[box.slices])

    def _published(self, values: np.ndarray) -> np.ndarray:
        published = values.astype(self.dtype, copy=False)
        return published if self.label == 1 else published * np.dtype(self.dtype).type(self.label)

    def _bring(self, box: Box) -> Outcome:
        values = self._values(box)
        digest = digest_of(values, self.label)
        known = self.ledger.digest_of(box.key)
        blank = not values.any()
        if known == digest:
            return Outcome(box, KEPT, digest, self.ledger.is_verified(box.key))
        if known is None and self.ledger.ours and blank:
            return Outcome(box, EMPTY, digest, False)
        if known is None and not self.ledger.ours:
            there = self.client.get_cutout(self.channel, box, self.dtype)
            if np.array_equal(there, self._published(values)):
                return Outcome(box, EMPTY if blank else KEPT, digest, True)
            old = there.any()
        else:
            old = known is not None
        return self._write(box, values, digest, erase=bool(old) and not values.all())

    def _write(self, box: Box, values: np.ndarray, digest: str, erase: bool) -> Outcome:
        self.ledger.doubt(box.key)
        if erase:
            # A posted zero leaves the stored voxel as it was, so old data is blackened first.
            self.client.black_cutout(self.channel, box)
        what, raw, wire = ERASED, 0, 0
        if values.any():
            published = self._published(values)
            wire = self.client.post_cutout(self.channel, box, published)
            what, raw = SENT, published.nbytes
        self.ledger.hold(box.key, digest)
        return Outcome(box, what, digest, False, raw, wire)

    def _read_back(self, outcome: Outcome) -> tuple[str, str] | None:
        values = self._published(self._values(outcome.box))
        deadline = time.monotonic() + self.patience
        pause = 0.1
        while True:
            there = self.client.get_cutout(self.channel, outcome.box, self.dtype)
            differing = int(np.count_nonzero(there != values))
            if not differing:
                return None
            if time.monotonic() + pause > deadline:
                return outcome.box.key, f"{outcome.box}: {differing:,} of {values.size:,} voxels"
            time.sleep(pause)
            pause = min(2 * pause, 5)


def digest_of(values: np.ndarray, label: int = 1) -> str:
    """Return the sha256 of a block's shape, type, label and voxels, as hexadecimal text."""
    digest = hashlib.sha256(f"{values.shape} {values.dtype.str} {label}".encode())
    digest.update(values.data)
    return digest.hexdigest()


def _chosen(outcomes: list[Outcome], verify: str, share: float) -> list[Outcome]:
    if verify == "full":
        return outcomes
    if verify == "none" or not outcomes:
        return []
    # The same cuboids for the same slab, so that a repeated run repeats its claim.
    dice = random.Random(outcomes[0].box.key)
    count = max(1, round(share * len(outcomes)))
    return dice.sample(outcomes, count)


def _counts(outcomes: list[Outcome], verified: int) -> Counts:
    kinds = [outcome.what for outcome in outcomes]
    return Counts(
        total=len(outcomes),
        sent=kinds.count(SENT),
        kept=kinds.count(KEPT),
        erased=kinds.count(ERASED),
        empty=kinds.count(EMPTY),
        raw=sum(outcome.raw for outcome in outcomes),
        wire=sum(outcome.wire for outcome in outcomes),
        verified=verified,
    )


def _mismatch_text(channel: str, wrong: list[str], read: int) -> str:
    shown = "\n".join(f"  {text}" for text in wrong[:3])
    more = f"\n  ... and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return (
        f"{channel}: {len(wrong)} of {read} cuboids read back differ from the stack.\n"
        f"{shown}{more}\n"
        "Does something else write to this channel? Run the same command again: these cuboids "
        "are sent anew."
    )
