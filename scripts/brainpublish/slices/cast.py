"""From the type of the files to the type of the stack, without changing a value unasked.

Integers, and floats that are whole, go into an unsigned type if all of them fit. Everything
else needs `scale` or `offset`, which the config names and the receipt records.
"""

from dataclasses import dataclass

import numpy as np

from brainpublish.slices.header import Header, UnreadableSlice, one_grey

_CHANNELS = {"red": 0, "green": 1, "blue": 2, "alpha": -1}
_WHOLE_LIMIT = {"float16": 2**11, "float32": 2**24, "float64": 2**53}


@dataclass(frozen=True)
class Cast:
    """What is done with the values of a slice before they are stored.

    `channel` is the sample that is taken of each pixel; `scale` maps linearly from a, b to c, d;
    `offset` is added.
    """

    channel: int | None = None
    scale: tuple[float, float, float, float] | None = None
    offset: int = 0

    @property
    def text(self) -> str:
        """Say in words what is done, for the receipt; empty if nothing is."""
        parts = []
        if self.channel is not None:
            parts.append(f"sample {self.channel} of each pixel")
        if self.scale:
            a, b, c, d = self.scale
            parts.append(f"{a:g} to {b:g} became {c:g} to {d:g}")
        if self.offset:
            parts.append(f"{self.offset:+d}")
        return ", ".join(parts)


def cast_of(section: dict) -> Cast:
    """Return what a channel's settings `channel`, `scale` and `offset` ask for."""
    chosen = section.get("channel_of_file")
    scale = section.get("scale")
    return Cast(
        channel=_CHANNELS.get(chosen, chosen),
        scale=(*scale["from"], *scale["to"]) if scale else None,
        offset=section.get("offset") or 0,
    )


def one_channel(values: np.ndarray, header: Header, cast: Cast) -> np.ndarray:
    """Return y, x of what may be y, x, samples: the sample asked for, or the grey of all.

    Raises:
        UnreadableSlice: if no sample is asked for and they differ, or there is no such one.
    """
    if cast.channel is None or values.ndim == 2:
        return one_grey(values, header.bit_depth)
    if cast.channel >= values.shape[-1]:
        raise UnreadableSlice(
            "SLICE_COLOUR", f"has {values.shape[-1]} channels, not the one that is asked for"
        )
    return np.ascontiguousarray(values[..., cast.channel])


def apply_cast(values: np.ndarray, cast: Cast, dtype: str, what: str = "values") -> np.ndarray:
    """Return values in an unsigned type, every one equal but for what `cast` asks for.

    Raises:
        UnreadableSlice: SLICE_DTYPE, with the range found.
    """
    if cast.scale:
        return _scaled(values, cast.scale, dtype)
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    limit = np.iinfo(dtype).max
    if values.dtype.kind == "f":
        _check_whole(values, low, high, what)
    low, high = int(low) + cast.offset, int(high) + cast.offset
    if low < 0 or high > limit:
        moved = f" after `offset: {cast.offset}`" if cast.offset else ""
        text = f"holds {values.dtype} {what} from {low:,} to {high:,}{moved}"
        raise UnreadableSlice("SLICE_DTYPE", f"{text}; {dtype} takes 0 to {limit:,}")
    if not cast.offset:
        return values.astype(dtype, copy=False)
    return (values.astype(np.int64) + cast.offset).astype(dtype)


def way_out(low: float, high: float, dtype: str) -> str:
    """Return the line of the config with which an image's values, low to high, fit a type."""
    limit = np.iinfo(dtype).max
    whole = isinstance(low, int) and isinstance(high, int)
    if whole and low < 0 and high - low <= limit:
        return f"`offset: {-low}` would move them"
    if whole and dtype == "uint8" and low >= 0 and high <= np.iinfo(np.uint16).max:
        return "`dtype: uint16` would hold them"
    return f"`scale: {{from: [{_plain(low)}, {_plain(high)}], to: [0, {limit}]}}` would map them"


def _plain(number: float) -> str:
    """Return all digits of a number; YAML takes 1e-05 for text, and 1.0e-05 for a number."""
    text = repr(number)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _check_whole(values: np.ndarray, low, high, what: str) -> None:
    limit = _WHOLE_LIMIT[values.dtype.name]
    if not (np.isfinite(low) and np.isfinite(high)):
        raise UnreadableSlice("SLICE_DTYPE", f"holds {what} that are no numbers or infinite")
    if (np.trunc(values) != values).any():
        text = f"holds {values.dtype} {what} with fractions, from {low:g} to {high:g}"
        raise UnreadableSlice("SLICE_DTYPE", text)
    if max(abs(low), abs(high)) > limit:
        raise UnreadableSlice(
            "SLICE_DTYPE", f"holds {what} up to {high:g}, where {values.dtype} has lost digits"
        )


def _scaled(values: np.ndarray, scale: tuple[float, float, float, float], dtype: str):
    a, b, c, d = scale
    outside = ~((values >= min(a, b)) & (values <= max(a, b)))
    if outside.any():
        raise UnreadableSlice(
            "SLICE_DTYPE",
            f"holds {np.count_nonzero(outside):,} values outside `scale: from: [{a:g}, {b:g}]`; "
            f"they range from {values.min():g} to {values.max():g}",
        )
    mapped = c + (values.astype(np.float64) - a) * ((d - c) / (b - a))
    return np.rint(mapped).astype(dtype)
