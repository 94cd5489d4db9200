import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainpublish.slices.discover import Listing, Place
from brainpublish.slices.names import order_names
from brainpublish.slices.numbers import runs_text
from brainpublish.slices.pairing import fill_gaps, pair_with_image


def listing(numbers):
    return Listing([Place(f"{number}.tif", number=number) for number in numbers], [])


def codes(found):
    return [finding.code for finding in found.findings]


@given(st.integers(0, 50), st.integers(2, 60), st.integers(1, 30))
def test_even_steps_have_no_gaps(first, count, step):
    found = fill_gaps(listing(range(first, first + count * step, step)), "stop", "here")
    assert codes(found) == (["SLICE_STEPS"] if step > 1 else [])


@given(st.integers(10, 60), st.data())
def test_missing_numbers_are_filled_where_they_are_missing(count, data):
    missing = data.draw(st.sets(st.integers(1, count - 2), min_size=1, max_size=3))
    numbers = [n for n in range(count) if n not in missing]
    assert codes(fill_gaps(listing(numbers), "stop", "here")) == ["SLICES_GAPS"]
    black = fill_gaps(listing(numbers), "black", "here")
    assert [place.number for place in black.places] == list(range(count))
    assert {p.number for p in black.places if not p.file} == missing
    repeat = fill_gaps(listing(numbers), "repeat", "here").places
    assert all(repeat[n].file == repeat[n - 1].file for n in missing)
    assert len(fill_gaps(listing(numbers), "close", "here").places) == len(numbers)


def test_uneven_steps_are_told():
    found = fill_gaps(listing([1, 3, 5, 6, 9]), "stop", "here")
    assert "uneven steps" in found.findings[0].message


@given(st.permutations(range(1, 13)))
def test_masks_go_with_the_image_slice_of_their_number(order):
    shuffled = sorted(order)
    found = pair_with_image(listing(shuffled), listing(range(1, 13)), "stop", "here")
    assert [place.number for place in found.places] == list(range(1, 13))
    assert found.decisions["pairing"] == "by number"


@pytest.mark.parametrize(
    ("masks", "gaps", "code"),
    [
        (range(1, 11), "stop", []),
        (range(0, 10), "stop", ["MASK_COUNTED"]),
        (range(3, 13), "stop", ["MASK_OFFSET"]),
        (range(2, 11), "stop", ["SLICES_COUNT"]),
        (range(2, 11), "black", ["MASK_FILLED"]),
        (range(0, 12), "black", ["SLICES_COUNT"]),
        (range(2, 11), "close", ["SLICES_COUNT"]),
    ],
)
def test_what_differs_is_told(masks, gaps, code):
    assert codes(pair_with_image(listing(masks), listing(range(1, 11)), gaps, "here")) == code


@pytest.mark.parametrize(
    ("masks", "gaps", "code", "kept"),
    [
        (range(0, 12), "stop", ["MASK_DROPPED"], range(1, 11)),
        (range(3, 13), "stop", ["SLICES_COUNT"], range(3, 13)),
        (range(3, 13), "black", ["MASK_DROPPED", "MASK_FILLED"], range(1, 11)),
        (range(1, 11), "stop", [], range(1, 11)),
        (range(2, 11), "stop", ["SLICES_COUNT"], range(2, 11)),
        (range(40, 44), "black", ["SLICES_COUNT"], range(40, 44)),
    ],
)
def test_masks_without_an_image_slice_are_dropped_if_told(masks, gaps, code, kept):
    found = pair_with_image(listing(masks), listing(range(1, 11)), gaps, "here", "drop")
    assert codes(found) == code
    assert [place.number for place in found.places] == list(kept)
    if "MASK_DROPPED" in code:
        assert ", left out: " in found.decisions["pairing"]


def test_a_missing_mask_leaves_the_others_in_their_places():
    found = pair_with_image(listing([1, 2, 4]), listing([1, 2, 3, 4]), "black", "here")
    assert [place.file for place in found.places] == ["1.tif", "2.tif", "", "4.tif"]


@pytest.mark.parametrize(
    ("names", "order", "first", "number"),
    [
        (["b2_z1.tif", "b1_z2.tif"], 2, "b2_z1.tif", 1),
        (["b2_z1.tif", "b1_z2.tif"], 1, "b1_z2.tif", 1),
        (["b2_z1.tif", "b1_z2.tif"], -1, "b2_z1.tif", 1),
        (["b2_z1.tif", "b1_z2.tif"], "natural", "b1_z2.tif", None),
        (["z10.tif", "z9.tif"], "name", "z10.tif", None),
        (["d1_z1.tif", "d1_z2.tif", "d2_z3.tif"], "auto", "d1_z1.tif", 1),
    ],
)
def test_order_is_as_the_config_says(names, order, first, number):
    ordered = order_names(names, order)
    assert (ordered.names[0], ordered.numbers[0], ordered.problems) == (first, number, [])


def test_numbers_that_tell_different_orders_are_ambiguous():
    ordered = order_names(["b2_z1.tif", "b1_z2.tif"])
    assert [code for code, _ in ordered.problems] == ["SLICE_AMBIGUOUS"]


@given(st.sets(st.integers(0, 40), min_size=1))
def test_runs_name_every_number(numbers):
    told = set()
    for part in runs_text(sorted(numbers), limit=99).split(", "):
        first, _, last = part.partition(" to ")
        told |= set(np.arange(int(first), int(last or first) + 1).tolist())
    assert told == numbers
