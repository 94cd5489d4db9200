"""The grid of volumes on the website, and volumes as the website decodes them.

The grid is that of the Allen common coordinate framework at 25 um, in the order ap, dv, ml:
index 0 is anterior, dorsal and left. The website takes a base64 text of a gzipped npy file of
uint8, with the two float32 that 0 and 255 stand for after its data.
"""

import base64
import gzip
import io
from typing import NamedTuple

import numpy as np

from brainpublish.regions.payload import BINS, chosen_colours

AXES = ("ap", "dv", "ml")
SHAPE = (528, 320, 456)  # ap, dv, ml
SPACING = 25  # um
LEVELS = 255
STEP = 16  # planes that are turned at once, so that a copy of a volume is never needed
COMPRESSION = 6


class Range(NamedTuple):
    """The values that 0 and 255 stand for, as 32-bit floats hold them."""

    low: float
    high: float


def range_of(low: float, high: float, with_zero: bool) -> Range:
    """Return the range to encode values from `low` to `high` with.

    A single value gets a range that ends at it, so that it is kept exactly.
    """
    if with_zero or low == high:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        high = 1.0
    return Range(float(np.float32(low)), float(np.float32(high)))


def encoded(volume: np.ndarray, span: Range) -> np.ndarray:
    """Return a volume of finite numbers as uint8 levels of a range, of the same shape."""
    levels = np.empty(volume.shape, dtype=np.uint8)
    for start in range(0, volume.shape[0], STEP):
        part = volume[start : start + STEP].astype(np.float64)
        scaled = (part - span.low) * (LEVELS / (span.high - span.low))
        levels[start : start + STEP] = np.clip(np.rint(scaled), 0, LEVELS)
    return levels


def packed(array: np.ndarray, *after: float) -> str:
    """Return an array as the website decodes it: npy, then float32 numbers, gzip, base64."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array))
    data = buffer.getvalue() + np.asarray(after, dtype="<f4").tobytes()
    # A fixed time, so that equal volumes have equal digests.
    return base64.b64encode(gzip.compress(data, COMPRESSION, mtime=0)).decode()


def unpacked(text: str) -> np.ndarray:
    """Return the array of a text that `packed` made."""
    return np.load(io.BytesIO(gzip.decompress(base64.b64decode(text))))


def volume_payload(
    levels: np.ndarray, span: Range, section: dict, more: dict | None = None
) -> dict:
    """Return what is sent of a volume feature: `feature_data`, `short_desc` and `unit`.

    `levels` is uint8 of the shape `SHAPE`; `more` goes beside the volume.
    """
    counts = np.bincount(levels.reshape(-1), minlength=LEVELS + 1)
    centres = np.arange(LEVELS + 1)
    histogram, _ = np.histogram(centres, bins=BINS, range=(0, LEVELS), weights=counts)
    return {
        "feature_data": {
            "mappings": {},  # the service takes no feature without it
            "volumes": {"mean": {"volume": packed(levels, *span)}},
            "histogram": {
                "vmin": span.low,
                "vmax": span.high,
                "total_count": int(counts.sum()),
                "counts": histogram.astype(int).tolist(),
            },
            **chosen_colours(section.get("cmap")),
            **(more or {}),
        },
        "short_desc": section.get("short_desc") or "",
        "unit": section.get("unit") or "",
    }
