import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from brainpublish.slices.cast import Cast, apply_cast, cast_of, way_out
from brainpublish.slices.header import UnreadableSlice

SOURCES = ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]
SOURCES += ["float32", "float64"]
TARGETS = ["uint8", "uint16", "uint32", "uint64"]


@given(st.data(), st.sampled_from(SOURCES), st.sampled_from(TARGETS))
def test_an_accepted_cast_changes_no_value(data, source, target):
    values = data.draw(arrays.arrays(source, (3, 4)))
    fits = all(
        np.isfinite(value) and value == int(value) and 0 <= int(value) <= np.iinfo(target).max
        for value in values.ravel().tolist()
    )
    exact = {"float32": 2**24, "float64": 2**53}.get(source, np.inf)
    if fits and values.max() <= exact:
        cast = apply_cast(values, Cast(), target)
        assert cast.dtype == target
        assert list(map(int, values.ravel().tolist())) == cast.ravel().tolist()
    else:
        with pytest.raises(UnreadableSlice):
            apply_cast(values, Cast(), target)


@given(arrays.arrays(np.int16, (5, 5)), st.integers(0, 40_000))
def test_an_offset_is_undone_by_its_opposite(values, offset):
    try:
        cast = apply_cast(values, Cast(offset=offset), "uint16")
    except UnreadableSlice:
        assert int(values.min()) + offset < 0 or int(values.max()) + offset > 65535
    else:
        assert np.array_equal(cast.astype(int) - offset, values)


@given(arrays.arrays(np.float64, (5, 5), elements=st.floats(0, 1)))
def test_a_linear_map_rounds_to_the_nearest(values):
    cast = apply_cast(values, Cast(scale=(0, 1, 0, 65535)), "uint16")
    assert np.abs(cast - values * 65535).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("odd", [np.nan, 1.5, -0.1])
def test_a_linear_map_clips_nothing(odd):
    with pytest.raises(UnreadableSlice, match="1 values outside"):
        apply_cast(np.array([[0.5, odd]]), Cast(scale=(0, 1, 0, 255)), "uint8")


def test_a_refusal_says_the_range():
    for values, target, said in (
        (np.array([[-1024, 3071]], np.int16), "uint16", "from -1,024 to 3,071; uint16 takes 0"),
        (np.array([[0, 41200]], np.uint16), "uint8", "from 0 to 41,200; uint8 takes 0 to 255"),
        (np.array([[0, 0.5]], np.float32), "uint16", "with fractions, from 0 to 0.5"),
        (np.array([[0, np.nan]], np.float32), "uint16", "no numbers"),
    ):
        with pytest.raises(UnreadableSlice, match="holds") as refused:
            apply_cast(values, Cast(), target)
        assert said in str(refused.value)


INTEGERS = st.integers(-(2**20), 2**20)


@given(INTEGERS, INTEGERS, st.sampled_from(["uint8", "uint16"]))
def test_the_line_to_write_makes_all_values_fit(one, other, dtype):
    low, high = min(one, other), max(one, other)
    line = way_out(low, high, dtype)
    section = yaml.safe_load(line.split("`")[1])
    if low == high or (low >= 0 and high <= np.iinfo(dtype).max):
        return
    cast, target = cast_of(section), section.get("dtype", dtype)
    made = apply_cast(np.array([[low, high]]), cast, target)
    assert made.dtype == target
    assert made[0, 0] < made[0, 1]


def test_floats_are_given_a_map():
    # All digits, in a form that YAML reads as a number.
    tiny = way_out(1e-05, float(np.float32(0.1)), "uint8")
    assert "from: [1.0e-05, 0.10000000149011612]" in tiny
    assert (
        way_out(0.025, 1.5, "uint8") == "`scale: {from: [0.025, 1.5], to: [0, 255]}` would map them"
    )
