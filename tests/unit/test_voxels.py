"""The voxel size of the config against what files say: mistakes are named, defaults are not."""

import struct

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from brainpublish.slices.header import Header
from brainpublish.slices.openjpeg import use_bundled_openjpeg
from brainpublish.slices.read import read_header
from brainpublish.slices.resolution import nanometers_of, size_of, size_of_density
from brainpublish.slices.voxels import check_voxel_size

PLANE = (np.arange(1600) % 251).astype(np.uint8).reshape(40, 40)
NOTHING = (None, None, None)


def found(size, unit, *held):
    """Return code, message and fix of one finding for slices with these sizes, or None."""
    heads = [Header("tiff", 8, 8, 8, "uint8", False, voxel_nm=nm, voxel_tags="T") for nm in held]
    slices = [(f"s{index}.tif", head) for index, head in enumerate(heads)]
    findings = check_voxel_size({"voxel_size": size, "voxel_unit": unit}, slices)
    assert len(findings) < 2
    return next(((f.code, f.where, f.message, f.fix) for f in findings), None)


@pytest.mark.parametrize(
    ("size", "unit", "held", "code", "says", "line"),
    [
        ([2, 2, 5], "nanometers", (2000, 2000, None), "VOXEL_UNIT", "0.001", "_unit: micrometers"),
        ([2, 2, 5], "nanometers", (2e6, 2e6, 5e6), "VOXEL_UNIT", "1e-06", "_unit: millimeters"),
        ([2, 2, 5], "millimeters", (2e3, 2e3, 5e3), "VOXEL_UNIT", "1000", "_unit: micrometers"),
        ([43, 43, 43], "nanometers", (43530,) * 3, "VOXEL_UNIT", "0.001", "_unit: micrometers"),
        ([2, 2, 5], "micrometers", (2, 2, None), "VOXEL_UNIT", "1000", "_unit: nanometers"),
        ([2, 2, 5], "nanometers", (2, 2, 5000), "VOXEL_UNIT", "z by", "_size: [2, 2, 5000]"),
        ([5, 2, 2], "micrometers", (2e3, 2e3, 5e3), "VOXEL_AXES", "swap", "_size: [2, 2, 5]"),
        ([5, 2, 2], "micrometers", (2e3, 2e3, None), "VOXEL_AXES", "swap", "_size: [2, 2, 5]"),
        ([3, 2, 9], "micrometers", (2e3, 3e3, None), "VOXEL_AXES", "swap", "_size: [2, 3, 9]"),
        ([5, 2, 2], "nanometers", (2e3, 2e3, 5e3), "VOXEL_UNIT", "and the axes", "[2000, 2000, 5"),
        ([2, 2, 5], "micrometers", (4e3, 4e3, None), "VOXEL_SIZE", "say x 4, y 4", "_size: [4, 4"),
        ([2, 2, 5], "micrometers", (2e4, 2e4, 5e4), "VOXEL_SIZE", "x 20, y 20", "_size: [20, 20"),
        ([2, 2, 5], "micrometers", (5e3, None, None), "VOXEL_SIZE", "x 5", "_size: [5, 2, 5]"),
    ],
)
def test_mistake_is_named_with_both_sizes_and_the_line_to_write(size, unit, held, code, says, line):
    got, where, message, fix = found(size, unit, NOTHING, held, held)
    assert (got, where) == (code, "s1.tif")
    assert f"the config says x {size[0]}, y {size[1]}, z {size[2]} {unit}" in message
    assert "2 of 3 slices say" in message
    assert says in message
    assert line in fix


def test_files_that_agree_or_say_nothing_raise_no_alarm():
    assert found([2, 2, 5], "micrometers", NOTHING) is None
    assert found([2, 2, 5], "micrometers", (2e3, 2.05e3, None)) is None
    assert found([2, 2, 5], "micrometers") is None
    most = [(2e3, 2e3, None)] * 3
    assert found([2, 2, 5], "micrometers", *most, (9e3, 9e3, None)) is None


SIZES = st.floats(1e-3, 1e3)


@given(st.tuples(SIZES, SIZES, SIZES))
def test_a_size_agrees_with_itself_and_never_in_another_unit(size):
    held = tuple(number * 1e3 for number in size)
    assert found(list(size), "micrometers", held) is None
    for unit in ("nanometers", "millimeters"):
        assert found(list(size), unit, held)[0] == "VOXEL_UNIT"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"resolution": (72, 72)},
        {"resolution": (300, 300), "resolutionunit": "INCH"},
        {"resolution": (96, 96), "resolutionunit": "INCH"},
        {"resolution": (118, 118), "resolutionunit": "CENTIMETER"},
        {"resolution": (28.346, 28.346), "resolutionunit": "CENTIMETER"},
        {"resolution": (1, 1), "resolutionunit": "CENTIMETER"},
        {"resolution": (4000, 4000), "resolutionunit": "NONE"},
        {"imagej": True, "resolution": (72, 72), "metadata": {"unit": "inch"}},
        {"imagej": True, "resolution": (3, 3), "metadata": {"unit": "pixel", "spacing": 2}},
    ],
)
def test_usual_resolutions_of_tiff_say_nothing(tmp_path, options):
    tifffile.imwrite(tmp_path / "a.tif", PLANE, **options)
    header = read_header(tmp_path / "a.tif")
    assert (header.voxel_nm, header.voxel_tags) == (NOTHING, "")


def test_what_pillow_and_jpeg_write_says_nothing(tmp_path):
    for name in ("a.tif", "a.jpg", "a.png"):
        Image.fromarray(PLANE).save(tmp_path / name, dpi=(300, 300))
        assert read_header(tmp_path / name).voxel_nm == NOTHING


def test_tags_that_say_something_are_named(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", PLANE, resolution=(583.5, 583.5), resolutionunit="INCH")
    header = read_header(tmp_path / "a.tif")
    assert header.voxel_nm[:2] == pytest.approx((43530.4,) * 2, rel=1e-4)
    assert header.voxel_tags == "XResolution, YResolution"
    size = {"PhysicalSizeX": 8, "PhysicalSizeXUnit": "nm", "PhysicalSizeZ": "much"}
    tifffile.imwrite(tmp_path / "b.ome.tif", PLANE, metadata={"axes": "YX", **size})
    header = read_header(tmp_path / "b.ome.tif")
    assert (header.voxel_nm, header.voxel_tags) == ((8, None, None), "PhysicalSizeX")
    # ImageJ writes a spacing of 1 for depths that were never set.
    metadata = {"spacing": 1.0, "unit": "um"}
    tifffile.imwrite(tmp_path / "c.tif", PLANE, imagej=True, resolution=(2, 4), metadata=metadata)
    assert read_header(tmp_path / "c.tif").voxel_nm == (500, 250, None)


def jp2_with(path, **per_metre):
    """Write a JP2 file whose header holds resolutions, and return what is read of it."""
    library = use_bundled_openjpeg()
    plain = library.Jp2k(path.with_suffix(".plain.jp2"), data=PLANE)
    kinds = {
        "resc": library.jp2box.CaptureResolutionBox,
        "resd": library.jp2box.DisplayResolutionBox,
    }
    boxes = [kinds[name](*both) for name, both in per_metre.items()]
    held = list(plain.box)
    held[2].box.append(library.jp2box.ResolutionBox(box=boxes))
    plain.wrap(path, boxes=held)
    return read_header(path)


def test_resolution_boxes_of_jp2_are_read(tmp_path):
    header = jp2_with(tmp_path / "a.jp2", resc=(500_000, 250_000))
    assert (header.voxel_nm, header.voxel_tags) == ((4000, 2000, None), "the box resc")
    both = {"resd": (2835, 2835), "resc": (100_000, 100_000)}
    assert jp2_with(tmp_path / "b.jp2", **both).voxel_nm == (10_000, 10_000, None)
    assert jp2_with(tmp_path / "c.jp2", resd=(100_000, 100_000)).voxel_tags == "the box resd"
    for usual in (2835, 2834, 11811, 1):
        held = jp2_with(tmp_path / f"{usual}.jp2", resd=(usual, usual))
        assert held.voxel_nm == NOTHING


def test_resolution_that_is_none_does_not_make_a_slice_unreadable(tmp_path):
    jp2_with(tmp_path / "a.jp2", resc=(500_000, 250_000))
    data = bytearray((tmp_path / "a.jp2").read_bytes())
    at = data.index(b"resc") + 4
    data[at : at + 10] = struct.pack(">HHHHbb", 1, 0, 1, 0, 0, 0)
    (tmp_path / "a.jp2").write_bytes(data)
    assert read_header(tmp_path / "a.jp2").voxel_nm == NOTHING


@pytest.mark.parametrize("number", ["", "x", "nan", "inf", "-2", 0, None])
def test_what_is_no_size_is_none(number):
    assert size_of(number, 1e3) is None


def test_units_are_known_in_their_spellings():
    for unit in ("µm", "μm", "um", "micron", "\\u00B5m", "\\u00b5m", " Micrometer "):
        assert nanometers_of(unit) == 1e3
    assert nanometers_of("pixel") is None
    assert nanometers_of(None) is None
    assert size_of_density(0, 1, 1e7) is None
