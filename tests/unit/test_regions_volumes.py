"""Volumes as features: decoded as the website does it, and faults named."""

from pathlib import Path

import nibabel
import nrrd
import numpy as np
import pytest
from grids import NEAR_BREGMA, codes, decoded, section, shown
from hypothesis import given
from hypothesis import strategies as st

from brainpublish.files import read_json
from brainpublish.regions.grid import AXES, SHAPE, packed
from brainpublish.regions.spatial import encode_volumes
from brainpublish.regions.volume import (
    oriented,
    overlap_weights,
    read_volume,
    resampled,
    shape_fault,
    spacing_of,
    survey,
    volume_feature,
)
from brainpublish.regions.volume_header import header_findings, read_header


def gradient():
    """A volume that tells its axes apart, as float32."""
    ap, dv, ml = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    return (ap + 1000.0 * (dv == 3) + 2000.0 * (ml == 5)).astype(np.float32)


@pytest.fixture
def volume(tmp_path, monkeypatch):
    """Make a feature of a volume saved as npy; keyword arguments are keys of its section."""
    monkeypatch.chdir(tmp_path)

    def make(array, **keys):
        np.save("v.npy", array)
        return volume_feature("f", section("volume", path="v.npy", **keys))

    return make


def test_77_a_volume_on_the_grid_is_what_the_website_shows(volume):
    array = gradient()
    payload, findings = volume(array, unit="1/mm3")
    assert codes(findings) == [("note", "VOLUME_STEPS")]
    levels, low, high = shown(payload)
    assert (low, high) == (0, array.max())
    back = low + levels[::50].astype(np.float32) / 255 * (high - low)
    assert np.abs(back - array[::50]).max() <= (high - low) / 255 / 2 * 1.001
    assert payload["feature_data"]["histogram"]["total_count"] == array.size


def test_77_nan_outside_the_brain_and_a_constant_inside(volume):
    array = np.full(SHAPE, np.nan, dtype=np.float32)
    array[100:110] = 7
    payload, findings = volume(array)
    assert ("note", "VOLUME_NAN") in codes(findings)
    assert ("warning", "FEATURE_CONSTANT") in codes(findings)
    levels, low, high = shown(payload)
    assert (low, high) == (0, 7)
    assert np.unique(levels[100:110]).tolist() == [255]
    assert not levels[110:].any()


def test_volumes_without_a_number_are_refused(volume):
    array = np.full(SHAPE, np.nan, dtype=np.float32)
    assert codes(volume(array)[1]) == [("error", "FEATURE_EMPTY")]
    array[5, 5, 5] = np.inf
    payload, findings = volume(array)
    assert payload is None
    assert codes(findings) == [("error", "VOLUME_NOT_FINITE")]
    assert findings[0].message == "1 voxels are infinite"


@pytest.mark.parametrize(
    ("shape", "axes", "resample", "says"),
    [
        (SHAPE, ["ap", "dv", "ml"], False, ""),
        ((456, 528, 320), ["ap", "dv", "ml"], False, "look like [ml, ap, dv]: set `axes`"),
        ((456, 528, 320), ["-ml", "ap", "-dv"], False, ""),
        ((1320, 800, 1140), ["ap", "dv", "ml"], False, "at 10 um"),
        ((1320, 800, 1140), ["ap", "dv", "ml"], True, ""),
        ((1140, 1320, 800), ["ap", "dv", "ml"], True, "look like [ml, ap, dv] at 10 um"),
        ((264, 160, 228), ["ap", "dv", "ml"], True, ""),
        ((100, 100, 100), ["ap", "dv", "ml"], True, "is not 528 x 320 x 456"),
    ],
)
def test_77_shapes_are_told_and_nothing_is_resampled_unasked(shape, axes, resample, says):
    fault = shape_fault(shape, axes, resample)
    assert says in fault
    assert bool(says) is bool(fault)


def test_spacings_of_shapes():
    assert [spacing_of(shape) for shape in (SHAPE, (1320, 800, 1140), (132, 80, 114))] == [
        25, 10, 100,
    ]  # fmt: skip


COARSE = (132, 80, 114)  # the grid at 100 um


def affine(letters, spacing):
    """Return the affine of axes that run to the given directions."""
    turned = nibabel.orientations.axcodes2ornt(letters)
    matrix = np.diag([0.0, 0.0, 0.0, 1.0])
    for axis, (target, sign) in enumerate(turned):
        matrix[int(target), axis] = sign * spacing
    return matrix


def saved(path, array, affine=None, unit=None, **header):
    """Write a NIfTI file with an affine, in mm, or an NRRD file with a header."""
    if path.suffix == ".nrrd":
        nrrd.write(str(path), array, header)
        return
    image = nibabel.Nifti1Image(array, affine)
    if unit:
        image.header.set_xyzt_units(unit)
    nibabel.save(image, path)


@pytest.mark.parametrize(
    ("name", "shape", "header", "axes", "expected"),
    [
        # The grid's own axes run P, I, R.
        ("v.nii", COARSE, {"affine": affine("PIR", 0.1), "unit": "mm"}, None, []),
        ("v.nii", COARSE, {"affine": affine("PIR", 100), "unit": "micron"}, None, []),
        ("v.nii", COARSE, {"affine": affine("PIR", 1), "unit": "mm"}, None, []),
        ("v.nii", COARSE, {"affine": affine("PIR", 100)}, None, []),
        ("v.nii", COARSE, {}, None, []),
        ("v.nii", COARSE, {"affine": affine("AIR", 0.1), "unit": "mm"}, None, ["VOLUME_AXES"]),
        (
            "v.nii",
            COARSE,
            {"affine": affine("AIR", 0.1), "unit": "mm"},
            ["-ap", "dv", "ml"],
            [],
        ),
        (
            "v.nii",
            COARSE,
            {"affine": affine("AIR", 0.1), "unit": "mm"},
            ["ap", "dv", "ml"],
            ["VOLUME_HEADER"],
        ),
        ("v.nii", COARSE, {"affine": affine("PIR", 0.01), "unit": "mm"}, None, ["VOLUME_HEADER"]),
        ("v.nii", COARSE, {"affine": affine("LPS", 0.1), "unit": "mm"}, None, ["VOLUME_HEADER"]),
        (
            "v.nrrd",
            COARSE,
            {"space": "left-posterior-superior", "space directions": np.eye(3) * 100},
            None,
            ["VOLUME_HEADER"],
        ),
        (
            "v.nrrd",
            COARSE,
            {"space": "RAS", "space directions": [[0, 100, 0], [0, 0, -100], [100, 0, 0]],
             "space units": ["microns"] * 3},
            None,
            ["VOLUME_AXES"],
        ),
        ("v.nrrd", COARSE, {"spacings": [10.0, 10, 10]}, None, ["VOLUME_HEADER"]),
        ("v.nrrd", COARSE, {}, None, []),
        ("v.nrrd", (114, 132, 80), {"space": "RAS", "space directions": np.eye(3) * 100}, None,
         ["VOLUME_SHAPE"]),
    ],
)  # fmt: skip
def test_77_what_a_header_says_is_never_passed_over(tmp_path, name, shape, header, axes, expected):
    path = tmp_path / name
    saved(path, np.broadcast_to(np.uint8(1), shape), **header)
    values, told = read_volume(str(path)), read_header(str(path))
    fault = shape_fault(values.shape, axes or AXES, True)
    if fault:
        assert expected == ["VOLUME_SHAPE"]
        assert told.axes == ("ml", "-ap", "-dv")
        assert told.text() == "axes [ml, -ap, -dv] and a spacing of 100 x 100 x 100 in no unit"
        return
    found = header_findings("v", told, values.shape, axes, spacing_of)
    assert [finding.code for finding in found] == expected


def test_axes_are_turned_and_flipped():
    values = np.arange(24).reshape(2, 3, 4)
    turned = oriented(values, ["ml", "-ap", "dv"])
    assert turned.shape == (3, 4, 2)
    assert turned[0, 1, 1] == values[1, 2, 1]


@given(st.integers(1, 40), st.integers(1, 40))
def test_weights_of_resampling_keep_means(old, new):
    weights = overlap_weights(old, new).toarray()
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=0), new / old, rtol=1e-4)
    if old == new:
        np.testing.assert_array_equal(weights, np.eye(old))


def test_resampling_halves_a_grid_and_lets_nan_out(monkeypatch):
    monkeypatch.setattr("brainpublish.regions.volume.SHAPE", (2, 2, 2))
    fine = np.arange(64, dtype=np.float32).reshape(4, 4, 4)
    expected = fine.reshape(2, 2, 2, 2, 2, 2).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(resampled(fine), expected)
    fine[:2, :2, :2] = np.nan
    fine[2, 0, 0] = np.nan
    got = resampled(fine)
    assert np.isnan(got[0, 0, 0])
    block = fine[2:, :2, :2]
    assert got[1, 0, 0] == pytest.approx(np.nanmean(block))


def test_the_formats_give_the_same_numbers(tmp_path):
    array = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    np.save(tmp_path / "v.npy", array)
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), tmp_path / "v.nii.gz")
    nibabel.save(nibabel.Nifti1Image(array[..., None], np.eye(4)), tmp_path / "v.nii")
    nrrd.write(str(tmp_path / "v.nrrd"), array)
    for path in sorted(tmp_path.iterdir()):
        assert np.array_equal(read_volume(str(path)), array), path.name
    assert survey(array) == (array.min(), array.max(), 0, 0)


@pytest.mark.parametrize(
    ("name", "data", "code", "says"),
    [
        ("v.tif", b"II*", "VOLUME_UNREADABLE", ".nrrd"),
        ("v.npy", b"nothing", "VOLUME_UNREADABLE", "cannot be read"),
        ("v.nii", b"nothing", "VOLUME_UNREADABLE", "cannot be read"),
        ("gone.npy", None, "VOLUME_MISSING", "no such file"),
    ],
)
def test_what_is_no_volume_is_named(tmp_path, name, data, code, says):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    payload, findings = volume_feature("f", section("volume", path=str(tmp_path / name)))
    assert payload is None
    assert codes(findings) == [("error", code)]
    assert says in findings[0].message


def test_arrays_of_other_kinds_are_named(volume):
    assert "4 axes" in volume(np.zeros((2, 2, 2, 3)))[1][0].message
    assert "complex" in volume(np.zeros((2, 2, 2), dtype=complex))[1][0].message


def test_the_step_keeps_what_is_whole_and_says_the_rest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("p.csv").write_text(NEAR_BREGMA)
    bucket = {
        "points": {"dots": section("points")},
        "volume": {"gone": section("volume", path="gone.npy")},
    }
    encode_volumes(bucket, "volumes.json", "encoded.json")
    features = read_json("volumes.json")
    assert features.keys() == {"dots"}
    assert [each["code"] for each in read_json("encoded.json")] == ["VOLUME_MISSING"]


def test_packed_arrays_are_the_same_every_time():
    array = np.arange(12, dtype="<f4").reshape(4, 3)
    assert packed(array) == packed(array.copy())
    back, bounds = decoded(packed(array, 1.5, 2.5))
    assert np.array_equal(back, array)
    assert bounds.tolist() == [1.5, 2.5]
