"""How blocks are compressed: blosc with parameters right for the type, chosen while sending.

Two codecs per type. The cheap one costs next to nothing beside decoding slices; the strong one
sends less for more work, and is taken while the blocks wait for the network anyway.

Measured on one core with cuboids of a noisy micro-CT image: lz4 with bitshuffle compresses
1.5 GB/s, zstd 3 with byte shuffle 0.2 to 0.3 GB/s; that sends 3 to 14 % less, the more so the
less noise there is. Labels as uint64: lz4 as it is 4 to 8 GB/s (of a mask at 1/140, of 300
cells at 1/30), with bitshuffle 2 to 3.5 GB/s and, of cells, 1.3 to 1.7 times the bytes; zstd 1 to
2.6 GB/s at 1/860 and 1/94. What the stack holds as it is sent costs nothing.
"""

import threading
import time
from collections.abc import Callable

import numpy as np

from brainpublish.packing import FAST, PLAIN, STRONG, Codec

PATIENCE = 3
"""How many times what the strong codec costs a block must wait before it is worth it: cores may
be wanted elsewhere."""
STRONG_SECONDS = 0.03
"""What the strong codec is taken to cost until it was tried."""
MEMORY = 0.2
"""Weight of the newest measurement in a running mean."""


class CodecChoice:
    """Chooses the codec for each block of a type. Safe to share between threads.

    The strong one is chosen while a block waits much longer for a free connection than the
    strong codec takes beyond the cheap one: then it costs time that would be spent waiting.
    """

    def __init__(self, dtype: str):
        self.cheap = PLAIN if np.dtype(dtype).itemsize == 8 else FAST
        self._seconds: dict[Codec, float] = {}
        self._waited = 0.0
        self._lock = threading.Lock()

    @property
    def now(self) -> Codec:
        """The codec for the next block."""
        with self._lock:
            cheap = self._seconds.get(self.cheap)
            if cheap is None:
                return self.cheap
            extra = self._seconds.get(STRONG, max(2 * cheap, STRONG_SECONDS)) - cheap
            return STRONG if self._waited > PATIENCE * max(extra, 0.1 * cheap) else self.cheap

    def pack(self, values: np.ndarray) -> bytes:
        """Compress a block with the codec of the moment, and measure it."""
        codec = self.now
        return self._measured(codec, lambda: codec.pack(values))

    def take(self, stored: Callable[[], bytes]) -> bytes:
        """Return a block that is packed with the cheap codec already, and measure it."""
        return self._measured(self.cheap, stored)

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


def _mean(old: float, new: float) -> float:
    return (1 - MEMORY) * old + MEMORY * new
