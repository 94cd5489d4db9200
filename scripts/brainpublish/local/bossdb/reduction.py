"""Halving of voxels for the coarser levels: pure functions on boxes and arrays (z, y, x)."""

from collections.abc import Callable

import numpy as np

from brainpublish.local.bossdb.geometry import Box, Triple


def shrunk(box: Box, halvings: Triple) -> Box:
    """Return the coarse voxels that show a box of fine ones."""
    return Box(
        tuple(value >> by for value, by in zip(box.start, halvings, strict=True)),
        tuple(-(-value >> by) for value, by in zip(box.stop, halvings, strict=True)),
    )


def grown(box: Box, halvings: Triple) -> Box:
    """Return the fine voxels that a box of coarse ones shows."""
    return Box(
        tuple(value << by for value, by in zip(box.start, halvings, strict=True)),
        tuple(value << by for value, by in zip(box.stop, halvings, strict=True)),
    )


def halve(
    fine: np.ndarray,
    fine_box: Box,
    coarse_box: Box,
    halvings: Triple,
    reduce: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return the coarse voxels (z, y, x) of a box from the fine ones.

    `fine` holds the voxels of `fine_box`: what the coarse box shows, cut to the fine level's
    bounds. At an odd edge the last voxels count twice. Every slice is halved in plane by
    `reduce`; where z is halved too, every second slice is kept.
    """
    wanted = grown(coarse_box, halvings)
    before = [fine_box.start[axis] - wanted.start[axis] for axis in (1, 0)]
    after = [wanted.stop[axis] - fine_box.stop[axis] for axis in (1, 0)]
    padding = list(zip(before, after, strict=True))
    coarse = np.empty(coarse_box.shape, fine.dtype)
    for index, z in enumerate(range(coarse_box.start[2], coarse_box.stop[2])):
        fine_z = max(z << halvings[2], fine_box.start[2]) - fine_box.start[2]
        coarse[index] = reduce(np.pad(fine[fine_z], padding, mode="edge"))
    return coarse


def mean_of_four(plane: np.ndarray) -> np.ndarray:
    """Return the rounded mean of every 2 x 2 voxels of a plane (y, x) of 8 or 16 bits."""
    total = sum(part.astype(np.uint32) for part in _quarters(plane))
    return ((total + 2) // 4).astype(plane.dtype)


def mode_of_four(plane: np.ndarray) -> np.ndarray:
    """Return the most frequent of every 2 x 2 labels of a plane (y, x).

    Of equally frequent ones a label wins over 0, and among labels the first in reading order.
    """
    labels = np.stack(_quarters(plane))
    best, best_score = labels[0].copy(), np.full(labels[0].shape, -1, np.int8)
    for candidate in labels:
        score = 2 * (labels == candidate).sum(axis=0, dtype=np.int8) + (candidate != 0)
        better = score > best_score
        best[better], best_score[better] = candidate[better], score[better]
    return best


def _quarters(plane: np.ndarray) -> list[np.ndarray]:
    return [plane[y::2, x::2] for y in (0, 1) for x in (0, 1)]
