"""How mask files become labels: binary masks by a threshold, label images as they are.

Arrays are y, x.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from brainpublish.findings import Finding
from brainpublish.slices.read import Header

BINARY, LABELS = "binary", "labels"


@dataclass(frozen=True)
class MaskRule:
    """How the values of an annotation's files are read.

    `kind` is binary or labels. For a binary mask a voxel is foreground where its value is
    at least `threshold` (below it, if `invert`). `levels` are the two values that a
    lossless binary mask holds; a third one in any slice puts the kind in doubt.
    """

    kind: str
    threshold: float | None = None
    invert: bool = False
    levels: tuple[int, int] | None = None


def foreground(values: np.ndarray, rule: MaskRule) -> np.ndarray:
    """Return a binary mask's foreground as uint8 0 and 1, of the same shape."""
    inside = values >= rule.threshold
    return (inside ^ rule.invert).astype(np.uint8)


def middle_of(bit_depth: int) -> int:
    """Return the middle of the value range of so many bits: 128 for 8 bits, 1 for 1 bit."""
    return 1 << (bit_depth - 1)


def decide_rule(
    section: dict, header: Header, slices: Iterable[Callable[[], np.ndarray]], where: str
) -> tuple[MaskRule, list[Finding]]:
    """Decide how an annotation's files are read, and say why.

    Args:
        section: the annotation's settings `kind`, `threshold` and `invert`.
        header: header facts of its slices.
        slices: functions that decode one slice each, asked in turn and only as far as
            needed: until three slices that hold more than one value were seen.
        where: the place that findings name.
    """
    kind, threshold, invert = section["kind"], section["threshold"], section["invert"]
    if header.lossy:
        return _lossy_rule(kind, threshold, invert, header, where)
    if kind == LABELS:
        return MaskRule(LABELS), [Finding("MASK_KIND", where, "labels, as the config says")]
    if kind == BINARY and threshold != "auto":
        return MaskRule(BINARY, threshold, invert), [_binary_note(where, threshold, "config")]
    levels = _levels(slices)
    if len(levels) > 2 and kind == "auto":
        note = f"labels: the files are lossless and hold more than two values ({_some(levels)})"
        return MaskRule(LABELS), [Finding("MASK_KIND", where, note)]
    if len(levels) > 2:
        middle = middle_of(header.bit_depth)
        return MaskRule(BINARY, middle, invert), [_binary_note(where, middle, "value range")]
    return _two_valued_rule(levels, threshold, invert, header, where)


def _lossy_rule(kind, threshold, invert, header, where):
    middle = middle_of(header.bit_depth) if threshold == "auto" else threshold
    rule = MaskRule(BINARY, middle, invert)
    if kind == LABELS:
        text = f"`kind: labels`, but {header.format} files do not keep label values"
        return rule, [Finding("MASK_LOSSY_LABELS", where, text)]
    reason = "lossy files" if threshold == "auto" else "config"
    return rule, [_binary_note(where, middle, reason)]


def _two_valued_rule(levels, threshold, invert, header, where):
    low, high = (min(levels), max(levels)) if len(levels) == 2 else (0, middle_of(header.bit_depth))
    middle = math.ceil((low + high) / 2) if threshold == "auto" else threshold
    rule = MaskRule(BINARY, middle, invert, (low, high) if len(levels) == 2 else None)
    return rule, [_binary_note(where, middle, f"the two values {low} and {high}")]


def _levels(slices: Iterable[Callable[[], np.ndarray]]) -> set[int]:
    levels: set[int] = set()
    telling = 0
    for read in slices:
        held = np.unique(read())
        levels.update(held.tolist())
        telling += len(held) > 1
        if telling == 3 or len(levels) > 2:
            break
    return levels


def _binary_note(where: str, threshold: float, reason: str) -> Finding:
    text = f"a binary mask: foreground where the value is at least {threshold:g} ({reason})"
    return Finding("MASK_KIND", where, text)


def _some(levels: set[int]) -> str:
    shown = sorted(levels)[:5]
    return ", ".join(map(str, shown)) + (", ..." if len(levels) > 5 else "")
