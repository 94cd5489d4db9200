"""How blocks are compressed: blosc with parameters right for the voxels, chosen while sending.

Two codecs per kind of voxels. The fast one is that of the stack: its cuboids are sent as they
are stored, labels widened to uint64 without being packed again. The strong one sends less for
more work, and is taken while the blocks wait for the network anyway.

Measured on one core with cuboids of a noisy micro-CT image: lz4 with bitshuffle compresses
1.5 GB/s, zstd 3 with byte shuffle 0.2 to 0.3 GB/s; that sends 3 to 14 % less, the more so the
less noise there is. A binary mask of 32 MiB as uint64 is packed in 1.5 to 2 ms to 220 to
320 kB, with zstd in 4 to 6 ms to 40 to 110 kB; 300 cells in 6 ms to 1.1 MB or in 35 ms to
330 kB. As uint64 outright these took 12 to 18 ms.
"""

import threading
import time
from collections.abc import Callable

import numpy as np

from brainpublish.packing import Codec, Codecs, packed_as

PATIENCE = 3
"""How many times what the strong codec costs a block must wait, and be on its way, before it is
worth it: cores may be wanted elsewhere."""
STRONG_SECONDS = 0.03
"""What the strong codec is taken to cost until it was tried."""
MEMORY = 0.2
"""Weight of the newest measurement in a running mean."""


class CodecChoice:
    """Chooses the codec for each block of a channel. Safe to share between threads.

    The strong one is chosen while a block waits much longer for a free connection than the
    strong codec takes beyond the fast one: then it costs time that would be spent waiting. And
    only while its bytes take as long to travel: fewer of them do not make a server answer sooner.
    """

    def __init__(self, codecs: Codecs, dtype: str):
        """Choose between two codecs for blocks that are published as a type."""
        self._codecs, self._dtype = codecs, dtype
        self._seconds: dict[Codec, float] = {}
        self._waited = self._travelled = 0.0
        self._lock = threading.Lock()

    @property
    def strong(self) -> bool:
        """Whether the next block is worth the strong codec."""
        with self._lock:
            fast = self._seconds.get(self._codecs.fast)
            if fast is None:
                return False
            known = self._seconds.get(self._codecs.strong)
            extra = (max(2 * fast, STRONG_SECONDS) if known is None else known) - fast
            least = PATIENCE * max(extra, 0.1 * fast)
            return min(self._waited, self._travelled) > least

    def pack(self, values: np.ndarray) -> bytes:
        """Compress a block with the codec of the moment, and measure it."""
        codec = self._codecs.strong if self.strong else self._codecs.fast
        return self._measured(codec, lambda: packed_as(codec, values, self._dtype))

    def take(self, stored: Callable[[], bytes]) -> bytes:
        """Return a block that is packed with the fast codec already, and measure it."""
        return self._measured(self._codecs.fast, stored)

    def _measured(self, codec: Codec, work: Callable[[], bytes]) -> bytes:
        begun = time.perf_counter()
        body = work()
        taken = time.perf_counter() - begun
        with self._lock:
            self._seconds[codec] = _mean(self._seconds.get(codec, taken), taken)
        return body

    def waited(self, seconds: float) -> None:
        """Tell how long a block that was ready waited for a free connection."""
        with self._lock:
            self._waited = _mean(self._waited, seconds)

    def travelled(self, seconds: float) -> None:
        """Tell how much longer the answer to a block took than answers to small requests do."""
        with self._lock:
            self._travelled = _mean(self._travelled, seconds)


def _mean(old: float, new: float) -> float:
    return (1 - MEMORY) * old + MEMORY * new
