"""The contact sheet: which slices it shows, how they are made smaller, what is outlined."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from brainpublish.slices.sheet import (
    PANEL,
    PANELS,
    Layer,
    choose_slices,
    contact_sheet,
    outlines,
    reduced,
)

COUNTS = st.lists(st.integers(0, 3), min_size=1, max_size=60)


def layer_of(stack: np.ndarray, name: str = "image", is_binary: bool = True) -> Layer:
    def read(z, rows, columns):
        return stack[z, rows.start : rows.stop, columns.start : columns.stop]

    foreground = [int(np.count_nonzero(plane)) for plane in stack]
    return Layer(name, stack.shape, read, foreground, is_binary)


def pixels_of(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def count_of(png: bytes, colour: tuple[int, int, int]) -> int:
    return int((pixels_of(png) == colour).all(axis=-1).sum())


@given(st.integers(1, 200), st.lists(COUNTS, max_size=4))
def test_slices_are_there_once_each_and_in_order(count, masks):
    chosen = choose_slices(count, masks)
    assert chosen == sorted(set(chosen))
    assert 1 <= len(chosen) <= PANELS
    assert all(0 <= z < count for z in chosen)


@given(st.integers(1, 200), COUNTS)
def test_a_single_mask_is_shown_where_it_is_not_empty(count, mask):
    filled = [z for z, voxels in enumerate(mask[:count]) if voxels]
    chosen = choose_slices(count, [mask])
    assert not filled or set(chosen) <= set(filled)
    assert len(chosen) == min(PANELS, len(filled) or count)


def test_a_mask_on_one_slice_is_shown_beside_another_mask():
    tiny = [0] * 100
    tiny[37] = 5
    assert 37 in choose_slices(100, [[1] * 100, tiny])


def test_slices_are_spread_over_the_whole_stack():
    assert choose_slices(90, []) == [7, 22, 37, 52, 67, 82]
    assert choose_slices(3, []) == [0, 1, 2]


@settings(max_examples=30)
@given(st.integers(1, 1100), st.integers(1, 2200), st.integers(1, 700))
def test_blocks_are_reduced_as_if_all_were_read_at_once(height, width, step):
    stack = np.random.default_rng(height).integers(0, 2**16, (2, height, width), np.uint16)
    read = layer_of(stack).read
    shape = (height, width)
    mean = reduced(lambda rows, columns: read([0, 1], rows, columns), shape, step, np.add)
    most = reduced(lambda rows, columns: read([0, 1], rows, columns), shape, step, np.maximum)
    y, x = height // step // 2 * step, width // step // 2 * step
    block = stack[1, y : y + step, x : x + step]
    assert mean[1, y // step, x // step] == pytest.approx(block.mean())
    assert most[1, y // step, x // step] == block.max()
    assert mean.shape == most.shape == (2, -(-height // step), -(-width // step))
    assert most.dtype == np.uint16


def test_outlines_lie_inside_labels_and_between_them():
    labels = np.zeros((7, 8), np.uint64)
    labels[1:6, 1:4], labels[1:6, 4:7] = 3, 2**40
    edge = outlines(labels)
    assert not edge[labels == 0].any()
    assert edge[3, [1, 3, 4, 6]].all()
    assert not edge[3, [2, 5]].any()
    assert edge[1, 1:7].all()


def test_equal_stacks_give_equal_bytes_and_every_mask_its_colour():
    stack = np.arange(20 * 40 * 50, dtype=np.uint16).reshape(20, 40, 50)
    one, other = np.zeros((2, 20, 40, 50), np.uint8)
    one[:, 10:20, 10:20] = 1
    other[13, 25:30, 30:40] = 1
    masks = [layer_of(one, "one"), layer_of(other, "other")]
    png = contact_sheet("a/b/c", layer_of(stack), masks)
    assert png == contact_sheet("a/b/c", layer_of(stack.copy()), masks)
    bare = contact_sheet("a/b/c", layer_of(stack), [])
    for colour in ((255, 200, 0), (0, 200, 255)):
        # More than the square in the legend.
        assert count_of(png, colour) > 300
        assert count_of(bare, colour) == 0


def test_neighbouring_labels_differ_in_colour():
    labels = np.zeros((4, 60, 60), np.uint64)
    labels[:, 5:30, 5:55], labels[:, 30:55, 5:55] = 7, 8
    png = contact_sheet("a/b/c", layer_of(labels.astype(np.uint16)), [layer_of(labels, "l", False)])
    colours, counts = np.unique(pixels_of(png).reshape(-1, 3), axis=0, return_counts=True)
    vivid = [n for rgb, n in zip(colours, counts, strict=True) if len({*rgb.tolist()}) > 1]
    assert sum(n > 1000 for n in vivid) == 2


@pytest.mark.parametrize("shape", [(0, 0, 0), (1, 1, 1), (3, 2, 5000), (2, 3000, 2)])
def test_stacks_of_any_shape_are_drawn(shape):
    png = contact_sheet("a/b/c", layer_of(np.ones(shape, np.uint16)), [])
    assert max(Image.open(io.BytesIO(png)).size) < 2 * 3 * PANEL


def test_masks_that_do_not_fit_are_named_or_drawn_as_far_as_they_go():
    stack = np.ones((9, 30, 30), np.uint16)
    small = layer_of(np.ones((9, 30, 29), np.uint8), "small")
    short = np.zeros((2, 30, 30), np.uint8)
    short[:, 5:9, 5:9] = 1
    assert count_of(contact_sheet("c", layer_of(stack), [small]), (255, 200, 0)) == 0
    png = contact_sheet("c", layer_of(stack), [layer_of(short, "short")])
    assert count_of(png, (255, 200, 0)) > 500
