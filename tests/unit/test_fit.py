"""Slices of different sizes, brought to one size because the config says so."""

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from brainpublish.files import read_json
from brainpublish.slices import plan as plan_module
from brainpublish.slices.fit import CENTER, TOP_LEFT, Fit, place_rows
from gallery.channel import IMAGE, MASK, Channel

SIZES = st.integers(1, 12)
RNG = np.random.default_rng(11)


@given(st.tuples(SIZES, SIZES), SIZES, SIZES, st.sampled_from([CENTER, TOP_LEFT]), SIZES)
def test_bands_put_every_row_of_the_file_where_it_belongs(file, width, height, align, step):
    fit, values = Fit(width, height, align), np.arange(1, file[0] * file[1] + 1).reshape(file)
    stack, decoded = np.zeros((height, width), int), []
    for start in range(0, height, step):
        band = range(start, min(height, start + step))
        placing = place_rows(file, fit, band)
        decoded += placing.rows
        held = values[placing.rows.start : placing.rows.stop]
        stack[band.start : band.stop][placing.target] = held[placing.inside]
    # All rows are looked at once, those that are cut off too.
    assert decoded == list(range(file[0]))
    down, right = (0, 0) if align == TOP_LEFT else ((height - file[0]) // 2, (width - file[1]) // 2)
    for (y, x), value in np.ndenumerate(values):
        if 0 <= y + down < height and 0 <= x + right < width:
            assert stack[y + down, x + right] == value
            stack[y + down, x + right] = 0
    assert not stack.any()


def sections(count=5, low=40, high=60):
    """Return slices of uneven sizes, none of whose voxels is 0."""
    sizes = RNG.integers(low, high, (count, 2))
    return [RNG.integers(1, 4000, size).astype(np.uint16) for size in sizes]


def written(folder, slices, name="z{}.tif", **options):
    folder.mkdir(parents=True)
    for z, values in enumerate(slices):
        tifffile.imwrite(folder / name.format(z), values, **options)
    return folder


def codes(channel, severity="error"):
    return {each.code for each in channel.findings if each.severity == severity}


def centered(values, height, width):
    out = np.zeros((height, width), values.dtype)
    y, x = (height - values.shape[0]) // 2, (width - values.shape[1]) // 2
    out[y : y + values.shape[0], x : x + values.shape[1]] = values
    return out


def test_uneven_sections_are_padded_and_the_plan_says_which(tmp_path):
    slices = sections()
    slices[2] = np.ones((64, 70), np.uint16)
    keys = {"fit": {"width": 70, "height": 64}}
    image = Channel(written(tmp_path / "image", slices), IMAGE, keys)
    assert codes(image) == set()
    assert np.array_equal(image.voxels(), [centered(each, 64, 70) for each in slices])
    told = read_json(image.folder / "plan.json")["decisions"]["fit"]
    assert told.startswith("to 70 x 64 (width x height), center, crop background: 4 of 5 slices")
    assert "(z = 0 to 1, 3 to 4)" in told


def test_without_fit_the_line_that_helps_is_said(tmp_path):
    slices = [*sections(3), np.ones((99, 30), np.uint16)]
    image = Channel(written(tmp_path / "image", slices), IMAGE, {})
    (fix,) = {each.fix for each in image.findings if each.code == "SLICE_SIZE"}
    assert f"`fit: {{width: {max(each.shape[1] for each in slices)}, height: 99}}`" in fix


@pytest.mark.parametrize("align", [CENTER, TOP_LEFT])
def test_background_may_be_cut_off_and_nothing_else(tmp_path, align):
    inner = RNG.integers(1, 4000, (3, 40, 50)).astype(np.uint16)
    sides = (10, 10) if align == CENTER else (0, 20)
    slices = np.pad(inner, ((0, 0), sides, sides))
    slices[0, 5 if align == CENTER else 55, 5] = 0
    keys = {"fit": {"width": 50, "height": 40, "align": align}}
    image = Channel(written(tmp_path / "image", slices), IMAGE, keys)
    assert codes(image) == set()
    assert np.array_equal(image.voxels(), inner)
    slices[1, -1, 3:5] = 7
    image = Channel(written(tmp_path / "again", slices), IMAGE, keys)
    (cut,) = [each for each in image.findings if each.severity == "error"]
    assert (cut.code, cut.where[-6:]) == ("SLICE_CUT", "z1.tif")
    assert "would cut off 2 voxels that are not 0" in cut.message
    keys["fit"]["crop"] = "anything"
    image = Channel(written(tmp_path / "told", slices), IMAGE, keys)
    assert codes(image) == set()
    assert np.array_equal(image.voxels(), inner)


@pytest.mark.parametrize(
    ("form", "width", "height"),
    [("tiled", 1600, 1700), ("tiled", 700, 1200), ("png", 1600, 1700), ("png", 1600, 600)],
)
def test_large_sections_are_fitted_in_bands(tmp_path, monkeypatch, form, width, height):
    slices = sections(2, 900, 1500)
    if form == "png":
        (tmp_path / "image").mkdir()
        for z, values in enumerate(slices):
            Image.fromarray(values).save(tmp_path / "image" / f"z{z}.png", compress_level=1)
    else:
        written(tmp_path / "image", slices, tile=(256, 256))
    monkeypatch.setattr(plan_module, "BAND_BYTES", 2**24)
    monkeypatch.setattr(plan_module, "WHOLE_BYTES", 2**24)
    keys = {"fit": {"width": width, "height": height, "crop": "anything"}}
    image = Channel(tmp_path / "image", IMAGE, keys)
    assert codes(image) == set()
    assert np.array_equal(image.voxels(), [centered_or_cut(each, height, width) for each in slices])


def centered_or_cut(values, height, width):
    for axis, size in ((0, height), (1, width)):
        space = size - values.shape[axis]
        if space < 0:
            start = -(space // 2)
            values = values.take(range(start, start + size), axis)
    return centered(values, height, width)


def masks_of(slices):
    return [np.where(values > 2000, 255, 0).astype(np.uint8) for values in slices]


def test_masks_are_fitted_as_their_image_is(tmp_path):
    slices, keys = sections(), {"fit": {"width": 60, "height": 60}}
    image = Channel(written(tmp_path / "image", slices), IMAGE, keys)
    mask = Channel(written(tmp_path / "mask", masks_of(slices)), MASK, keys, image)
    assert codes(mask) == set()
    assert np.array_equal(mask.voxels() == 1, image.voxels() > 2000)


def test_mask_of_another_size_than_its_slice_stays_a_fault(tmp_path):
    slices, keys = sections(), {"fit": {"width": 60, "height": 60}}
    image = Channel(written(tmp_path / "image", slices), IMAGE, keys)
    masks = masks_of(slices)
    masks[3] = masks[3][:, 1:]
    mask = Channel(written(tmp_path / "mask", masks), MASK, keys, image)
    (found,) = [each for each in mask.findings if each.severity == "error"]
    assert (found.code, found.where[-6:]) == ("SLICES_EXTENT", "z3.tif")
    height, width = slices[3].shape
    assert f"is {width - 1} x {height}, its image slice {width} x {height}" in found.message


def test_masks_drawn_on_the_fitted_stack_are_taken_as_they_are(tmp_path):
    slices, keys = sections(), {"fit": {"width": 60, "height": 60}}
    image = Channel(written(tmp_path / "image", slices), IMAGE, keys)
    masks = masks_of([centered(each, 60, 60) for each in slices])
    mask = Channel(written(tmp_path / "mask", masks), MASK, keys, image)
    assert codes(mask) == codes(mask, "warning") == set()


def test_inverted_masks_are_padded_with_background(tmp_path):
    slices, keys = sections(), {"fit": {"width": 60, "height": 60}}
    image = Channel(written(tmp_path / "image", slices), IMAGE, keys)
    raw = written(tmp_path / "mask", [255 - each for each in masks_of(slices)])
    mask = Channel(raw, MASK, keys | {"invert": True}, image)
    assert np.array_equal(mask.voxels() == 1, image.voxels() > 2000)
