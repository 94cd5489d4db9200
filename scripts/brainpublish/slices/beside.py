"""Slices beside each other: faults that a slice alone does not show. Arrays are y, x.

From one slice to the next a specimen changes little. A slice is told of only where those beside
it are alike and it is not: real breaks, where a stack goes on in another place, are not.
"""

from collections.abc import Callable, Iterator, Sequence
from statistics import median

import numpy as np

VIEW = 64
"""Rows and columns of a view at most: every so many voxels of a slice, enough to compare it."""

_ALIKE = 0.4
"""Correlation that two slices have at least to be called alike."""
_UNLIKE, _LIKE = 0.4, 0.85
"""Shares of it that a third one has at most to be called unlike both, and, turned, at least to be
called like them."""
_BRIGHTER, _AS_BRIGHT = 4.0, 2.0
"""Factors: more than the one changes brightness, no more than the other leaves it."""
_LOST_SHARE = 0.2
"""Part of what is bright on both sides that is 0 where a tile was lost."""
_TURNS = {
    "mirrored left to right": np.fliplr,
    "mirrored top to bottom": np.flipud,
    "turned by 180 degrees": lambda view: view[::-1, ::-1],
    "inverted": np.negative,
}

_UNSETTLED_SHARE, _UNSETTLED_TIMES = 0.25, 4
"""A slice is unclear where so large a part of it is, and so many times what is usual."""
_CLEAR, _WORTH = 0.05, 0.05
"""Parts of a usual slice: unclear at most where the others are clear; worth a word at least."""
_SUDDEN_SHARE, _LEAST_SHARE, _NEARLY_ALL = 0.5, 0.001, 0.9
"""Foreground beside a gap: at least this part of the usual, and of the slice. Foreground beside a
full slice: at most this part."""
_FEW = 0.1
"""Part of the slices that may be sudden at most."""
_JUMP, _BACK = 0.3, 0.05
"""Parts of a slice: more than the one changes where a mask turns over, and less than the other once
it is turned back."""


def view_of(values: np.ndarray) -> np.ndarray | None:
    """Return a coarse copy of a slice, None if that holds one value only."""
    steps = (-(-length // VIEW) for length in values.shape)
    view = values[tuple(slice(None, None, step) for step in steps)].copy()
    return None if view.min() == view.max() else view


def unlike_slices(
    views: Sequence[np.ndarray | None], bright: bool = False
) -> Iterator[tuple[int, str]]:
    """Yield number and fault of slices that are unlike those beside them.

    Args:
        views: of successive slices, y, x; None where there is nothing to compare.
        bright: whether their brightness is compared as well.
    """
    normal = [None if view is None else _normal(view) for view in views]
    for n in _between(normal):
        one, own, other = normal[n - 1 : n + 2]
        alike = _correlation(one, other)
        if alike < _ALIKE:
            continue
        if _is_unlike(own, one, other, alike, _correlation):
            yield n, _unlike_text(own, one, other, alike)
        elif bright:
            yield from ((n, text) for text in _dimmed(views[n], views[n - 1], views[n + 1]))


def unlike_labels(views: Sequence[np.ndarray | None]) -> Iterator[int]:
    """Yield the numbers of slices of labels that are others than in those beside them.

    Args:
        views: of successive slices, y, x; None where there is nothing to compare.
    """
    for n in _between(views):
        one, own, other = views[n - 1 : n + 2]
        alike = _same_labels(one, other)
        if alike >= _ALIKE and _is_unlike(own, one, other, alike, _same_labels):
            yield n


def _is_unlike(own, one, other, alike: float, likeness: Callable) -> bool:
    return max(likeness(own, one), likeness(own, other)) < _UNLIKE * alike


def _same_labels(one: np.ndarray, other: np.ndarray) -> float:
    """Return the part of two slices that has the same label in both, where either has one."""
    labelled = np.count_nonzero((one > 0) | (other > 0))
    return np.count_nonzero((one == other) & (one > 0)) / max(1, labelled)


def _between(views: Sequence[np.ndarray | None]) -> Iterator[int]:
    """Yield the numbers of slices that are there as both beside them are, all of one shape.

    Of the first and the last one nothing is told: a specimen may well begin or end there.
    """
    for n in range(1, len(views) - 1):
        shapes = {None if view is None else view.shape for view in views[n - 1 : n + 2]}
        if len(shapes) == 1 and None not in shapes:
            yield n


def _normal(view: np.ndarray) -> np.ndarray:
    values = view - view.mean()
    return values / np.linalg.norm(values)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.vdot(one, other))


def _unlike_text(own: np.ndarray, one: np.ndarray, other: np.ndarray, alike: float) -> str:
    text = "is unlike the slices beside it, which are like each other"
    for how, turn in _TURNS.items():
        turned = turn(own)
        if max(_correlation(turned, one), _correlation(turned, other)) > _LIKE * alike:
            return f"{text}; {how} it would be like them"
    return text


def _dimmed(own: np.ndarray, one: np.ndarray, other: np.ndarray) -> Iterator[str]:
    low, high = sorted((float(one.mean()), float(other.mean())))
    lit = (one > one.mean()) & (other > other.mean())
    lost = np.count_nonzero(lit & (own == 0)) / max(1, np.count_nonzero(lit))
    if lost > _LOST_SHARE:
        yield f"is 0 in {lost:.0%} of where the slices beside it are bright"
    if low <= 0 or high > _AS_BRIGHT * low:
        return
    times = float(own.mean()) / ((low + high) / 2)
    if times > _BRIGHTER:
        yield f"is {times:.1f} times as bright as the slices beside it"
    elif times < 1 / _BRIGHTER:
        yield f"has {times:.2%} of the brightness of the slices beside it"


def unsettled_slices(unsettled: Sequence[int], sizes: Sequence[int]) -> list[int]:
    """Return the slices of a mask whose values are unclear, where the others' are clear.

    Where many are not, as in maps of probabilities, the config has decided how they are read.

    Args:
        unsettled: voxels of each slice that may be one thing or another.
        sizes: voxels of each slice that they are held against.
    """
    usual = median(unsettled) if unsettled else 0
    size = median([size for size in sizes if size] or [0])
    if usual > _CLEAR * size:
        return []
    least = max(_UNSETTLED_TIMES * usual, _WORTH * size)
    return [
        n
        for n, (count, size) in enumerate(zip(unsettled, sizes, strict=True))
        if count > max(least, _UNSETTLED_SHARE * size)
    ]


def sudden_slices(shares: Sequence[float]) -> list[int]:
    """Return the slices of a mask that are wholly background or foreground, unlike both beside.

    Where that is true of many, it is how the mask was made: every other slice was painted.

    Args:
        shares: the part of each slice that is foreground, 0 to 1.
    """
    usual = median([share for share in shares if share] or [0.0])
    least = max(_SUDDEN_SHARE * usual, _LEAST_SHARE)
    found = []
    for n in range(1, len(shares) - 1):
        before, share, after = shares[n - 1 : n + 2]
        is_gap = share == 0 and min(before, after) >= least
        if is_gap or (share == 1 and max(before, after) < _NEARLY_ALL):
            found.append(n)
    return found if len(found) <= max(1, _FEW * len(shares)) else []


def turned_slices(shares: Sequence[float]) -> list[int]:
    """Return the numbers of the slices whose foreground is the background of the others.

    From one slice to the next, a structure changes little. Where most voxels change, and few
    would if one of both were inverted, one of both is. The smaller number of slices are the odd
    ones. Slices of one value only say nothing.

    Args:
        shares: the part of each slice that is foreground, 0 to 1.
    """
    sides: dict[bool, list[int]] = {False: [], True: []}
    turned, before = False, None
    for z, share in enumerate(shares):
        if not 0 < share < 1:
            continue
        if before is not None:
            jumps = abs(share - before) > _JUMP and abs(1 - share - before) < _BACK
            turned ^= jumps
        sides[turned].append(z)
        before = share
    return min(sides.values(), key=len)
