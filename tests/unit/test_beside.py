"""Slices beside each other: what is unlike its neighbours is told, and real breaks are not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainpublish.slices.beside import (
    VIEW,
    sudden_slices,
    unlike_labels,
    unlike_slices,
    unsettled_slices,
    view_of,
)
from brainpublish.slices.masks import blended


def specimen(seed=0, count=9, shape=(90, 130)):
    """Return slices of a few bright bodies that drift, with noise: z, y, x."""
    dice = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    bodies = dice.uniform(0.15, 0.85, (6, 2)) * shape
    values = np.zeros((count, *shape))
    for z in range(count):
        for body in bodies + 0.5 * z:
            values[z] += 5000 * np.exp(-((y - body[0]) ** 2 + (x - body[1]) ** 2) / 60)
    values += dice.normal(300, 20, values.shape)
    return values.clip(1, 65_535).astype(np.uint16)


def told(values, bright=True):
    return dict(unlike_slices([view_of(each) for each in values], bright))


@given(st.integers(0, 1000))
@settings(max_examples=25)
def test_nothing_is_told_of_a_good_stack_or_of_a_break(seed):
    values = specimen(seed)
    assert told(values) == {}
    assert told(np.concatenate([values, specimen(seed + 1)])) == {}
    assert told(values[:2]) == {}
    assert told(np.concatenate([specimen(seed + 2)[:1], values, specimen(seed + 3)[:1]])) == {}
    values[4] = 300
    assert told(values) == {}


FAULTS = {
    "mirrored left to right": np.fliplr,
    "mirrored top to bottom": np.flipud,
    "turned by 180 degrees": lambda values: values[::-1, ::-1],
    "inverted": lambda values: 65_535 - values,
    "times as bright": lambda values: (values * 12.0).clip(0, 65_535).astype(np.uint16),
    "of the brightness": lambda values: values // 256,
    "is 0 in": lambda values: values * (np.arange(values.shape[1]) < 50),
    "unlike the slices beside it": lambda values: values.byteswap(),
}


@pytest.mark.parametrize("says", FAULTS)
@pytest.mark.parametrize("place", [1, 4, 7])
def test_slice_that_is_unlike_the_others_is_told(says, place):
    values = specimen(3)
    values[place] = FAULTS[says](values[place])
    (number,) = told(values)
    assert number == place
    assert says in told(values)[place]


def test_brightness_of_a_mask_says_nothing():
    values = specimen(3) > 2000
    assert told(values, bright=False) == {}
    values[4] = np.fliplr(values[4])
    assert list(told(values, bright=False)) == [4]


def test_labels_are_compared_by_what_they_are_not_by_their_size():
    z, y, x = np.indices((9, 90, 130))
    labels = (1 + (y + z) // 20 * 7 + x // 30).astype(np.uint16)
    labels[:, :20] = 0
    assert list(unlike_labels([view_of(each) for each in labels])) == []
    for fault in (labels[4] + 1000, labels[4] % 5, np.flipud(labels[4])):
        changed = labels.copy()
        changed[4] = fault
        assert list(unlike_labels([view_of(each) for each in changed])) == [4]
    # Each slice is numbered for itself.
    alone = labels + (labels > 0) * np.uint16(100) * z.astype(np.uint16)
    assert list(unlike_labels([view_of(each) for each in alone])) == []


def test_labels_that_were_smoothed_lie_between_others():
    labels = np.repeat(np.array([0, 3, 9, 3, 40], np.uint8), 10)[np.newaxis]
    assert blended(labels) == (8, 0)
    smooth = np.convolve(labels[0], np.ones(3) / 3, "same")[np.newaxis, 1:-1]
    crossings, between = blended(smooth)
    assert between > 0.4 * crossings


@given(st.integers(1, 300), st.integers(1, 300))
def test_view_is_small_and_none_of_a_constant_slice(rows, columns):
    values = np.arange(rows * columns).reshape(rows, columns)
    view = view_of(values)
    assert view is None if rows * columns == 1 else max(view.shape) <= VIEW
    assert view_of(values * 0) is None


def test_values_between_the_levels_of_the_others_are_told():
    assert unsettled_slices([0, 3, 900, 2], [1000, 1100, 1000, 0]) == [2]
    # All are alike, or it is a slice of a few voxels.
    assert unsettled_slices([400, 450, 500, 430], [1000] * 4) == []
    assert unsettled_slices([100, 120, 900, 90], [1000] * 4) == []
    assert unsettled_slices([0, 0, 8, 0], [1000, 900, 9, 800]) == []
    assert unsettled_slices([], []) == []


def test_single_slices_without_foreground_or_background_are_told():
    assert sudden_slices([0.1, 0.1, 0.0, 0.1, 1.0, 0.1]) == []
    assert sudden_slices([0.0, 0.1, 0.1, 0.0, 0.1, 0.1, 0.0, 0.0]) == [3]
    assert sudden_slices([0.1, 0.1, 1.0, 0.1]) == [2]
    # Every other slice was painted; or it ends.
    assert sudden_slices([0.1, 0, 0.1, 0, 0.1, 0, 0.1]) == []
    assert sudden_slices([0.1, 0.001, 0, 0.001, 0.1]) == []
    assert sudden_slices([0, 1, 0.95, 1, 0]) == []
