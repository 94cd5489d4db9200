"""What a few slices tell of a mask: binary or labels, noise, blended edges, colours.

Arrays are y, x. A doubtful case is an error: it stops the run, and the config decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainpublish.findings import Finding
from brainpublish.slices.header import Header
from brainpublish.slices.masks import BINARY, LABELS, MaskRule, middle_of

_PHOTO_SHARE = 0.25
_PEAK_SHARE = 0.003
_SOLID_SHARE = 0.34
_STRAY_SHARE = 0.001
_BETWEEN_SHARE = 0.9
_SCATTERED_SHARE = 0.05
_ONE_WAY = (
    "Export all slices alike; or set `kind: labels` if each value is an id, or `kind: binary` "
    "with `threshold: 1` for a plain mask."
)
_FAINT_SHARE = 0.7
_CROWD_SHARE = 0.5
_CROWD_WIDTH = 32
_SPECKS = (
    "Remove the single voxels; or set `kind: binary` with `threshold: 128` (of 16 bits: 32768) "
    "for a plain mask, or `kind: labels` if each value is an id."
)


@dataclass(frozen=True)
class Levels:
    """The values of some slices, each once and ascending: there may be a million of them.

    Attributes:
        values: of the type of the slices.
        counts: of their voxels.
        is_solid: whether a value occurs in areas, rather than along edges.
        between: share of stray voxels that lie between the values on both sides of them.
    """

    values: np.ndarray
    counts: np.ndarray
    is_solid: np.ndarray
    between: float = 0.0

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        return tuple(self.values[[0, -1]].tolist())

    @property
    def solid(self) -> np.ndarray:
        """Values that occur in areas, ascending."""
        return self.values[self.is_solid]

    @property
    def stray(self) -> int:
        """Number of voxels whose value occurs in no area."""
        return int(self.counts[~self.is_solid].sum())

    @property
    def total(self) -> int:
        """Number of voxels."""
        return int(self.counts.sum())


def levels_of(samples: Sequence[np.ndarray]) -> Levels:
    """Count the values of slices, y, x each, and tell areas from edges."""
    stray_between = stray_all = 0
    found = [(np.zeros(0, bool), np.zeros(0, int), np.zeros(0, int))]
    for values in samples:
        inner = _has_two_equal_neighbours(values)
        held, where, counts = np.unique(values, return_inverse=True, return_counts=True)
        areas = np.bincount(where.ravel(), inner.ravel(), len(held)).astype(int)
        found.append((held, counts, areas))
        weak = (areas < _SOLID_SHARE * counts)[where.reshape(values.shape)]
        stray_between += np.count_nonzero(weak & _lies_between(values))
        stray_all += np.count_nonzero(weak)
    every, counts, areas = map(np.concatenate, zip(*found, strict=True))
    values, where = np.unique(every, return_inverse=True)
    counts, areas = (np.bincount(where, each, len(values)).astype(int) for each in (counts, areas))
    is_solid = areas >= _SOLID_SHARE * counts
    return Levels(values, counts, is_solid, stray_between / stray_all if stray_all else 0.0)


def _has_two_equal_neighbours(values: np.ndarray) -> np.ndarray:
    equal = np.zeros(values.shape, np.uint8)
    across, down = values[:, 1:] == values[:, :-1], values[1:] == values[:-1]
    equal[:, 1:] += across
    equal[:, :-1] += across
    equal[1:] += down
    equal[:-1] += down
    return equal >= 2


def _lies_between(values: np.ndarray) -> np.ndarray:
    between = np.zeros(values.shape, bool)
    for inner, before, after in (
        (between[:, 1:-1], values[:, :-2], values[:, 2:]),
        (between[1:-1], values[:-2], values[2:]),
    ):
        middle = values[:, 1:-1] if inner.shape[0] == values.shape[0] else values[1:-1]
        inner |= (np.minimum(before, after) < middle) & (middle < np.maximum(before, after))
    return between


def decide_rule(
    section: dict, header: Header, samples: Sequence[np.ndarray], where: str
) -> tuple[MaskRule, list[Finding]]:
    """Decide how an annotation's files are read, and say why.

    Args:
        section: the annotation's settings `kind`, `threshold` and `invert`.
        header: header facts of its slices.
        samples: some decoded slices; all of them if none holds two values.
        where: the place that findings name.
    """
    if header.lossy:
        return _lossy_rule(section, header, samples, where)
    levels = levels_of(samples)
    if section["kind"] == LABELS:
        return MaskRule(LABELS), _labels_by_config(levels, where)
    if section["kind"] == BINARY:
        return _binary_by_config(section, header, levels, where)
    if len(levels.values) <= 2:
        return _two_valued_rule(section, header, levels, where)
    if (ones := _two_ways_of_one(samples)) is not None:
        text = f"the foreground is 1 in some slices and {ones} in others"
        return MaskRule(LABELS), [Finding("MASK_DOUBT", where, text, _ONE_WAY)]
    return _several_valued_rule(section, header, levels, where)


def _two_ways_of_one(samples: Sequence[np.ndarray]) -> int | None:
    """Return what some slices of a binary mask hold for foreground where others hold 1."""
    held: set[int] = set()
    for values in samples:
        foreground = np.setdiff1d(values, 0)
        if len(foreground) > 1:
            return None
        held.update(foreground.tolist())
    return max(held) if held in ({1, 255}, {1, 65535}) else None


def _lossy_rule(section, header: Header, samples, where: str):
    kind, threshold = section["kind"], section["threshold"]
    middle = middle_of(header.bit_depth) if threshold == "auto" else threshold
    ends = (0, (1 << header.bit_depth) - 1)
    rule = MaskRule(BINARY, middle, section["invert"], ends=ends)
    if kind == LABELS:
        text = f"`kind: labels`, but {header.format} files do not keep label values"
        return rule, [Finding("MASK_LOSSY_LABELS", where, text)]
    note = _binary_note(where, middle, "lossy files" if threshold == "auto" else "config")
    if header.bit_depth > 16:
        return rule, [note]
    counts = sum(
        (np.bincount(values.ravel().clip(0), minlength=ends[1] + 1) for values in samples),
        np.zeros(ends[1] + 1, int),
    )
    doubts = [] if kind == BINARY else _lossy_doubts(counts, ends, where)
    if threshold == "auto" and not doubts:
        doubts = _missed_foreground(counts, where)
    return rule, doubts or [note]


def _missed_foreground(counts: np.ndarray, where: str) -> list[Finding]:
    """Find a foreground that the middle of the value range would cut away, wholly or in part.

    `counts` are the voxels of each value that the files can hold.
    """
    top = len(counts) - 1
    held = np.flatnonzero(counts)
    highest = int(held[-1]) if held.size else 0
    middle = (top + 1) // 2
    if highest < middle:
        return _unreached(highest, middle, where)
    lifted = counts * (np.arange(top + 1) > top // 8)
    crowd = int(lifted.argmax())
    near = lifted[max(0, crowd - top // 32) : crowd + top // 32 + 1].sum()
    if crowd > _FAINT_SHARE * top or near < _CROWD_SHARE * lifted.sum():
        return []
    text = f"the foreground crowds around {crowd}, and the middle of the value range is {middle}"
    return [Finding("MASK_DOUBT", where, text, _threshold_fix(crowd))]


def _unreached(highest: float, middle: int, where: str) -> list[Finding]:
    if highest <= 0:
        return []
    text = f"no value reaches {middle}, the middle of the value range; the highest is {highest:g}"
    return [Finding("MASK_DOUBT", where, text, _threshold_fix(highest))]


def _threshold_fix(foreground: float) -> str:
    half = (foreground + 1) // 2 if foreground > 1 else foreground / 2
    return f"If that is foreground, set `threshold: {half:g}` for this annotation."


def _lossy_doubts(counts: np.ndarray, ends: tuple[int, int], where: str) -> list[Finding]:
    total = max(1, int(counts.sum()))
    if ends[1] == 255 and (peaks := _peaks(counts, total)):
        text = f"values crowd around {', '.join(map(str, peaks))} as well as at the ends"
        return [Finding("MASK_LOSSY_LABELS", where, f"{text}: labels in lossy files?")]
    quarter = (ends[1] + 1) // 4
    share = counts[quarter:-quarter].sum() / total
    if share > _PHOTO_SHARE:
        text = f"{share:.0%} of the voxels are neither dark nor bright: is this a mask?"
        return [Finding("MASK_DOUBT", where, text)]
    return []


def _peaks(counts: np.ndarray, total: int) -> list[int]:
    """Return grey values between the ends around which many voxels crowd."""
    peaks = []
    for value in range(24, 232):
        near = counts[value - 1 : value + 2].sum()
        around = counts[value - 12 : value - 3].sum() + counts[value + 4 : value + 13].sum()
        top = counts[value] == counts[value - 3 : value + 4].max()
        if top and near >= _PEAK_SHARE * total and near / 3 > 5 * around / 18:
            peaks.append(value)
    return peaks


def _labels_by_config(levels: Levels, where: str) -> list[Finding]:
    found = [Finding("MASK_KIND", where, "labels, as the config says")]
    if white := _white_in(levels.values):
        text = f"`kind: labels`, and the files hold 0 and {white} only"
        found.append(Finding("MASK_AS_LABELS", where, text))
    return found


def _binary_by_config(section, header: Header, levels: Levels, where: str):
    threshold = section["threshold"]
    if len(levels.values) <= 2 and threshold == "auto":
        return _two_valued_rule(section, header, levels, where)
    middle = middle_of(header.bit_depth) if threshold == "auto" else threshold
    reason = "the middle of the value range" if threshold == "auto" else "config"
    rule = MaskRule(BINARY, middle, section["invert"], ends=levels.ends)
    found = [_binary_note(where, middle, reason)]
    if len(levels.solid) > 2 and threshold == "auto":
        text = f"`kind: binary`, but whole areas hold {_some(levels.solid)}"
        found.append(Finding("MASK_AS_BINARY", where, text))
    elif threshold == "auto" and header.bit_depth > 16:
        found += _unreached(levels.ends[1], middle, where)
    elif threshold == "auto":
        counts = np.zeros(1 << header.bit_depth, int)
        is_held = levels.values >= 0
        counts[levels.values[is_held].astype(int)] = levels.counts[is_held]
        found += _missed_foreground(counts, where)
    return rule, found


def _two_valued_rule(section, header: Header, levels: Levels, where: str):
    threshold, values = section["threshold"], levels.values.tolist() or [0]
    low, high = values[0], values[-1]
    if low == high:
        low, high = (0, high) if high else (0, middle_of(header.bit_depth))
    middle = (low + high + 1) // 2 if threshold == "auto" else threshold
    kept = (int(low), int(high))
    rule = MaskRule(BINARY, int(middle), section["invert"], levels=kept, ends=kept)
    return rule, [_binary_note(where, middle, f"the two values {low} and {high}")]


def _several_valued_rule(section, header: Header, levels: Levels, where: str):
    few = levels.stray <= _STRAY_SHARE * levels.total
    if few and (white := _white_in(levels.solid)):
        text = (
            f"all areas hold 0 and {white}, but {levels.stray:,} single voxels hold others "
            f"({_some(levels.values[~levels.is_solid])}): a binary mask with specks, or labels?"
        )
        return MaskRule(LABELS), [Finding("MASK_DOUBT", where, text, _SPECKS)]
    if levels.stray and len(levels.values) > 4 and _are_two_crowds(levels):
        middle = middle_of(header.bit_depth)
        rule = MaskRule(BINARY, middle, section["invert"], ends=tuple(map(int, levels.ends)))
        share = 1 - levels.stray / levels.total
        text = (
            f"{len(levels.values)} values; {share:.1%} of the voxels are in areas of "
            f"{_some(levels.solid)}, {levels.stray:,} lie along edges: noise or smoothing?"
        )
        return rule, [Finding("MASK_NOISE", where, text)]
    if not few and levels.between >= _BETWEEN_SHARE:
        text = f"{levels.stray:,} voxels lie between the labels beside them: was this resampled?"
        return MaskRule(LABELS), [Finding("MASK_BLENDED", where, text)]
    if levels.stray > _SCATTERED_SHARE * levels.total:
        text = (
            f"{levels.stray / levels.total:.0%} of the voxels hold values that fill no area: "
            "labels with noise, or a picture?"
        )
        return MaskRule(LABELS), [Finding("MASK_DOUBT", where, text)]
    note = f"labels: the files are lossless and hold more than two values ({_some(levels.values)})"
    return MaskRule(LABELS), [Finding("MASK_KIND", where, note)]


def _white_in(values: np.ndarray) -> int | None:
    """Return the white of 8 or 16 bits if it and 0 are all values: as a mask is painted."""
    # A list of a million ids would take more memory than all else here.
    held = values.tolist() if len(values) == 2 else []
    return held[1] if held in ([0, 255], [0, 65535]) else None


def _are_two_crowds(levels: Levels) -> bool:
    """Say whether all areas hold about the lowest or about the highest of their values."""
    solid = levels.solid
    if len(solid) <= 2:
        return len(solid) > 0
    low, high = solid[[0, -1]].tolist()
    near = min((high - low) / 8, _CROWD_WIDTH)
    # Plain numbers, which neither overflow nor lose digits; mostly one of the first few decides.
    plain = (each.item() for each in solid)
    return high - low >= 64 and all(value - low <= near or high - value <= near for value in plain)


def _binary_note(where: str, threshold: float, reason: str) -> Finding:
    text = f"a binary mask: foreground where the value is at least {threshold:g} ({reason})"
    return Finding("MASK_KIND", where, text)


def _some(ascending: np.ndarray) -> str:
    shown = ", ".join(f"{level:g}" for level in ascending[:5].tolist())
    return shown + (", ..." if len(ascending) > 5 else "")
