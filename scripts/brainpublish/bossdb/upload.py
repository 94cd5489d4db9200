"""The upload engine: a slab's cuboids from the stack to the server, and back to compare.

Each thread takes a run of cuboids along z the whole way: it compares each with the ledger, reads
it from the stack, compresses it unless it can be sent as it is stored (no more at once than
`workers`), and sends them (no more at once than the client has connections), small ones joined
to one request. There are as many threads as both together, so that cuboids are made ready while
others are on their way, and memory has a bound: see `memory_bound`.
"""

import contextlib
import functools
import itertools
import logging
import math
import queue
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields

import numpy as np

from brainpublish.bossdb.bounds import JOINED_BYTES
from brainpublish.bossdb.client import BossdbClient, BossdbRefusal
from brainpublish.bossdb.codec import CodecChoice
from brainpublish.bossdb.crew import Stopped, for_each
from brainpublish.bossdb.cuboids import Box, runs_of
from brainpublish.bossdb.ledger import SlabLedger
from brainpublish.bossdb.loads import Load, blocks_of
from brainpublish.bossdb.progress import Progress
from brainpublish.findings import Refusal
from brainpublish.packing import IMAGE, Codecs
from brainpublish.repacking import Pieces, widened
from brainpublish.slices.slab import CuboidFacts, digest_of
from brainpublish.slices.slabs import CUBOID

log = logging.getLogger(__name__)

SENT, KEPT, ERASED, EMPTY = "sent", "kept", "erased", "empty"

PATIENCE_SECONDS = 60
"""How long read-backs may differ after the last write: a blackened block is seen with a delay."""
LEAST_SECONDS = 2
"""How long each one may, when that time is over: one that differs may have been asked for early."""


@dataclass(frozen=True)
class Verification:
    """How much is read back: full, sample or none; for a sample, its share and its seed."""

    verify: str = "full"
    sample_share: float = 1.0
    seed: str = ""

    def claim(self) -> dict:
        """Return what a receipt says of it, as plain values."""
        if self.verify == "sample":
            return {"mode": "sample", "share": self.sample_share, "seed": self.seed}
        if self.verify == "none":
            return {"mode": "none", "warning": "NOT VERIFIED: nothing was read back"}
        return {"mode": "full"}


@dataclass(frozen=True)
class Outcome:
    """What was done with one cuboid: `raw` voxel bytes and `wire` body bytes were sent.

    A cuboid that was joined with others has an equal share of their body.
    """

    box: Box
    what: str
    digest: str
    verified: bool
    raw: int = 0
    wire: float = 0


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
        client: the server; its `stopping` ends the work when set.
        channel: collection/experiment/channel.
        dtype: the channel's type on the server.
        stack: the stack's array z, y, x, of any type that `dtype` holds; indexing it gives
            something that `numpy.asarray` reads.
        ledger: the slab's ledger for this server.
        workers: cuboids read and compressed at once.
        run_length: cuboids along z that a thread takes together, to join them: see `bounds`.
        label: what a stored 1 is published as, for binary masks; 1 changes nothing.
        title: the slab's name for people.
        facts: what is known of cuboids without reading them, by their key.
        packed: gives, for the start of a whole cuboid, its blosc buffer in the stack's type.
        codecs: how blocks are compressed; the fast one is that of `packed`.
        patience: seconds that read-backs may differ before that counts as a fault.
    """

    client: BossdbClient
    channel: str
    dtype: str
    stack: object
    ledger: SlabLedger
    workers: int
    run_length: int = 1
    label: int = 1
    title: str = "slab"
    facts: Mapping[str, CuboidFacts] = field(default_factory=dict)
    packed: Callable[[tuple[int, int, int]], bytes] | None = None
    codecs: Codecs = IMAGE
    patience: float = PATIENCE_SECONDS

    def __post_init__(self):
        self._codec = CodecChoice(self.codecs, self.dtype)
        self._core = _Desks(self.workers, self.dtype)
        self._stopping = self.client.stopping
        self._due = 0.0

    def run(self, boxes: list[Box], verify: Verification) -> Counts:
        """Bring the cuboids to the server and read them back.

        Args:
            boxes: the slab's cuboids.
            verify: how much is read back.

        Raises:
            Refusal: if the server refuses a block, or a cuboid read back differs.
        """
        runs = runs_of(boxes, self.run_length)
        brought = self._each(self._bring, runs, "brought", lambda outcome: outcome.box)
        outcomes = sorted(brought, key=lambda outcome: outcome.box)
        self.ledger.verify({each.box: each.digest for each in outcomes if each.verified})
        chosen = _chosen(outcomes, verify)
        unread = [outcome for outcome in chosen if not outcome.verified]
        self._due = time.monotonic() + self.patience
        found = self._each(
            lambda alone: [self._read_back(*alone)],
            [[outcome] for outcome in unread],
            "read back",
            lambda pair: pair[0].box,
        )
        wrong = [(outcome.box, text) for outcome, text in found if text]
        if wrong:
            self.ledger.doubt(*(box for box, _ in wrong))
            raise Refusal(_mismatch_text(self.channel, [text for _, text in wrong], len(unread)))
        self.ledger.verify({outcome.box: outcome.digest for outcome in unread})
        return _counts(outcomes, len(chosen))

    def _each(self, task: Callable, groups: list[list], verb: str, box_of: Callable) -> list:
        """Do a task for groups of cuboids, some at once; return what it returned of each cuboid."""
        at_once = self.client.connections * max(map(len, groups), default=0)
        progress = Progress(f"{self.title}: {verb}", sum(map(len, groups)), at_once)

        def do(group: list) -> list:
            results = task(group)
            for each in results:
                progress.done(self._size(box_of(each)), self._travelled(each))
            return results

        threads = self.client.connections + self.workers
        try:
            done = for_each(do, groups, threads, self._stopping)
            return list(itertools.chain.from_iterable(done))
        except BossdbRefusal as refusal:
            raise BossdbRefusal(
                f"{refusal}\n{self.title}: {verb} {progress.blocks} of {progress.total} cuboids.",
                refusal.status,
                refusal.code,
            ) from None

    def _travelled(self, result) -> bool:
        """Say whether a cuboid was sent or read, rather than known to be there."""
        if not isinstance(result, Outcome) or result.what in (SENT, ERASED):
            return True
        return self.ledger.is_unknown(result.box)

    def _values(self, box: Box) -> np.ndarray:
        return np.ascontiguousarray(self.stack[box.slices])

    def _facts(self, box: Box) -> tuple[str, bool]:
        """Return a cuboid's digest, and whether all of it is 0."""
        known = self.facts.get(box.key)
        if known is not None:
            return known.digest, known.blank
        values = self._values(box)
        return digest_of(values, self.label), not values.any()

    def _bring(self, run: list[Box]) -> list[Outcome]:
        done: list[Outcome] = []
        loads: list[Load] = []
        for box in run:
            decided = self._decided(box)
            if isinstance(decided, Outcome):
                done.append(decided)
                continue
            loads.append(decided)
            if sum(load.held for load in loads) >= JOINED_BYTES:
                done += self._write(loads)
                loads = []
        return done + self._write(loads) if loads else done

    def _decided(self, box: Box) -> Outcome | Load:
        body = self._fetch(box) if self.ledger.is_unknown(box) else None
        with self._core.one() as desk:
            return self._decide(box, body, desk)

    def _fetch(self, box: Box) -> bytes:
        return self.client.get_body(self.channel, box, np.dtype(self.dtype).itemsize)

    def _decide(self, box: Box, body: bytes | None, desk: np.ndarray) -> Outcome | Load:
        """Compare a cuboid with what the server holds; `body` is that, if it was unknown."""
        digest, blank = self._facts(box)
        known = self.ledger.entry_of(box)
        if known is not None and known.digest == digest:
            return Outcome(box, KEPT, digest, known.verified)
        if body is not None:
            values = self._values(box)
            there = self.client.unpacked(body, box, self.dtype, desk[: values.size])
            if not self._differing(there, values):
                return Outcome(box, EMPTY if blank else KEPT, digest, True)
            erase = bool(there[values == 0].any())
        elif known is not None:
            values = self._values(box)
            nothing = digest_of(np.zeros_like(values), self.label)
            erase = known.digest != nothing and not values.all()
        elif blank:
            return Outcome(box, EMPTY, digest, False)
        else:
            erase = False
        if blank:
            return Load(box, digest, erase)
        body, held = self._body(box)
        return Load(box, digest, erase, body, held, self._size(box))

    def _body(self, box: Box) -> tuple[Callable[[], bytes], int]:
        """Return what gives a cuboid's body, and the bytes of it that wait in memory."""
        as_stored = self.packed is not None and self.label == 1 and box.shape == CUBOID
        if as_stored and not self._codec.strong:
            return functools.partial(self._codec.take, lambda: self._stored(box)), 0
        values = self._values(box)
        if self.label != 1:
            values = values * np.min_scalar_type(self.label).type(self.label)
        packed = self._codec.pack(values)
        return lambda: packed, len(packed)

    def _stored(self, box: Box) -> bytes:
        body = widened(self.packed(box.start), np.dtype(self.dtype).itemsize)
        return self._codec.pack(self._values(box)) if body is None else body

    def _size(self, box: Box) -> int:
        return int(np.prod(box.shape)) * np.dtype(self.dtype).itemsize

    def _differing(self, there: np.ndarray, values: np.ndarray) -> int:
        """Count the voxels that differ, slice by slice: expanded labels take much memory."""
        label = np.dtype(self.dtype).type(self.label)
        return sum(
            int(np.count_nonzero(held != (plane if self.label == 1 else plane * label)))
            for held, plane in zip(there, values, strict=True)
        )

    def _write(self, loads: list[Load]) -> list[Outcome]:
        begun = time.perf_counter()
        with self.client.slot():
            self._codec.waited(time.perf_counter() - begun)
            return [each for block in blocks_of(loads) for each in self._write_block(*block)]

    def _write_block(self, loads: list[Load], body: bytes | Pieces) -> list[Outcome]:
        block = Box(loads[0].box.start, loads[-1].box.stop)
        self.ledger.doubt(*(load.box for load in loads))
        if loads[0].erase:
            # A posted zero leaves the stored voxel as it was: old data is blackened first.
            self.client.black_cutout(self.channel, block)
        if body:
            begun = time.perf_counter()
            self.client.post_body(self.channel, block, body)
            self._codec.travelled(time.perf_counter() - begun - self.client.quickest)
        self.ledger.hold({load.box: load.digest for load in loads})
        what, share = (SENT if body else ERASED), len(body) / len(loads)
        return [Outcome(load.box, what, load.digest, False, load.raw, share) for load in loads]

    def _read_back(self, outcome: Outcome) -> tuple[Outcome, str | None]:
        deadline = max(self._due, time.monotonic() + min(self.patience, LEAST_SECONDS))
        pause = 0.1
        while True:
            body = self._fetch(outcome.box)
            with self._core.one() as desk:
                size = int(np.prod(outcome.box.shape))
                there = self.client.unpacked(body, outcome.box, self.dtype, desk[:size])
                differing = self._differing(there, self._values(outcome.box))
                del body, there
            if not differing:
                return outcome, None
            if time.monotonic() + pause > deadline:
                return outcome, f"{outcome.box}: {differing:,} of {size:,} voxels"
            if self._stopping.wait(pause):
                raise Stopped
            pause = min(2 * pause, 5)


class _Desks:
    """Memory for a cuboid as it is published, for so many at once, used again and again."""

    def __init__(self, count: int, dtype: str):
        self._free: queue.LifoQueue[np.ndarray | None] = queue.LifoQueue()
        self._dtype = dtype
        for _ in range(count):
            self._free.put(None)

    @contextlib.contextmanager
    def one(self) -> Iterator[np.ndarray]:
        """Yield a flat array of a cuboid's size, once one is free."""
        desk = self._free.get()
        if desk is None:
            desk = np.empty(math.prod(CUBOID), self._dtype)
        try:
            yield desk
        finally:
            self._free.put(desk)


def _chosen(outcomes: list[Outcome], verify: Verification) -> list[Outcome]:
    if verify.verify == "full":
        return outcomes
    if verify.verify == "none" or not outcomes:
        return []
    # The same cuboids for the same slab, so that a repeated run repeats its claim.
    dice = random.Random(f"{verify.seed} {outcomes[0].box.key}")
    count = max(1, round(verify.sample_share * len(outcomes)))
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
        wire=round(sum(outcome.wire for outcome in outcomes)),
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
