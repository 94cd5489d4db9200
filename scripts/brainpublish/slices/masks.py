"""How mask files become labels: binary masks by a threshold, label images as they are.

Arrays are y, x.
"""

import math
from dataclasses import dataclass

import numpy as np

from brainpublish.slices.header import UnreadableSlice

BINARY, LABELS = "binary", "labels"

BLENDED_LINES = 16
"""One of so many rows and columns tells whether labels were blended."""


@dataclass(frozen=True)
class MaskRule:
    """How the values of an annotation's files are read.

    Attributes:
        kind: binary or labels.
        threshold: a voxel of a binary mask is foreground where its value is at least this.
        invert: the foreground is where it is below.
        levels: the two values that a lossless binary mask holds; a third one in any slice
            puts the kind in doubt.
        ends: the two values around which a binary mask's values crowd.
        colours: red, green, blue and id of each label of a colour-coded stack.
    """

    kind: str
    threshold: float | None = None
    invert: bool = False
    levels: tuple[int, int] | None = None
    ends: tuple[int, int] | None = None
    colours: tuple[tuple[int, int, int, int], ...] | None = None


def label_of(channel: dict, rule: MaskRule | None) -> int:
    """Return what a stored 1 is published as: the config's label for a binary mask, else 1."""
    return channel["label"] if rule is not None and rule.kind == BINARY else 1


def rule_from(value: dict) -> MaskRule:
    """Make a rule of what `dataclasses.asdict` and JSON left of one."""
    lists = {key: value[key] and tuple(value[key]) for key in ("levels", "ends")}
    colours = value["colours"] and tuple(map(tuple, value["colours"]))
    return MaskRule(**{**value, **lists, "colours": colours})


def foreground(values: np.ndarray, rule: MaskRule) -> np.ndarray:
    """Return a binary mask's foreground as uint8 0 and 1, of the same shape."""
    # Beside a float, whole values would all become floats to be compared.
    whole = values.dtype.kind in "ui"
    inside = values >= (math.ceil(rule.threshold) if whole else rule.threshold)
    if rule.invert:
        np.logical_not(inside, out=inside)
    return inside.view(np.uint8)


def middle_of(bit_depth: int) -> int:
    """Return the middle of the value range of so many bits: 128 for 8 bits, 1 for 1 bit."""
    return 1 << (bit_depth - 1)


def check_levels(values: np.ndarray, rule: MaskRule) -> None:
    """Raise UnreadableSlice if a lossless binary mask holds a third value."""
    if rule.levels is None:
        return
    other = (values != rule.levels[0]) & (values != rule.levels[1])
    if other.any():
        low, high = rule.levels
        raise UnreadableSlice(
            "MASK_DOUBT",
            f"holds the value {values[other][0]} beside {low} and {high}: "
            f"{np.count_nonzero(other):,} pixels fit no binary mask",
        )


def decided(values: np.ndarray, rule: MaskRule) -> tuple[int, float, int]:
    """Return how many values the threshold decided, and how surely.

    Values at the two ends decide themselves.

    Returns:
        Their number; how near the nearest one is to the threshold, infinite if there are none;
        and how many lie nearer to it than to the end on their side.
    """
    held, counts = _held_between(values, rule.ends)
    if not held.size:
        return 0, float("inf"), 0
    # The border lies between the threshold and the value below it.
    above = held.astype(np.float64) - (rule.threshold - 0.5)
    ends = [end - (rule.threshold - 0.5) for end in rule.ends]
    unsettled = counts[(above > ends[0] / 2) & (above < ends[1] / 2)].sum()
    return int(counts.sum()), float(np.abs(above).min()), int(unsettled)


def _held_between(values: np.ndarray, ends: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return which values other than the two ends an array holds, and how many of each."""
    if values.dtype != np.uint8 or any(end not in range(256) for end in ends):
        return np.unique(values[(values != ends[0]) & (values != ends[1])], return_counts=True)
    ends = np.array(ends, np.uint8)
    counts = np.bincount(_unlike_ends(values.reshape(-1), ends), minlength=256)
    counts[ends] = 0
    held = counts.nonzero()[0]
    return held, counts[held]


def _unlike_ends(values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return values of 8 bits without those that are, eight in a row, at the same end.

    Most of a mask is, and eight of its values are compared as one.
    """
    whole = values.size // 8 * 8
    eights = values[:whole].view(np.uint64)
    low, high = np.repeat(ends, 8).view(np.uint64)
    unlike = eights[(eights != low) & (eights != high)].view(np.uint8)
    return np.concatenate([unlike, values[whole:]])


def blended(values: np.ndarray) -> tuple[int, int]:
    """Count, in some rows and columns, the voxels beside another label, and those in between.

    Between two labels there is no third one, unless a picture was resampled or smoothed.

    Returns:
        The number of voxels of which a neighbour along the row or column differs, and the number
        of those whose value lies between the values of both.
    """
    crossings = between = 0
    for lines in (values[::BLENDED_LINES], values[:, ::BLENDED_LINES].T):
        before, own, after = lines[:, :-2], lines[:, 1:-1], lines[:, 2:]
        crossings += np.count_nonzero((before != own) | (own != after))
        between += np.count_nonzero((before < own) & (own < after) | (before > own) & (own > after))
    return int(crossings), int(between)


def labels_of_colours(values: np.ndarray, rule: MaskRule) -> np.ndarray:
    """Return the ids y, x of colour-coded pixels y, x, samples.

    Raises:
        UnreadableSlice: MASK_COLOURS, if a colour is not in the table.
    """
    codes = colour_codes(values)
    table = {(r << 16) | (g << 8) | b: label for r, g, b, label in rule.colours}
    known = np.array(sorted(table), np.uint32)
    ids = np.array([table[code] for code in known.tolist()], np.uint64)
    at = np.searchsorted(known, codes).clip(0, len(known) - 1)
    other = known[at] != codes
    if other.any():
        red, green, blue = (int(codes[other][0]) >> shift & 255 for shift in (16, 8, 0))
        raise UnreadableSlice(
            "MASK_COLOURS",
            f"holds the colour {red}, {green}, {blue}, which is not in the table of colours",
        )
    return ids[at]


def colour_codes(values: np.ndarray) -> np.ndarray:
    """Return each pixel's red, green and blue of 8 bits as one number of 24 bits."""
    if values.dtype != np.uint8:
        raise UnreadableSlice("SLICE_COLOUR", "holds colours of more than 8 bits")
    wide = values.astype(np.uint32)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
