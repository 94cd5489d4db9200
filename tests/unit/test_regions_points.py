"""Points as features: decoded as the website does it, and faults named."""

from pathlib import Path

import numpy as np
import pytest
from grids import NEAR_BREGMA, codes, decoded, section, shown
from hypothesis import given, settings
from hypothesis import strategies as st
from iblbrainviewer import api as official

from brainpublish.regions.grid import encoded, range_of
from brainpublish.regions.points import ball_offsets, in_metres, painted, point_feature, voxels


@pytest.fixture
def points(tmp_path, monkeypatch):
    """Make a feature of points given as text; keyword arguments are keys of its section."""
    monkeypatch.chdir(tmp_path)

    def make(text, **keys):
        Path("p.csv").write_text(text)
        return point_feature("f", section("points", **keys))

    return make


def test_points_become_balls_that_the_website_decodes(points):
    payload, findings = points(NEAR_BREGMA, unit="Hz", ball=3)
    assert findings == []
    levels, low, high = shown(payload)
    assert (low, high) == (0, 4)
    at = voxels(np.array([[0.5e-3, -1.2e-3, -3e-3], [-1e-3, 0.3e-3, -2.5e-3]]))
    assert levels[tuple(at[0])] == 128
    assert levels[tuple(at[1])] == 255
    assert np.count_nonzero(levels) == 2 * len(ball_offsets(3))
    assert payload["unit"] == "Hz"
    xyz, _ = decoded(payload["feature_data"]["xyz"])
    assert xyz.shape == (2, 3)
    np.testing.assert_allclose(xyz[0], [0.5e-3, -1.2e-3, -3e-3], rtol=1e-6)
    again, _ = points(NEAR_BREGMA, unit="Hz", ball=3)
    assert again == payload, "equal points, equal payloads"


def test_voxels_are_those_of_the_official_client(monkeypatch):
    from iblatlas.atlas import get_bc

    class Atlas:
        bc = get_bc(25)

    monkeypatch.setattr(official, "AllenAtlas", Atlas)
    rng = np.random.default_rng(1)
    places = rng.uniform([-5e-3, -7e-3, -7e-3], [5e-3, 5e-3, 0], (300, 3))
    values = rng.uniform(1, 2, 300)
    theirs = official.make_dots_volume(places, values, dot_size=1)
    assert np.array_equal(painted(places, values, 1), theirs)


def test_the_frame_of_the_atlas_corner_is_turned_and_moved():
    import pandas as pd

    frame = pd.DataFrame({"ml": [5739.0], "ap": [5400.0], "dv": [332.0]})
    bregma = in_metres(frame, {"coordinate_unit": "um", "frame": "ccf"})
    np.testing.assert_allclose(bregma, 0, atol=1e-12)
    behind = in_metres(frame.add([25, 50, 75]), {"coordinate_unit": "um", "frame": "ccf"})
    np.testing.assert_allclose(behind, [[25e-6, -50e-6, -75e-6]], atol=1e-12)
    assert (voxels(behind) - voxels(bregma) == [[2, 3, 1]]).all()


@pytest.mark.parametrize("diameter", [1, 3, 5, 7, 9])
def test_79_balls_are_full(diameter):
    offsets = ball_offsets(diameter)
    grid = {tuple(offset) for offset in offsets}
    assert len(grid) == len(offsets)
    expected = np.pi / 6 * diameter**3
    assert abs(len(grid) - expected) <= 0.7 * diameter**2
    for axis in range(3):
        line = sorted(o[axis] for o in grid if all(o[i] == 0 for i in range(3) if i != axis))
        assert line == list(range(-(diameter // 2), diameter // 2 + 1))


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 5]))
def test_where_balls_meet_the_mean_is_drawn_whatever_the_order(seed, diameter):
    rng = np.random.default_rng(seed)
    places = rng.uniform([5.6e-3, -1e-3, -1e-3], [5.63e-3, -9.5e-4, -9.5e-4], (6, 3))  # at the edge
    values = rng.integers(1, 9, 6).astype(float)
    volume = painted(places, values, diameter)
    at, offsets = voxels(places), ball_offsets(diameter)
    for voxel in at[rng.integers(0, 6, 3)]:
        covering = [
            v for p, v in zip(at, values, strict=True) if (p - voxel == offsets).all(1).any()
        ]
        assert volume[tuple(voxel)] == pytest.approx(np.mean(covering), rel=1e-6)
    assert np.array_equal(painted(places[::-1], values[::-1], diameter), volume)


def test_78_points_in_another_unit_or_frame_stop_with_the_likely_one(points):
    payload, findings = points("ml,ap,dv,v\n5700,6600,3300,1\n4000,3000,2500,2\n")
    assert payload is None
    assert codes(findings) == [("error", "POINT_OUTSIDE")]
    assert "2 of 2 points (100%)" in findings[0].message
    assert "um in ccf" in findings[0].message
    _, findings = points(NEAR_BREGMA, coordinate_unit="um")
    assert codes(findings) == [("error", "POINT_TIGHT")]
    assert "mm from bregma" in findings[0].message


def test_78_a_few_points_outside_are_left_out_and_named(points):
    payload, findings = points(NEAR_BREGMA + "0,0,1.2,3\n")
    assert codes(findings) == [("warning", "POINT_OUTSIDE")]
    assert "rows 4: left out" in findings[0].message
    assert decoded(payload["feature_data"]["values"])[0].tolist() == [2, 4]


def test_bad_cells_of_points_are_named(points):
    text = "ml,ap,dv,v\n,1,1,1\n0,nan,-1,1\n0,0,x,1\n0,0,-1,\n0,0,-1,-2\n0,0,-2,0\n"
    payload, findings = points(text)
    assert [(each.code, each.where) for each in findings if each.code != "VOLUME_BACKGROUND"] == [
        ("POINT_NO_PLACE", "p.csv row 2, column ml"),
        ("POINT_NO_PLACE", "p.csv row 3, column ap"),
        ("VALUE_NOT_NUMBER", "p.csv row 4, column dv"),
        ("VALUE_MISSING", "p.csv"),
        ("VALUE_ZERO", "p.csv, feature f"),
    ]
    assert payload is not None
    _, findings = points("ml,ap,dv,v\n0,0,0,\n")
    assert ("error", "FEATURE_EMPTY") in codes(findings)
    _, findings = points("ml,ap,v\n0,0,0\n")
    assert codes(findings) == [("error", "TABLE_COLUMN")]


@settings(max_examples=40)
@given(
    st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1, max_size=30),
    st.booleans(),
)
def test_a_value_is_kept_within_half_a_step(values, with_zero):
    array = np.array(values, dtype=np.float32).reshape(-1, 1, 1)
    span = range_of(float(array.min()), float(array.max()), with_zero)
    assert span.low < span.high
    levels = encoded(array, span).astype(float)
    back = span.low + levels / 255 * (span.high - span.low)
    half = (span.high - span.low) / 255 / 2
    assert np.abs(back - array).max() <= half * 1.0001 + 1e-7 * abs(array).max()
    if min(values) == max(values):
        assert np.array_equal(back.astype(np.float32), array), "one value is kept exactly"
