"""The grid of cuboids."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from brainpublish.bossdb.cuboids import cuboids_of, runs_of
from brainpublish.slices.slabs import CUBOID

EXTENTS = st.tuples(st.integers(1, 70), st.integers(1, 1100), st.integers(1, 1100))


@given(EXTENTS, st.integers(1, 3).map(lambda each: 16 * each))
def test_slabs_cuboids_partition_the_volume_on_the_grid(extent, depth):
    boxes = []
    for first in range(0, extent[0], depth):
        boxes += cuboids_of(extent, range(first, min(first + depth, extent[0])))
    assert sum(int(np.prod(box.shape)) for box in boxes) == int(np.prod(extent))
    assert len({box.start for box in boxes}) == len(boxes)
    for box in boxes:
        assert all(a % step == 0 for a, step in zip(box.start, CUBOID, strict=True))
        ends = zip(box.start, CUBOID, extent, strict=True)
        assert box.stop == tuple(min(a + step, end) for a, step, end in ends)


@given(EXTENTS, st.integers(1, 5), st.randoms())
def test_runs_are_columns_without_gaps(extent, most, dice):
    boxes = [box for box in cuboids_of(extent, range(extent[0])) if dice.random() < 0.8]
    runs = runs_of(boxes, most)
    assert sorted(box for run in runs for box in run) == boxes
    for run in runs:
        assert 1 <= len(run) <= most
        for one, other in itertools.pairwise(run):
            assert one.stop[0] == other.start[0]
            assert one.start[1:] == other.start[1:]
            assert one.stop[1:] == other.stop[1:]


def test_whole_columns_make_as_few_runs_as_possible():
    boxes = list(cuboids_of((100, 600, 600), range(100)))
    assert sorted(map(len, runs_of(boxes, 4))) == [3] * 4 + [4] * 4


def test_box_says_where_it_is():
    (box,) = cuboids_of((3, 4, 5), range(3))
    assert str(box) == "z 0:3 y 0:4 x 0:5"
    assert box.key == "0-0-0"
